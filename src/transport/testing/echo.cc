#include "echo.h"

#include <array>
#include <cstdlib>

#include <base/check.h>
#include <protocol/writer.h>

namespace dohle::transport::testing_echo {

using runtime::Fragments;
using runtime::Task;

namespace {

std::string text_of(Fragments fragments) {
  std::string text;
  for (const auto& fragment : fragments) text.append(as_text(std::get<Slice>(fragment).bytes()));
  return text;
}

Fragments frame_with(const Request& request, std::string_view body) {
  protocol::Writer writer;
  writer.write(request.header().correlation_id);
  writer.write_raw(as_bytes(body));
  return writer.finish_frame();
}

runtime::Duration argument(std::string_view body, std::string_view command) {
  return std::chrono::milliseconds(std::atoi(std::string(body.substr(command.size())).c_str()));
}

Task<void> write_all(runtime::Connection* connection, std::string bytes, runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  Fragments fragments;
  fragments.emplace_back(Slice::copy_of(as_bytes(bytes)));
  [[maybe_unused]] const auto sent = co_await connection->write(std::move(fragments));
}

}  // namespace

std::string frame_of(std::int32_t correlation_id, std::string_view body) {
  protocol::Writer writer;
  writer.write<std::int16_t>(3);
  writer.write<std::int16_t>(0);
  writer.write(correlation_id);
  writer.write<std::int16_t>(-1);
  writer.write_raw(as_bytes(body));
  return text_of(writer.finish_frame());
}

Task<void> EchoSink::handle(std::unique_ptr<Request> request) {
  DOHLE_CHECK(shard_->executor().is_current());
  const std::string body(as_text(request->body()));
  handled.push_back(body);
  pinned_bytes.push_back(request->frame().pinned_bytes());
  if (body == "drop") co_return;
  if (body == "close") co_return request->close_connection("as asked");
  if (body == "silent") co_return request->no_response();
  if (body == "authenticate") request->connection().set_authenticated();
  runtime::Duration throttle{0};
  if (body.starts_with("throttle ")) throttle = argument(body, "throttle ");
  if (body.starts_with("park ")) {
    request->enqueued();
    co_await runtime::sleep_for(argument(body, "park "), &request->connection().closed());
  }
  if (body.starts_with("enqueue after ")) co_await runtime::sleep_for(argument(body, "enqueue after "));
  if (body.starts_with("answer ")) {
    co_return request->respond(frame_with(*request, std::string(std::stoul(body.substr(7)), 'a')));
  }
  request->respond(frame_with(*request, body), throttle);
}

RawClient::~RawClient() {
  if (connection_) close();
  shards_->run_until_idle();
}

bool RawClient::connect(std::uint16_t port) {
  auto connected = shards_->run(shard_, [this, port] {
    return shards_->at(shard_).network().connect({"localhost", port}, std::chrono::seconds(5));
  });
  if (connected) connection_ = std::move(*connected);
  return connection_ != nullptr;
}

void RawClient::send(std::string bytes) {
  const auto scope = shards_->enter(shard_);
  spawn(write_all(connection_.get(), std::move(bytes), sending_.enter()));
}

void RawClient::take() {
  const auto scope = shards_->enter(shard_);
  std::array<std::uint8_t, 4096> buffer{};
  for (;;) {
    const auto got = connection_->read_now(buffer);
    if (!got) at_end_ = true;
    if (!got || *got == 0) return;
    input_.append(as_text(Bytes(buffer).first(*got)));
  }
}

std::vector<std::string> RawClient::answers(std::size_t count) {
  std::vector<std::string> out;
  shards_->run_until([&] {
    take();
    while (input_.size() >= 4) {
      const auto size = load_be<std::uint32_t>(as_bytes(input_).data());
      if (input_.size() < 4 + size) break;
      const auto correlation = load_be<std::int32_t>(as_bytes(input_).data() + 4);
      out.push_back(std::to_string(correlation) + ":" + input_.substr(8, size - 4));
      input_.erase(0, 4 + size);
    }
    return out.size() >= count || at_end_;
  });
  return out;
}

std::size_t RawClient::received() {
  take();
  return input_.size();
}

bool RawClient::is_at_end() {
  take();
  return at_end_;
}

bool RawClient::ended() {
  shards_->run_until([&] { return is_at_end() || !input_.empty(); }, std::chrono::seconds(1));
  return at_end_ && input_.empty();
}

void RawClient::close() {
  const auto scope = shards_->enter(shard_);
  connection_->close();
}

}  // namespace dohle::transport::testing_echo
