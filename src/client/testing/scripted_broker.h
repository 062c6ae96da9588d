// ScriptedBroker: a node in memory that answers what a test tells it to, message by message.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <base/buffer.h>
#include <base/check.h>
#include <base/reader.h>
#include <protocol/writer.h>
#include <runtime/network.h>
#include <runtime/shard.h>
#include <runtime/sync.h>

namespace dohle::client {

class ScriptedBroker {
 public:
  // Listens on `port` of `shard`'s network; everything runs there.
  ScriptedBroker(runtime::Shard& shard, std::uint16_t port);
  ~ScriptedBroker();
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  // Answers `Request` with what `handler(const Request&) -> std::optional<Response>` returns; nothing: no answer, ever.
  // Versions beyond `max_version` are not announced.
  template <typename Request, typename Handler>
  void on(Handler handler, std::int16_t max_version = Request::kMaxVersion) {
    Script script;
    script.min_version = Request::kMinVersion;
    script.max_version = std::min(max_version, Request::kMaxVersion);
    script.answer = [handler = std::move(handler)](Reader& reader, std::int16_t version,
                                                   protocol::Writer& writer) mutable {
      auto request = Request::decode(reader, version);
      DOHLE_CHECK(request.has_value());
      std::optional<typename Request::Response> response = handler(*request);
      if (response) response->encode(writer, version);
      return response.has_value();
    };
    scripts_[Request::kApiKey] = std::move(script);
  }
  // What follows on its connection waits too: `delay` is asked after each answer to this API was made.
  void delay(std::int16_t api_key, std::function<runtime::Duration()> by) { delays_[api_key] = std::move(by); }
  void on_nothing(std::int16_t api_key) { scripts_.erase(api_key); }

  // API keys of the requests that came, in order; ApiVersions is not among them.
  [[nodiscard]] const std::vector<std::int16_t>& requests() const { return requests_; }
  [[nodiscard]] std::size_t count(std::int16_t api_key) const;
  [[nodiscard]] std::size_t connections() const { return accepted_; }
  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
  // Cuts all connections; new ones are accepted.
  void disconnect_all();
  // Stops listening and waits.
  [[nodiscard]] runtime::Task<void> stop();

 private:
  struct Script {
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;
    std::move_only_function<bool(Reader&, std::int16_t, protocol::Writer&)> answer;
  };
  runtime::Task<void> accept_all();
  runtime::Task<void> serve(std::shared_ptr<runtime::Connection> connection);
  // The whole answer, or nothing.
  [[nodiscard]] std::optional<runtime::Fragments> answer(Bytes frame);
  void answer_api_versions(std::int16_t version, protocol::Writer& writer);

  runtime::Shard* shard_;
  std::unique_ptr<runtime::Listener> listener_;
  std::map<std::int16_t, Script> scripts_;
  std::map<std::int16_t, std::function<runtime::Duration()>> delays_;
  runtime::StopSource stopped_;
  std::vector<std::int16_t> requests_;
  std::vector<std::weak_ptr<runtime::Connection>> open_;
  std::size_t accepted_ = 0;
  runtime::Gate gate_;
};

}  // namespace dohle::client
