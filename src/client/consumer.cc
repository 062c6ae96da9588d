#include <client/consumer.h>

#include <algorithm>
#include <set>
#include <utility>

#include <base/log.h>
#include <fmt/core.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>
#include <runtime/sync.h>

#include "alarm.h"
#include "fetcher.h"
#include "group_membership.h"

namespace dohle::client {

using protocol::ErrorCode;
using runtime::Task;

namespace {

constexpr std::int16_t kLastOffsetCommitByName = 9;
// How long a rebalance waits for the offsets of what is let go.
constexpr std::int64_t kRevokeCommitMs = 5'000;

std::vector<TopicPartition> without(std::vector<TopicPartition> all, const std::vector<TopicPartition>& some) {
  std::erase_if(all, [&](const auto& partition) { return std::ranges::find(some, partition) != some.end(); });
  return all;
}

}  // namespace

class Consumer::Impl {
 public:
  Impl(Cluster& cluster, ConsumerConfig config)
      : cluster_(cluster),
        config_(std::move(config)),
        admin_(cluster),
        fetcher_(cluster, config_, [this] { alarm_.ring(); }) {
    const auto& strategies = config_.partition_assignment_strategy;
    cooperative_ = std::ranges::all_of(strategies, is_cooperative);
    if (config_.group_id) group_.emplace(cluster, config_, [this] { alarm_.ring(); });
  }

  void subscribe(std::vector<std::string> topics, RebalanceListener listener);
  void subscribe_matching(std::function<bool(std::string_view)> matches, RebalanceListener listener);
  void assign(std::vector<TopicPartition> partitions);
  Task<void> unsubscribe();
  Task<Answer<ConsumerRecords>> poll(std::int64_t timeout_ms);
  Task<Answer<std::int64_t>> position(TopicPartition partition, std::int64_t timeout_ms);
  Task<Answer<>> commit(Offsets offsets, std::int64_t timeout_ms);
  [[nodiscard]] Offsets positions() const;
  Task<void> close();

  [[nodiscard]] Fetcher& fetcher() { return fetcher_; }
  [[nodiscard]] Admin& admin() { return admin_; }
  [[nodiscard]] const ConsumerConfig& config() const { return config_; }
  [[nodiscard]] Cluster& cluster() { return cluster_; }
  void wakeup() {
    woken_ = true;
    alarm_.ring();
  }
  [[nodiscard]] Membership membership() const { return group_ ? group_->identity() : Membership{}; }

 private:
  [[nodiscard]] bool in_group() const { return group_ && subscribed_; }
  [[nodiscard]] std::int64_t now_ms() const { return cluster_.now().ms(); }
  Task<Answer<>> work_for_group();
  Task<Answer<>> prepare_join();
  Answer<> finish_join(Answer<std::vector<TopicPartition>> outcome);
  void lose_everything();
  void watch_topics();
  Task<void> refresh_topics();
  Task<Answer<>> find_topics();
  void auto_commit_now_and_then();
  Task<void> auto_commit();
  Task<Answer<>> commit_once(const Offsets& offsets);

