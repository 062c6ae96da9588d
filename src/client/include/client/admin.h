// Admin: the calls of Kafka's AdminClient, thin: protocol messages go in and come out. What any broker answers goes
// through call(); what only some node answers has a function that finds it, splits the request and joins the answers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <base/ids.h>
#include <client/cluster.h>
#include <protocol/messages/delete_records_response.h>
#include <protocol/messages/describe_configs_request.h>
#include <protocol/messages/describe_configs_response.h>
#include <protocol/messages/describe_log_dirs_request.h>
#include <protocol/messages/describe_log_dirs_response.h>
#include <protocol/messages/describe_producers_response.h>
#include <protocol/messages/incremental_alter_configs_request.h>
#include <protocol/messages/incremental_alter_configs_response.h>
#include <protocol/messages/list_groups_request.h>
#include <protocol/messages/list_groups_response.h>
#include <protocol/messages/metadata_response.h>

namespace dohle::client {

// ListOffsets' special timestamps.
inline constexpr std::int64_t kLatestTimestamp = -1;
inline constexpr std::int64_t kEarliestTimestamp = -2;
inline constexpr std::int64_t kMaxTimestamp = -3;
inline constexpr std::int64_t kEarliestLocalTimestamp = -4;
inline constexpr std::int64_t kLatestTieredTimestamp = -5;
inline constexpr std::int64_t kEarliestPendingUploadTimestamp = -6;

enum class IsolationLevel : std::int8_t { kReadUncommitted = 0, kReadCommitted = 1 };

struct ListedOffset {
  std::int64_t offset = -1;
  std::int64_t timestamp = -1;
  std::int32_t leader_epoch = -1;
};

struct CommittedOffset {
  std::int64_t offset = -1;  // -1: none is committed
  std::int32_t leader_epoch = -1;
  std::string metadata;
};

template <typename T>
using PerPartition = std::map<TopicPartition, Answer<T>>;
template <typename T>
using PerNode = std::map<std::int32_t, Answer<T>>;

class Admin {
 public:
  explicit Admin(Cluster& cluster) : cluster_(&cluster) {}
  [[nodiscard]] Cluster& cluster() { return *cluster_; }

  // For what any broker answers or forwards to the controller: topics, partitions, configurations of topics, quotas,
  // ACLs, SCRAM, features, reassignments, elections, quorum, brokers, transactions' listing per broker aside. Repeats
  // while it fails, or while the answer's own error code is retriable, for default.api.timeout.ms. Errors of single
  // items inside the answer are left to the caller.
  template <typename Request>
  runtime::Task<Answer<Reply<typename Request::Response>>> call(Request request, CallOptions options = {}) {
    using Out = Answer<Reply<typename Request::Response>>;
    co_return co_await cluster_->retry(timeout_ms(), [&]() -> runtime::Task<Out> {
      const Answer<std::int32_t> node = co_await cluster_->controller();
      if (!node) co_return std::unexpected(node.error());
      Out answer = co_await cluster_->send(*node, request, options);
      co_return check_top_level(std::move(answer));
    });
  }
  // The same on one node.
  template <typename Request>
  runtime::Task<Answer<Reply<typename Request::Response>>> call_node(std::int32_t node, Request request,
                                                                     CallOptions options = {}) {
    using Out = Answer<Reply<typename Request::Response>>;
    co_return co_await cluster_->retry(timeout_ms(), [&]() -> runtime::Task<Out> {
      if (const auto known = co_await know_nodes(); !known) co_return std::unexpected(known.error());
      Out answer = co_await cluster_->send(node, request, options);
      co_return check_top_level(std::move(answer));
    });
  }
  // On the coordinator of a group or transactional id. `retriable(body)` says whether the answer's errors ask for
  // another try (NOT_COORDINATOR and its kin); the coordinator is then looked up anew.
  template <typename Request, typename Retriable>
  runtime::Task<Answer<Reply<typename Request::Response>>> call_coordinator(CoordinatorType type, std::string key,
                                                                            Request request, Retriable asks_again,
                                                                            CallOptions options = {}) {
    using Out = Answer<Reply<typename Request::Response>>;
    co_return co_await cluster_->retry(timeout_ms(), [&]() -> runtime::Task<Out> {
      const Answer<std::int32_t> node = co_await cluster_->coordinator(type, key);
      if (!node) co_return std::unexpected(node.error());
      Out answer = co_await cluster_->send(*node, request, options);
      if (!answer) {
        cluster_->forget_coordinator(type, key);
        co_return answer;
      }
      if (const std::int16_t code = asks_again(answer->body); is_coordinator_error(code)) {
        cluster_->forget_coordinator(type, key);
        co_return failure(code);
      }
      co_return answer;
    });
  }

