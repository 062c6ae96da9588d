#include "scripted_broker.h"

#include <algorithm>

#include <protocol/header.h>
#include <protocol/messages/api_versions_request.h>
#include <protocol/messages/api_versions_response.h>

namespace dohle::client {

using runtime::Task;

ScriptedBroker::ScriptedBroker(runtime::Shard& shard, std::uint16_t port) : shard_(&shard) {
  auto listener = shard.network().listen({"", port}, 16);
  DOHLE_CHECK(listener.has_value());
  listener_ = std::move(*listener);
  runtime::spawn_on(shard.executor(), accept_all());
}

ScriptedBroker::~ScriptedBroker() { DOHLE_CHECK(gate_.count() == 0); }

std::size_t ScriptedBroker::count(std::int16_t api_key) const {
  return static_cast<std::size_t>(std::ranges::count(requests_, api_key));
}

void ScriptedBroker::disconnect_all() {
  for (const auto& weak : std::exchange(open_, {})) {
    if (const auto connection = weak.lock()) connection->close();
  }
}

Task<void> ScriptedBroker::stop() {
  listener_->close();
  stopped_.stop();
  disconnect_all();
  co_await gate_.wait_empty();
}

Task<void> ScriptedBroker::accept_all() {
  const auto pass = gate_.enter();
  for (;;) {
    auto peer = co_await listener_->accept();
    if (!peer) co_return;
    auto attached = shard_->network().attach(std::move(*peer));
    if (!attached) continue;
    std::shared_ptr<runtime::Connection> connection = std::move(*attached);
    open_.push_back(connection);
    ++accepted_;
    runtime::spawn(serve(std::move(connection)));
  }
}

Task<void> ScriptedBroker::serve(std::shared_ptr<runtime::Connection> connection) {
  const auto pass = gate_.enter();
  std::vector<std::uint8_t> received;
  std::vector<std::uint8_t> part(4096);
  for (;;) {
    const auto got = co_await connection->read_some(part);
    if (!got || *got == 0) break;
    received.insert(received.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*got));
    while (received.size() >= 4) {
      const auto length = load_be<std::uint32_t>(received.data());
      if (received.size() < 4 + length) break;
      auto out = answer(Bytes(received).subspan(4, length));
      received.erase(received.begin(), received.begin() + 4 + static_cast<std::ptrdiff_t>(length));
      if (!out) continue;
      if (const auto by = delays_.find(requests_.empty() ? -1 : requests_.back()); by != delays_.end()) {
        const auto wait = by->second();
        if (wait > runtime::Duration{}) co_await runtime::sleep_for(wait, &stopped_);
      }
      if (!co_await connection->write(std::move(*out))) break;
    }
  }
  connection->close();
}

std::optional<runtime::Fragments> ScriptedBroker::answer(Bytes frame) {
  Reader reader(frame);
  const auto header = protocol::RequestHeader::decode(reader);
  DOHLE_CHECK(header.has_value());
  protocol::Writer writer;
  protocol::ResponseHeader{header->correlation_id, {}}.encode(writer, header->api_key, header->api_version);
  if (header->api_key == protocol::ApiVersionsRequest::kApiKey) {
    answer_api_versions(header->api_version, writer);
    return writer.finish_frame();
  }
  requests_.push_back(header->api_key);
  const auto script = scripts_.find(header->api_key);
  DOHLE_CHECK(script != scripts_.end());
  if (!script->second.answer(reader, header->api_version, writer)) return std::nullopt;
  return writer.finish_frame();
}

void ScriptedBroker::answer_api_versions(std::int16_t version, protocol::Writer& writer) {
  protocol::ApiVersionsResponse response;
  const auto add = [&response](std::int16_t key, std::int16_t min, std::int16_t max) {
    auto& entry = response.api_keys.emplace_back();
    entry.api_key = key;
    entry.min_version = min;
    entry.max_version = max;
  };
  add(protocol::ApiVersionsRequest::kApiKey, 0, 4);
  for (const auto& [key, script] : scripts_) add(key, script.min_version, script.max_version);
  constexpr std::int16_t kUnsupportedVersion = 35;
  const bool refused = version > 4;
  if (refused) response.error_code = kUnsupportedVersion;
  response.encode(writer, refused ? std::int16_t{0} : version);
}

}  // namespace dohle::client
