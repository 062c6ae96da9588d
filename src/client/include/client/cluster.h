// Cluster: what producer, consumer and admin stand on. Knows the nodes, holds one connection to each, negotiates
// versions, keeps metadata and coordinators, and repeats what may be repeated. Lives on one shard.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <base/buffer.h>
#include <base/check.h>
#include <client/client_config.h>
#include <client/cluster_metadata.h>
#include <client/kafka_error.h>
#include <runtime/shard.h>
#include <runtime/sync.h>
#include <runtime/task.h>
#include <transport/client_connection.h>

namespace dohle::client {

class NodeConnection;

// A decoded answer with the bytes that its texts and blobs are views of.
template <typename T>
struct Reply {
  Slice frame;
  T body;
  std::int16_t version = 0;
  std::int32_t node = kNoNode;  // who answered
  const T* operator->() const { return &body; }
  const T& operator*() const { return body; }
};

struct VersionRange {
  std::int16_t min = 0;
  std::int16_t max = -1;
};

struct CallOptions {
  std::int64_t timeout_ms = 0;  // 0: request.timeout.ms
  // Versions that this request can be said in; both ends cut what the two sides support.
  std::int16_t min_version = 0;
  std::int16_t max_version = 32767;
  // For send(): once stopped, the request is not sent any more, and fails with kNetworkException. What was sent before
  // waits for its answer.
  std::shared_ptr<const runtime::StopSource> unwanted = nullptr;
};

// FindCoordinator's key types.
enum class CoordinatorType : std::int8_t { kGroup = 0, kTransaction = 1, kShare = 2 };

// Exponential, with jitter of a fifth (KIP-580).
class Backoff {
 public:
  Backoff(std::int64_t initial_ms, std::int64_t max_ms, runtime::Random& random)
      : initial_ms_(initial_ms), max_ms_(max_ms), random_(&random) {}
  [[nodiscard]] std::int64_t next_ms();
  void reset() { attempts_ = 0; }

 private:
  std::int64_t initial_ms_;
  std::int64_t max_ms_;
  runtime::Random* random_;
  int attempts_ = 0;
};

class Cluster {
 public:
  Cluster(runtime::Shard& shard, ClientConfig config);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  // Closes all connections and waits until nothing of this object runs any more. Calls in flight fail.
  [[nodiscard]] runtime::Task<void> close();

  [[nodiscard]] runtime::Shard& shard() { return *shard_; }
  [[nodiscard]] const ClientConfig& config() const { return config_; }
  [[nodiscard]] const ClusterMetadata& metadata() const { return metadata_; }
  [[nodiscard]] runtime::MonotonicTime now() const;

  // One attempt on node `node`, which metadata must know. Fails with kNetworkException, kRequestTimedOut,
  // kUnsupportedVersion, or kUnknownServerError when the answer cannot be read. Error codes inside the answer are the
  // caller's. Requests to one node are sent in the order of these calls once it is connected.
  template <typename Request>
  runtime::Task<Answer<Reply<typename Request::Response>>> send(std::int32_t node, Request request,
                                                                CallOptions options = {}) {
    const auto pass = gate_.enter();
    auto link = co_await open(node, range_of<Request>(options), Request::kName);
    if (!link) co_return std::unexpected(std::move(link).error());
    if (options.unwanted && options.unwanted->stopped()) {
      co_return failure(protocol::ErrorCode::kNetworkException, "The request is not wanted any more");
    }
    auto reply = co_await link->connection->call(request, link->version, timeout_of(options));
    if (!reply) co_return std::unexpected(failure_of(reply.error(), node));
    co_return Reply<typename Request::Response>{std::move(reply->bytes), std::move(reply->message), link->version,
                                                node};
  }
  // One attempt on whichever node is at hand: a connected one, else one that is not backing off.
  template <typename Request>
  runtime::Task<Answer<Reply<typename Request::Response>>> send_any(Request request, CallOptions options = {}) {
    const Answer<std::int32_t> node = co_await any_node();
    if (!node) co_return std::unexpected(node.error());
    co_return co_await send(*node, std::move(request), options);
  }
  // Without an answer (Produce with acks=0): done when it has been written.
  template <typename Request>
  runtime::Task<Answer<>> send_only(std::int32_t node, Request request, CallOptions options = {}) {
    const auto pass = gate_.enter();
    auto link = co_await open(node, range_of<Request>(options), Request::kName);
    if (!link) co_return std::unexpected(std::move(link).error());
    const auto sent = co_await link->connection->send_only(request, link->version);
    if (!sent) co_return std::unexpected(failure_of(sent.error(), node));
    co_return Answer<>{};
  }

