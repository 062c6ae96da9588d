// Fetcher: a consumer's partitions: where each stands, what has been fetched for it, and the fetches under way: one a
// node at a time, none for a partition that still has records waiting.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <client/admin.h>
#include <client/cluster.h>
#include <client/consumer.h>
#include <client/consumer_config.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>
#include <runtime/sync.h>

#include "fetched_records.h"

namespace dohle::client {

class Fetcher {
 public:
  // `wake` is called when there is something new. All outlive the fetcher.
  Fetcher(Cluster& cluster, const ConsumerConfig& config, std::function<void()> wake)
      : cluster_(cluster), config_(config), admin_(cluster), wake_(std::move(wake)) {}

  // Exactly these from now on; what is known of those that stay is kept.
  void set_partitions(const std::vector<TopicPartition>& partitions);
  [[nodiscard]] std::vector<TopicPartition> partitions() const;
  [[nodiscard]] bool has(const TopicPartition& partition) const { return states_.contains(partition); }

  void seek(const TopicPartition& partition, std::int64_t offset);
  // Finds the position by a special timestamp when next asked to.
  void seek_by(const TopicPartition& partition, std::int64_t timestamp);
  void set_paused(const TopicPartition& partition, bool paused);
  [[nodiscard]] std::vector<TopicPartition> paused() const;
  [[nodiscard]] std::optional<ConsumerPosition> position(const TopicPartition& partition) const;
  [[nodiscard]] std::optional<std::int64_t> lag(const TopicPartition& partition) const;

  // Finds out, in the background, where partitions without a position begin: at the committed offset, else by
  // auto.offset.reset. Sends fetches to the nodes that are free. Call often.
  void work();
  // Moves records that have arrived into `out`, and the positions with them.
  [[nodiscard]] Answer<> take(std::size_t max_records, ConsumerRecords& out);
  // What the caller must decide; each once.
  [[nodiscard]] std::optional<KafkaError> take_error() { return std::exchange(error_, std::nullopt); }

  [[nodiscard]] runtime::Task<void> stop();

 private:
  struct State {
    std::optional<ConsumerPosition> position;
    std::optional<std::int64_t> reset_to;  // a special timestamp
    bool paused = false;
    bool fetching = false;
    std::uint64_t change = 0;  // counts seeks: an answer for an older position is not used
    std::optional<std::int64_t> end_offset;
    std::int32_t read_replica = kNoNode;
    runtime::MonotonicTime read_replica_until;
    runtime::MonotonicTime not_before;
    std::unique_ptr<FetchedRecords> fetched;
  };
  struct Asked {
    TopicPartition partition;
    std::int64_t offset = 0;
    std::uint64_t change = 0;
  };

  void resolve_positions();
  runtime::Task<void> resolve(std::vector<TopicPartition> partitions);
  runtime::Task<Answer<>> begin_at_committed(std::vector<TopicPartition> partitions);
  runtime::Task<Answer<>> begin_at_reset(std::vector<TopicPartition> partitions);
  void send_fetches();
  [[nodiscard]] std::int32_t node_for(State& state, const PartitionInfo& info) const;
  runtime::Task<void> fetch(std::int32_t node, std::vector<Asked> asked);
  [[nodiscard]] protocol::FetchRequest fetch_request(const std::vector<Asked>& asked, bool by_id) const;
  void take_answer(const Asked& asked, const Slice& frame, const protocol::FetchResponse::PartitionData& answer);
  void take_fetch_error(State& state, const Asked& asked, protocol::ErrorCode code);
  void refresh_metadata();
  runtime::Task<void> refresh(std::vector<std::string> topics);
  void back_off(State& state);

  Cluster& cluster_;
  const ConsumerConfig& config_;
  Admin admin_;
  std::function<void()> wake_;
  std::map<TopicPartition, State> states_;
  std::set<std::int32_t> busy_nodes_;
  std::optional<TopicPartition> last_taken_;
  std::optional<KafkaError> error_;
  bool resolving_ = false;
  bool refreshing_ = false;
  bool wants_refresh_ = false;
  runtime::MonotonicTime refresh_not_before_;
  bool stopped_ = false;
  runtime::Gate gate_;
};

}  // namespace dohle::client