  // Refreshes Cluster::metadata(): of all topics, or of these.
  [[nodiscard]] runtime::Task<Answer<>> refresh_metadata(std::optional<std::vector<std::string>> topics = {});
  // The whole answer, authorized operations included.
  [[nodiscard]] runtime::Task<Answer<Reply<protocol::MetadataResponse>>> describe_topics(
      std::optional<std::vector<std::string>> topics);
  // Ids of all brokers, ascending.
  [[nodiscard]] runtime::Task<Answer<std::vector<std::int32_t>>> brokers();

  // BROKER and BROKER_LOGGER resources with a name go to that broker, all others to any.
  [[nodiscard]] runtime::Task<Answer<std::vector<Reply<protocol::DescribeConfigsResponse>>>> describe_configs(
      protocol::DescribeConfigsRequest request);
  [[nodiscard]] runtime::Task<Answer<std::vector<Reply<protocol::IncrementalAlterConfigsResponse>>>>
  incremental_alter_configs(protocol::IncrementalAlterConfigsRequest request);

  // Offsets at timestamps (ms, or one of the special ones); asked of the leaders.
  [[nodiscard]] runtime::Task<PerPartition<ListedOffset>> list_offsets(
      std::map<TopicPartition, std::int64_t> timestamps, IsolationLevel isolation = IsolationLevel::kReadUncommitted);
  // Deletes what lies before the offsets (-1: the high watermark). The value is the new low watermark.
  [[nodiscard]] runtime::Task<PerPartition<std::int64_t>> delete_records(std::map<TopicPartition, std::int64_t> before);
  [[nodiscard]] runtime::Task<PerNode<Reply<protocol::DescribeLogDirsResponse>>> describe_log_dirs(
      std::vector<std::int32_t> nodes, protocol::DescribeLogDirsRequest request);

  // Asked of every broker: each knows the groups it coordinates.
  [[nodiscard]] runtime::Task<PerNode<Reply<protocol::ListGroupsResponse>>> list_groups(
      protocol::ListGroupsRequest request);
  // All committed offsets of a group, or of these partitions.
  [[nodiscard]] runtime::Task<Answer<PerPartition<CommittedOffset>>> list_group_offsets(
      std::string group, std::optional<std::vector<TopicPartition>> partitions, bool require_stable = false);
  // For a group without members.
  [[nodiscard]] runtime::Task<Answer<PerPartition<void>>> alter_group_offsets(
      std::string group, std::map<TopicPartition, CommittedOffset> offsets);

 private:
  [[nodiscard]] std::int64_t timeout_ms() const { return cluster_->config().default_api_timeout_ms; }
  [[nodiscard]] static bool is_coordinator_error(std::int16_t code);
  // Makes sure that node ids have endpoints.
  [[nodiscard]] runtime::Task<Answer<>> know_nodes();
  // The leaders of partitions, known or asked for; those that cannot be found are answered with their error.
  template <typename T>
  runtime::Task<std::map<std::int32_t, std::vector<TopicPartition>>> by_leader(std::vector<TopicPartition> partitions,
                                                                               PerPartition<T>& out);
  // Asks the leader of each partition, again while some have no answer: ask(leader, partitions, out) is a task.
  template <typename T, typename Ask>
  runtime::Task<PerPartition<T>> ask_leaders(std::vector<TopicPartition> wanted, Ask ask);
  // One request to a leader; value(partition of the answer) is what it says.
  template <typename T, typename Request, typename Value>
  runtime::Task<void> ask_leader(std::int32_t leader, std::vector<TopicPartition> partitions, Request request,
                                 Value value, PerPartition<T>& out);

  // An answer whose own error code is retriable becomes a failure, so that it is tried again.
  template <typename T>
  static Answer<Reply<T>> check_top_level(Answer<Reply<T>> answer) {
    if constexpr (requires { answer->body.error_code; }) {
      if (answer && protocol::is_retriable(protocol::error_code_from(answer->body.error_code))) {
        return failure(answer->body.error_code);
      }
    }
    return answer;
  }

  Cluster* cluster_;
};

}  // namespace dohle::client
