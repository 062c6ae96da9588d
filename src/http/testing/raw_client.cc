#include "raw_client.h"

#include <array>
#include <chrono>
#include <utility>

namespace dohle::http {
namespace {

runtime::Task<void> write_all(runtime::Connection* connection, std::string bytes, runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  runtime::Fragments fragments;
  fragments.emplace_back(Slice::copy_of(as_bytes(bytes)));
  static_cast<void>(co_await connection->write(std::move(fragments)));
}

// The size of the first response in `input`; 0 when it is not there yet.
std::size_t whole_response(const std::string& input) {
  constexpr std::string_view kLength = "Content-Length: ";
  const auto end = input.find("\r\n\r\n");
  const auto at = input.find(kLength);
  if (end == std::string::npos) return 0;
  const std::size_t body = at < end ? std::stoul(input.substr(at + kLength.size())) : 0;
  return input.size() >= end + 4 + body ? end + 4 + body : 0;
}

}  // namespace

RawClient::~RawClient() {
  if (connection_) close();
  shards_->run_until_idle();
}

bool RawClient::connect(std::uint16_t port) {
  auto connected = shards_->run(
      0, [this, port] { return shards_->at(0).network().connect({"localhost", port}, std::chrono::seconds(5)); });
  if (connected) connection_ = std::move(*connected);
  return connection_ != nullptr;
}

void RawClient::send(std::string bytes) {
  const auto scope = shards_->enter(0);
  spawn(write_all(connection_.get(), std::move(bytes), sending_.enter()));
}

void RawClient::take() {
  const auto scope = shards_->enter(0);
  std::array<std::uint8_t, 4096> buffer{};
  for (;;) {
    const auto got = connection_->read_now(buffer);
    if (!got) at_end_ = true;
    if (!got || *got == 0) return;
    input_.append(as_text(Bytes(buffer).first(*got)));
  }
}

std::string RawClient::response() {
  std::size_t size = 0;
  shards_->run_until([&] {
    take();
    size = whole_response(input_);
    return size > 0 || at_end_;
  });
  if (size == 0) size = input_.size();
  std::string out = input_.substr(0, size);
  input_.erase(0, size);
  return out;
}

bool RawClient::is_at_end() {
  shards_->run_until_idle();
  take();
  return at_end_;
}

void RawClient::close() {
  const auto scope = shards_->enter(0);
  connection_->close();
}

}  // namespace dohle::http
