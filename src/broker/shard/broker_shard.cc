#include "shard/broker_shard.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <base/log.h>
#include <runtime/start_all.h>
#include <storage/log_manager.h>

#include "dispatch/handler_table.h"
#include "shard/broker.h"

namespace dohle::broker {
namespace {

constexpr std::chrono::seconds kMakeLogsAgain{2};

std::vector<BrokerId> to_brokers(const std::vector<std::int32_t>& ids) {
  std::vector<BrokerId> out;
  for (const std::int32_t id : ids) out.emplace_back(id);
  return out;
}

}  // namespace

BrokerShard::BrokerShard(Parts parts)
    : parts_(std::move(parts)),
      fetch_sessions_(parts_.fetch_session_slots, parts_.shard.id(), parts_.broker.shard_count(),
                      parts_.shard.random()),
      topic_creator_(parts_.broker.controller(), parts_.topic_shape, parts_.broker.settings().request_timeout_ms),
      producer_ids_(parts_.broker),
      directory_assigner_(parts_.broker),
      metrics_(handler_table().size()) {}

std::expected<PartitionRef, protocol::ErrorCode> BrokerShard::leader_of(const TopicIdPartition& id) const {
  using protocol::ErrorCode;
  const auto at = partitions_.find(id);
  if (at == partitions_.end()) {
    if (without_log_.contains(id)) return std::unexpected(ErrorCode::kKafkaStorageError);
    return std::unexpected(image()->topics().find(id) == nullptr ? ErrorCode::kUnknownTopicOrPartition
                                                                 : ErrorCode::kNotLeaderOrFollower);
  }
  if (!at->second->is_leader()) return std::unexpected(ErrorCode::kNotLeaderOrFollower);
  return at->second;
}

void BrokerShard::start() { parts_.metadata.add_listener(this); }

runtime::SettledClock& BrokerShard::settled_clock() { return parts_.logs.settled_clock(); }

runtime::Task<void> BrokerShard::settled() {
  const auto pass = gate_.enter();
  const auto hold = co_await in_order_.lock();
}

void BrokerShard::on_metadata_update(const metadata::MetadataUpdate& update) { runtime::spawn(carry_out(update)); }

runtime::Task<void> BrokerShard::carry_out(metadata::MetadataUpdate update) {
  const auto pass = gate_.enter();
  const auto hold = co_await in_order_.lock();
  // What goes makes way for what comes: a new topic waits for the old one of its name, on whichever shard it lives.
  for (const bool goes : {true, false}) {
    std::vector<TopicIdPartition> due;
    for (const auto& [topic, partitions] : update.changes->topics) {
      if ((update.image->topics().find(topic) == nullptr) != goes) continue;
      for (const std::int32_t partition : partitions) {
        const TopicIdPartition id{topic, partition};
        if (parts_.broker.shard_of(id) == parts_.shard.id()) due.push_back(id);
      }
    }
    co_await apply_partitions(*update.image, due);
  }
  carried_out_ = update.image;
  apply_configs(update);
  tell_deleted_topics(update);
}

// Many at once, so that they share the disk's syncs and nobody waits for the files of one before those of the next.
runtime::Task<void> BrokerShard::apply_partitions(const metadata::MetadataImage& image,
                                                  std::span<const TopicIdPartition> due) {
  constexpr std::size_t kTogether = 256;
  while (!due.empty()) {
    std::vector<runtime::Task<runtime::Unit>> together;
    for (const auto& id : due.first(std::min(kTogether, due.size()))) together.push_back(apply_partition(image, id));
    due = due.subspan(together.size());
    co_await runtime::start_all(std::move(together));
  }
}

runtime::Task<runtime::Unit> BrokerShard::apply_partition(const metadata::MetadataImage& image, TopicIdPartition id) {
  const auto* registration = image.topics().find(id);
  const std::int32_t self = parts_.broker.id().value();
  if (registration == nullptr || !registration->is_replica(self)) {
    without_log_.erase(id);
    co_await remove(id);
    co_return runtime::Unit{};
  }
  const auto* topic = image.topics().find(id.topic);
  auto partition = co_await replica(image, id, topic->name, registration->directory(self));
  if (!partition) {
    const bool is_news = without_log_.insert(id).second;
    if (is_news) log::error("broker", "No log for {}-{} yet: {}", topic->name, id.partition, partition.error().message);
    if (!std::exchange(making_logs_, true)) runtime::spawn(make_missing_logs());
    co_return runtime::Unit{};
  }
  without_log_.erase(id);
  // Null: the topic is gone, and an update will say so.
  if (*partition) apply_leadership(*partition, *registration);
  co_return runtime::Unit{};
}

runtime::Task<void> BrokerShard::make_missing_logs() {
  const auto pass = gate_.enter();
  while (!without_log_.empty() && co_await runtime::sleep_for(kMakeLogsAgain, &stop_)) {
    const auto hold = co_await in_order_.lock();
    // Not the newest image: a log may wait for another shard's to go, and all shards go through the updates in order.
    const auto known = carried_out_;
    for (const auto& id : std::set(without_log_)) co_await apply_partition(*known, id);
  }
  making_logs_ = false;
}

runtime::Task<Result<PartitionRef>> BrokerShard::replica(const metadata::MetadataImage& image,
                                                         const TopicIdPartition& id, const std::string& topic,
                                                         const Uuid& directory) {
  if (const auto at = partitions_.find(id); at != partitions_.end()) co_return at->second;
  const auto wanted = metadata::is_reserved_directory(directory) ? std::nullopt : std::optional(directory);
  const storage::LogConfig config = log_config(image, topic);
  DOHLE_CO_ASSIGN(storage::Log* const log, co_await parts_.logs.get_or_create({topic, id.partition}, id.topic, config,
                                                                              wanted, image.last_offset()));
  if (log == nullptr) co_return PartitionRef();
  log->update_config(config);
  auto partition = std::make_shared<replication::Partition>(id, topic, parts_.broker.id(), *log);
  partitions_.emplace(id, partition);
  const auto* placed = parts_.logs.directory_of({topic, id.partition});
  if (placed != nullptr && placed->id() != directory) directory_assigner_.assigned(id, placed->id());
  co_return partition;
}

const storage::LogConfig& BrokerShard::log_config(const metadata::MetadataImage& image, const std::string& topic) {
  if (!last_config_ || last_config_->topic != topic || last_config_->known_at != image.last_offset()) {
    last_config_ = {.topic = topic, .known_at = image.last_offset(), .config = parts_.log_config(image, topic)};
  }
  return last_config_->config;
}

void BrokerShard::apply_leadership(const PartitionRef& partition, const metadata::PartitionRegistration& registration) {
  const bool led = partition->is_leader();
  const LeaderEpoch old_epoch = partition->leader_epoch();
  if (registration.leader != parts_.broker.id().value()) {
    partition->stop_leading();
    if (led && leadership_ != nullptr) leadership_->on_stopped_leading(partition->topic(), partition->id().partition);
    return;
  }
  const auto result = partition->lead({.epoch = LeaderEpoch(registration.leader_epoch),
                                       .partition_epoch = registration.partition_epoch,
                                       .replicas = to_brokers(registration.replicas),
                                       .isr = to_brokers(registration.isr)});
  if (!result) {
    log::error("broker", "Cannot lead {}-{}: {}", partition->topic(), partition->id().partition,
               result.error().message);
    return;
  }
  const bool news = !led || old_epoch != partition->leader_epoch();
  if (news && leadership_ != nullptr) leadership_->on_leading(partition);
}

runtime::Task<void> BrokerShard::remove(const TopicIdPartition& id) {
  auto node = partitions_.extract(id);
  if (!node) co_return;
  const PartitionRef partition = node.mapped();
  if (partition->is_leader() && leadership_ != nullptr)
    leadership_->on_stopped_leading(partition->topic(), id.partition);
  co_await partition->close({Errc::kUnknownTopicOrPartition, "the topic was deleted"});
  const auto removed = co_await parts_.logs.remove({partition->topic(), id.partition});
  if (!removed) log::error("broker", "Removing {}-{}: {}", partition->topic(), id.partition, removed.error().message);
}

void BrokerShard::apply_configs(const metadata::MetadataUpdate& update) {
  const auto& changed = update.changes->configs;
  const bool everywhere = std::ranges::any_of(
      changed, [](const auto& resource) { return resource.type == metadata::ConfigResourceType::kBroker; });
  if (changed.empty()) return;
  for (const auto& [id, partition] : partitions_) {
    if (!everywhere && !changed.contains({metadata::ConfigResourceType::kTopic, partition->topic()})) continue;
    partition->log().update_config(log_config(*update.image, partition->topic()));
    partition->on_config_changed();
  }
}

void BrokerShard::tell_deleted_topics(const metadata::MetadataUpdate& update) {
  std::vector<TopicId> ids;
  std::vector<std::string> names;
  for (const auto& [id, partitions] : update.changes->topics) {
    const auto* before = update.previous->topics().find(id);
    if (before == nullptr || update.image->topics().find(id) != nullptr) continue;
    metrics_.forget(id);
    ids.push_back(id);
    names.push_back(before->name);
  }
  if (!ids.empty() && leadership_ != nullptr) leadership_->on_topics_deleted(ids, names);
}

void BrokerShard::on_directory_failed(const std::string& path, const Error& error) {
  for (const auto& [id, partition] : partitions_) {
    if (partition->log().path().starts_with(path + "/")) partition->fail_storage(error);
  }
}

runtime::Task<void> BrokerShard::close() {
  parts_.metadata.remove_listener(this);
  stop_.stop();
  co_await topic_creator_.close();
  co_await directory_assigner_.close();
  co_await gate_.wait_empty();
  for (auto& [id, partition] : partitions_) {
    co_await partition->close({Errc::kNotLeader, "the broker is stopping"});
  }
  partitions_.clear();
}

}  // namespace dohle::broker
