// GroupMembership: a consumer's place in a classic group: joining, syncing, leading when asked to, heartbeats, leaving.
// Works in the background; the consumer takes what came of it inside poll().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <client/assignor.h>
#include <client/cluster.h>
#include <client/consumer.h>
#include <client/consumer_config.h>
#include <protocol/messages/join_group_request.h>
#include <protocol/messages/join_group_response.h>
#include <protocol/messages/sync_group_request.h>
#include <protocol/messages/sync_group_response.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::client {

class GroupMembership {
 public:
  // `wake` is called whenever poll() has something to look at. All outlive the membership.
  GroupMembership(Cluster& cluster, const ConsumerConfig& config, std::function<void()> wake);
  ~GroupMembership();
  GroupMembership(const GroupMembership&) = delete;
  GroupMembership& operator=(const GroupMembership&) = delete;

  [[nodiscard]] bool needs_join() const { return needs_join_; }
  [[nodiscard]] bool is_joining() const { return joining_; }
  void request_join(std::string reason);
  // Starts to join with these topics; `owned` is what the member has, or had before it let go.
  void start_join(std::vector<std::string> topics, std::vector<TopicPartition> owned);
  // What a join came to: the assignment, or why it cannot be. Once per join.
  [[nodiscard]] std::optional<Answer<std::vector<TopicPartition>>> take_outcome();
  // True once after the group dropped this member: what it owned belongs to others.
  [[nodiscard]] bool take_expelled() { return std::exchange(expelled_, false); }

  // The consumer lives: called by poll().
  void heard() { last_poll_ = cluster_.now(); }
  [[nodiscard]] const Consumer::Membership& identity() const { return identity_; }
  // Topics and sizes this member assigned as leader; nothing for a follower.
  [[nodiscard]] const std::optional<PartitionCounts>& led_topics() const { return led_topics_; }
  // A commit was refused with this code: the member may be none any more.
  void note_error(protocol::ErrorCode code);

  // Leaves (static members stay until their session ends) and forgets; a join under way is dropped.
  [[nodiscard]] runtime::Task<void> leave(std::string reason);
  // Waits until nothing runs. After leave().
  [[nodiscard]] runtime::Task<void> stop();

 private:
  enum class Step : std::uint8_t { kDone, kAgain, kAgainAfterBackoff };
  runtime::Task<void> run_join(std::uint64_t ticket);
  runtime::Task<Answer<Step>> join_once(std::uint64_t ticket);
  runtime::Task<Answer<Step>> sync(std::uint64_t ticket, std::int32_t coordinator,
                                   const protocol::JoinGroupResponse& joined);
  runtime::Task<Answer<std::map<std::string, std::vector<std::uint8_t>>>> lead(
      const protocol::JoinGroupResponse& joined, Assignor assignor);
  [[nodiscard]] protocol::JoinGroupRequest join_request() const;
  [[nodiscard]] CallOptions patient_options() const;
  [[nodiscard]] Answer<Step> step_after(protocol::ErrorCode code);
  runtime::Task<void> beat(std::uint64_t ticket);
  runtime::Task<bool> beat_once(std::uint64_t ticket);
  // Ends what runs in the background.
  void outdate();
  void forget_member();
  void forget_coordinator();
  [[nodiscard]] std::optional<Text> instance_id() const;

  Cluster& cluster_;
  const ConsumerConfig& config_;
  std::function<void()> wake_;
  Consumer::Membership identity_;
  Assignor assignor_ = Assignor::kRange;
  std::vector<std::string> topics_;
  std::vector<TopicPartition> owned_;
  std::int32_t owned_generation_ = -1;
  std::string reason_;
  bool needs_join_ = true;
  bool joining_ = false;
  std::optional<std::int32_t> joins_at_;  // the way that the last join went
  bool expelled_ = false;
  std::uint64_t ticket_ = 0;  // changes when what runs in the background is outdated
  std::optional<Answer<std::vector<TopicPartition>>> outcome_;
  std::optional<PartitionCounts> led_topics_;
  runtime::MonotonicTime last_poll_;
  std::shared_ptr<runtime::StopSource> naps_;  // of the current ticket; sleepers hold it
  runtime::Gate gate_;
};

}  // namespace dohle::client