  Cluster& cluster_;
  ConsumerConfig config_;
  Admin admin_;
  Alarm alarm_;
  Fetcher fetcher_;
  std::optional<GroupMembership> group_;
  bool cooperative_ = false;
  bool subscribed_ = false;
  std::vector<std::string> topics_;
  std::function<bool(std::string_view)> matches_;
  RebalanceListener listener_;
  std::vector<TopicPartition> owned_before_;  // for sticky eager assignors, which let go before they join
  std::optional<runtime::MonotonicTime> topics_found_at_;
  bool refreshing_topics_ = false;
  std::int64_t next_auto_commit_ms_ = 0;
  bool auto_committing_ = false;
  bool woken_ = false;
  bool closed_ = false;
  runtime::Gate gate_;
};

// --- subscription

void Consumer::Impl::subscribe(std::vector<std::string> topics, RebalanceListener listener) {
  DOHLE_CHECK(group_.has_value());
  std::ranges::sort(topics);
  topics_ = std::move(topics);
  matches_ = {};
  listener_ = std::move(listener);
  subscribed_ = true;
  group_->request_join("the subscription has changed");
}

void Consumer::Impl::subscribe_matching(std::function<bool(std::string_view)> matches, RebalanceListener listener) {
  subscribe({}, std::move(listener));
  matches_ = std::move(matches);
  topics_found_at_.reset();
}

void Consumer::Impl::assign(std::vector<TopicPartition> partitions) {
  subscribed_ = false;
  fetcher_.set_partitions(partitions);
  alarm_.ring();
}

Task<void> Consumer::Impl::unsubscribe() {
  const auto pass = gate_.enter();
  const auto owned = fetcher_.partitions();
  if (in_group()) {
    if (config_.enable_auto_commit) (void)co_await commit(positions(), kRevokeCommitMs);
    if (!owned.empty()) listener_.revoked(owned);
    co_await group_->leave("the consumer unsubscribed from all topics");
  }
  subscribed_ = false;
  topics_.clear();
  matches_ = {};
  fetcher_.set_partitions({});
}

// The topics a pattern stands for now.
Task<Answer<>> Consumer::Impl::find_topics() {
  auto refreshed = co_await cluster_.refresh_metadata(std::nullopt);
  if (!refreshed) co_return refreshed;
  std::vector<std::string> found;
  for (const auto& [name, topic] : cluster_.metadata().topics) {
    if (topic.error == ErrorCode::kNone && matches_(name)) found.push_back(name);
  }
  topics_found_at_ = cluster_.now();
  if (found == topics_) co_return Answer<>{};
  topics_ = std::move(found);
  group_->request_join("the topics that match the pattern have changed");
  co_return Answer<>{};
}

// New topics for a pattern, new partitions for a leader: either asks for a rebalance.
void Consumer::Impl::watch_topics() {
  if (const auto& led = group_->led_topics()) {
    for (const auto& [name, count] : *led) {
      const TopicInfo* topic = cluster_.metadata().topic(name);
      if (topic == nullptr || topic->error != ErrorCode::kNone) continue;
      if (static_cast<std::int32_t>(topic->partitions.size()) != count && !group_->needs_join() &&
          !group_->is_joining()) {
        group_->request_join("the number of partitions has changed");
      }
    }
  }
  if (refreshing_topics_) return;
  const bool pattern_is_old =
      matches_ && topics_found_at_ &&
      cluster_.now() - *topics_found_at_ > std::chrono::milliseconds(cluster_.config().metadata_max_age_ms);
  if (!pattern_is_old && !(group_->led_topics() && cluster_.metadata_is_old())) return;
  refreshing_topics_ = true;
  runtime::spawn(refresh_topics());
}

Task<void> Consumer::Impl::refresh_topics() {
  const auto pass = gate_.enter();
  if (matches_)
    (void)co_await find_topics();
  else
    (void)co_await cluster_.refresh_metadata(topics_);
  refreshing_topics_ = false;
  alarm_.ring();
}

// --- the group's side of poll()

void Consumer::Impl::lose_everything() {
  const auto owned = fetcher_.partitions();
  fetcher_.set_partitions({});
  owned_before_.clear();
  if (!owned.empty()) listener_.lost(owned);
}

Task<Answer<>> Consumer::Impl::work_for_group() {
  group_->heard();
  if (group_->take_expelled()) lose_everything();
  if (auto outcome = group_->take_outcome()) {
    auto finished = finish_join(std::move(*outcome));
    if (!finished) co_return finished;
  }
  if (matches_ && !topics_found_at_) {
    auto found = co_await find_topics();
    if (!found) co_return found.error().is_retriable() ? Answer<>{} : found;
  }
  watch_topics();
  if (group_->needs_join() && !group_->is_joining()) co_return co_await prepare_join();
  auto_commit_now_and_then();
  co_return Answer<>{};
}

// Eager members let go of everything before they join; cooperative ones only of topics they no longer want.
Task<Answer<>> Consumer::Impl::prepare_join() {
  if (config_.enable_auto_commit) {
    const auto committed = co_await commit(positions(), kRevokeCommitMs);
    if (!committed) {
      log::warn("client", "Group {}: offsets were not committed before the rebalance: {}", *config_.group_id,
                committed.error().message);
    }
    if (group_->take_expelled()) lose_everything();
  }
  const auto owned = fetcher_.partitions();
  std::vector<TopicPartition> dropped = owned;
  if (cooperative_) {
    std::erase_if(dropped, [this](const auto& partition) {
      return std::ranges::find(topics_, partition.topic) != topics_.end();
    });
  }
  if (!dropped.empty()) {
    listener_.revoked(dropped);
    fetcher_.set_partitions(without(owned, dropped));
  }
  if (!owned.empty()) owned_before_ = owned;
  group_->start_join(topics_, cooperative_ ? fetcher_.partitions() : owned_before_);
  co_return Answer<>{};
}

Answer<> Consumer::Impl::finish_join(Answer<std::vector<TopicPartition>> outcome) {
  if (!outcome) {
    lose_everything();
    group_->request_join("the last attempt failed");
    return std::unexpected(std::move(outcome).error());
  }
  const auto before = fetcher_.partitions();
  const auto revoked = without(before, *outcome);
  const auto added = without(*outcome, before);
  if (!revoked.empty()) listener_.revoked(revoked);
  fetcher_.set_partitions(*outcome);
  owned_before_ = *outcome;
  next_auto_commit_ms_ = now_ms() + config_.auto_commit_interval_ms;
  listener_.assigned(added);
  // Others wait for what this member has just let go.
  if (!revoked.empty()) group_->request_join("need to revoke partitions and re-join");
  return {};
}

// --- poll

Task<Answer<ConsumerRecords>> Consumer::Impl::poll(std::int64_t timeout_ms) {
  const auto pass = gate_.enter();
  const std::int64_t deadline_ms = now_ms() + timeout_ms;
  for (;;) {
    if (in_group()) {
      auto worked = co_await work_for_group();
      if (!worked) co_return std::unexpected(std::move(worked).error());
    }
    if (auto error = fetcher_.take_error()) co_return std::unexpected(std::move(*error));
    ConsumerRecords out;
    const auto taken = fetcher_.take(config_.max_poll_records, out);
    if (!taken) co_return std::unexpected(taken.error());
    fetcher_.work();
    if (!out.empty()) co_return out;
    const std::int64_t left_ms = deadline_ms - now_ms();
    if (left_ms <= 0 || std::exchange(woken_, false) || closed_) co_return out;
    // What backs off has nobody to ring for it.
    const std::int64_t nap_ms = std::min(left_ms, std::max<std::int64_t>(cluster_.config().retry_backoff_ms, 1));
    co_await alarm_.wait(cluster_.shard().executor(), std::chrono::milliseconds(nap_ms));
  }
}

Task<Answer<std::int64_t>> Consumer::Impl::position(TopicPartition partition, std::int64_t timeout_ms) {
  const auto pass = gate_.enter();
  const std::int64_t deadline_ms = now_ms() + timeout_ms;
  for (;;) {
    if (!fetcher_.has(partition))
      co_return failure(ErrorCode::kUnknownTopicOrPartition, "The partition is not assigned");
    if (const auto position = fetcher_.position(partition)) co_return position->offset;
    if (auto error = fetcher_.take_error()) co_return std::unexpected(std::move(*error));
    fetcher_.work();
    const std::int64_t left_ms = deadline_ms - now_ms();
    if (left_ms <= 0) co_return failure(ErrorCode::kRequestTimedOut);
    co_await alarm_.wait(cluster_.shard().executor(), std::chrono::milliseconds(std::min<std::int64_t>(left_ms, 100)));
  }
}

// --- offsets

Offsets Consumer::Impl::positions() const {
  Offsets out;
  for (const auto& partition : fetcher_.partitions()) {
    const auto position = fetcher_.position(partition);
    if (position) out[partition] = {position->offset, position->leader_epoch, ""};
  }
  return out;
}

void Consumer::Impl::auto_commit_now_and_then() {
  if (!config_.enable_auto_commit || auto_committing_ || now_ms() < next_auto_commit_ms_ || group_->is_joining())
    return;
  if (group_->identity().generation < 0) return;
  next_auto_commit_ms_ = now_ms() + config_.auto_commit_interval_ms;
  auto_committing_ = true;
  runtime::spawn(auto_commit());
}

Task<void> Consumer::Impl::auto_commit() {
  const auto pass = gate_.enter();
  const auto committed = co_await commit_once(positions());
  auto_committing_ = false;
  if (committed) co_return;
  log::warn("client", "Group {}: offsets were not committed: {}", *config_.group_id, committed.error().message);
  if (committed.error().is_retriable()) next_auto_commit_ms_ = now_ms() + cluster_.config().retry_backoff_ms;
}

Task<Answer<>> Consumer::Impl::commit(Offsets offsets, std::int64_t timeout_ms) {
  const auto pass = gate_.enter();
  if (!group_) co_return failure(ErrorCode::kInvalidGroupId, "To commit offsets, group.id must be set");
  if (offsets.empty()) co_return Answer<>{};
  co_return co_await cluster_.retry(timeout_ms, [&] { return commit_once(offsets); });
}

Task<Answer<>> Consumer::Impl::commit_once(const Offsets& offsets) {
  if (offsets.empty()) co_return Answer<>{};
  const auto coordinator = co_await cluster_.coordinator(CoordinatorType::kGroup, *config_.group_id);
  if (!coordinator) co_return std::unexpected(coordinator.error());
  protocol::OffsetCommitRequest request;
  request.group_id = Text(*config_.group_id);
  // Who only assigns commits as nobody's member; who was put out of the group must not look like that.
  if (subscribed_ && group_->identity().generation < 0) {
    co_return failure(ErrorCode::kUnknownMemberId, "The group has gone on without this member");
  }
  if (subscribed_) {
    request.generation_id_or_member_epoch = group_->identity().generation;
    request.member_id = Text(group_->identity().member_id);
    if (config_.group_instance_id) request.group_instance_id = Text(*config_.group_instance_id);
  }
  for (const auto& [partition, offset] : offsets) {
    if (request.topics.empty() || request.topics.back().name.get() != partition.topic) {
      request.topics.emplace_back().name = Text(partition.topic);
    }
    auto& committed = request.topics.back().partitions.emplace_back();
    committed.partition_index = partition.partition;
    committed.committed_offset = offset.offset;
    committed.committed_leader_epoch = offset.leader_epoch;
    committed.committed_metadata = Text(offset.metadata);
  }
  const auto reply = co_await cluster_.send(*coordinator, std::move(request), {.max_version = kLastOffsetCommitByName});
  if (!reply) {
    cluster_.forget_coordinator(CoordinatorType::kGroup, *config_.group_id);
    co_return std::unexpected(reply.error());
  }
  for (const auto& topic : reply->body.topics) {
    for (const auto& partition : topic.partitions) {
      const ErrorCode code = protocol::error_code_from(partition.error_code);
      if (code == ErrorCode::kNone) continue;
      if (code == ErrorCode::kNotCoordinator || code == ErrorCode::kCoordinatorNotAvailable) {
        cluster_.forget_coordinator(CoordinatorType::kGroup, *config_.group_id);
      }
      if (subscribed_) group_->note_error(code);
      co_return failure(code);
    }
  }
  co_return Answer<>{};
}

Task<void> Consumer::Impl::close() {
  {
    const auto pass = gate_.enter();
    closed_ = true;
    alarm_.ring();
    const auto owned = fetcher_.partitions();
    if (in_group()) {
      const bool member = group_->identity().generation >= 0 && !group_->is_joining();
      if (config_.enable_auto_commit && member) {
        const auto committed = co_await commit(positions(), kRevokeCommitMs);
        if (!committed) log::warn("client", "Offsets were not committed at close: {}", committed.error().message);
      }
      if (!owned.empty()) listener_.revoked(owned);
      co_await group_->leave("the consumer is being closed");
    }
    co_await fetcher_.stop();
    if (group_) co_await group_->stop();
  }
  co_await gate_.wait_empty();
}

// --- the public face

Consumer::Consumer(Cluster& cluster, ConsumerConfig config)
    : impl_(std::make_unique<Impl>(cluster, std::move(config))) {}
Consumer::~Consumer() = default;

void Consumer::subscribe(std::vector<std::string> topics, RebalanceListener listener) {
  impl_->subscribe(std::move(topics), std::move(listener));
}
void Consumer::subscribe(std::function<bool(std::string_view)> matches, RebalanceListener listener) {
  impl_->subscribe_matching(std::move(matches), std::move(listener));
}
void Consumer::assign(std::vector<TopicPartition> partitions) { impl_->assign(std::move(partitions)); }
Task<void> Consumer::unsubscribe() { return impl_->unsubscribe(); }
std::vector<TopicPartition> Consumer::assignment() const { return impl_->fetcher().partitions(); }

Task<Answer<ConsumerRecords>> Consumer::poll(std::int64_t timeout_ms) { return impl_->poll(timeout_ms); }
void Consumer::wakeup() { impl_->wakeup(); }

void Consumer::seek(const TopicPartition& partition, std::int64_t offset) { impl_->fetcher().seek(partition, offset); }
void Consumer::seek_to_beginning(const std::vector<TopicPartition>& partitions) {
  for (const auto& one : partitions.empty() ? assignment() : partitions)
    impl_->fetcher().seek_by(one, kEarliestTimestamp);
}
void Consumer::seek_to_end(const std::vector<TopicPartition>& partitions) {
  for (const auto& one : partitions.empty() ? assignment() : partitions)
    impl_->fetcher().seek_by(one, kLatestTimestamp);
}
Task<Answer<std::int64_t>> Consumer::position(TopicPartition partition, std::int64_t timeout_ms) {
  return impl_->position(std::move(partition), timeout_ms);
}
void Consumer::pause(const std::vector<TopicPartition>& partitions) {
  for (const auto& partition : partitions) impl_->fetcher().set_paused(partition, true);
}
void Consumer::resume(const std::vector<TopicPartition>& partitions) {
  for (const auto& partition : partitions) impl_->fetcher().set_paused(partition, false);
}
std::vector<TopicPartition> Consumer::paused() const { return impl_->fetcher().paused(); }
std::optional<std::int64_t> Consumer::lag(const TopicPartition& partition) const {
  return impl_->fetcher().lag(partition);
}

Task<Answer<>> Consumer::commit() {
  return impl_->commit(impl_->positions(), impl_->cluster().config().default_api_timeout_ms);
}
Task<Answer<>> Consumer::commit(Offsets offsets) {
  return impl_->commit(std::move(offsets), impl_->cluster().config().default_api_timeout_ms);
}
Task<Answer<PerPartition<CommittedOffset>>> Consumer::committed(std::vector<TopicPartition> partitions) {
  const bool stable = impl_->config().isolation_level == IsolationLevel::kReadCommitted;
  return impl_->admin().list_group_offsets(impl_->config().group_id.value_or(""), std::move(partitions), stable);
}
Task<PerPartition<ListedOffset>> Consumer::offsets_for(std::map<TopicPartition, std::int64_t> timestamps) {
  return impl_->admin().list_offsets(std::move(timestamps), impl_->config().isolation_level);
}
Consumer::Membership Consumer::membership() const { return impl_->membership(); }
Task<void> Consumer::close() { return impl_->close(); }

}  // namespace dohle::client