  // Repeats `attempt` (() -> Task<Answer<T>>) while it fails retriably, with backoff, for at most `timeout_ms`.
  template <typename Attempt>
  std::invoke_result_t<Attempt&> retry(std::int64_t timeout_ms, Attempt attempt) {
    Backoff backoff(config_.retry_backoff_ms, config_.retry_backoff_max_ms, shard_->random());
    const std::int64_t deadline_ms = now().ms() + timeout_ms;
    for (;;) {
      auto answer = co_await attempt();
      if (answer || !answer.error().is_retriable() || closed()) co_return answer;
      const std::int64_t wait_ms = backoff.next_ms();
      if (now().ms() + wait_ms >= deadline_ms) {
        co_return failure(protocol::ErrorCode::kRequestTimedOut, give_up(timeout_ms, answer.error()));
      }
      co_await runtime::sleep_for(std::chrono::milliseconds(wait_ms), &stop_);
    }
  }

  // Asks for these topics (nothing: all). Updates metadata(). One attempt.
  [[nodiscard]] runtime::Task<Answer<>> refresh_metadata(std::optional<std::vector<std::string>> topics,
                                                         bool allow_auto_create = false);
  // The topic as it is known, or as a refresh finds it; repeats until it exists and every partition it is asked for has
  // a leader, or the time is over. The pointer is valid until the next wait.
  [[nodiscard]] runtime::Task<Answer<const TopicInfo*>> topic(std::string name, std::int64_t timeout_ms,
                                                              bool allow_auto_create = false);
  // What is known may be wrong: the next topic() asks again.
  void forget_topic(std::string_view name) { metadata_.topics.erase(std::string(name)); }
  // True once metadata.max.age.ms have passed since the last refresh.
  [[nodiscard]] bool metadata_is_old() const;

  // The way to a group's or transactional id's coordinator, from memory or by asking. One attempt. It is a connection
  // of its own, beside that to the node: a parked fetch would hold back heartbeats. node_of() gives the node's id.
  [[nodiscard]] runtime::Task<Answer<std::int32_t>> coordinator(CoordinatorType type, std::string key);
  [[nodiscard]] static constexpr std::int32_t node_of(std::int32_t way) {
    return way > kMaxNode ? INT32_MAX - way : way;
  }
  void forget_coordinator(CoordinatorType type, std::string_view key);

  // Cuts the connection to a node; what waits on it fails. The next call makes another.
  [[nodiscard]] runtime::Task<void> disconnect(std::int32_t node);
  // What a node supports; connects when needed. Nothing for an API it does not have.
  [[nodiscard]] runtime::Task<Answer<std::optional<VersionRange>>> versions(std::int32_t node, std::int16_t api_key);
  // A node that can be talked to, for requests that any node answers; negative ids are bootstrap servers.
  [[nodiscard]] runtime::Task<Answer<std::int32_t>> any_node();
  // Where controllers are spoken to, the active one; else any broker, which forwards. One attempt.
  [[nodiscard]] runtime::Task<Answer<std::int32_t>> controller();
  [[nodiscard]] bool closed() const { return stop_.stopped(); }
  [[nodiscard]] runtime::StopSource& stop() { return stop_; }

  // A failure of the connection to `node` in Kafka's words.
  [[nodiscard]] static KafkaError failure_of(const Error& error, std::int32_t node);

 private:
  struct Link {
    std::shared_ptr<transport::ClientConnection> connection;
    std::int16_t version = 0;
  };
  struct Wanted {
    std::int16_t api_key;
    VersionRange versions;
  };

  template <typename Request>
  [[nodiscard]] static Wanted range_of(const CallOptions& options) {
    return {Request::kApiKey,
            {std::max(Request::kMinVersion, options.min_version), std::min(Request::kMaxVersion, options.max_version)}};
  }
  [[nodiscard]] runtime::Duration timeout_of(const CallOptions& options) const {
    return std::chrono::milliseconds(options.timeout_ms > 0 ? options.timeout_ms : config_.request_timeout_ms);
  }
  // Connects when needed and chooses the newest version that both sides know.
  [[nodiscard]] runtime::Task<Answer<Link>> open(std::int32_t node, Wanted wanted, std::string_view name);
  [[nodiscard]] Answer<std::shared_ptr<NodeConnection>> connection(std::int32_t node);
  [[nodiscard]] runtime::Task<Answer<>> refresh_controllers();
  [[nodiscard]] std::vector<std::int32_t> candidates() const;
  [[nodiscard]] std::string give_up(std::int64_t timeout_ms, const KafkaError& last) const;

  runtime::Shard* shard_;
  ClientConfig config_;
  ClusterMetadata metadata_;
  std::optional<runtime::MonotonicTime> refreshed_at_;
  std::map<std::int32_t, std::shared_ptr<NodeConnection>> connections_;
  static constexpr std::int32_t kMaxNode = INT32_MAX / 2;
  [[nodiscard]] static constexpr std::int32_t coordinator_way(std::int32_t node) { return INT32_MAX - node; }

  std::map<std::pair<CoordinatorType, std::string>, std::int32_t> coordinators_;
  std::map<std::int32_t, runtime::Endpoint> coordinator_nodes_;  // by way
  runtime::StopSource stop_;
  runtime::Gate gate_;
};

}  // namespace dohle::client
