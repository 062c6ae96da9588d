#include "groups/shard_groups.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <variant>

#include "shard/broker.h"

namespace dohle::broker {
namespace {

// How soon a wait for the high watermark notices that the coordinator stops.
constexpr std::chrono::milliseconds kLookAgain{200};

// The fragments as one slice. Their pages are warm: read_cold has seen to it.
Result<Slice> gather(const runtime::Fragments& fragments) {
  if (fragments.size() == 1) {
    if (const auto* slice = std::get_if<Slice>(&fragments.front())) return *slice;
  }
  auto [all, into] = Slice::allocate(runtime::size_of(fragments));
  std::size_t at = 0;
  for (const auto& fragment : fragments) {
    const MutableBytes part = into.subspan(at, runtime::size_of(fragment));
    if (const auto* slice = std::get_if<Slice>(&fragment)) {
      std::memcpy(part.data(), slice->bytes().data(), part.size());
    } else {
      const auto& range = std::get<runtime::FileRange>(fragment);
      DOHLE_ASSIGN(const std::size_t got, range.file->read_at(range.offset, part));
      if (got != part.size()) return fail(Errc::kIo, "a segment ends before its index says");
    }
    at += part.size();
  }
  return all;
}

}  // namespace

ShardGroups::ShardGroups(BrokerShard& here, const coordinator::GroupConfig& config)
    : here_(here),
      default_partitions_(config.offsets_topic_partitions),
      coordinator_(here.shard(), *this, here.settled_clock(), config) {
  here.set_leadership_listener(this);
  here.set_groups(this);
}

void ShardGroups::connect(runtime::Shards& shards, std::vector<coordinator::GroupCoordinator*> coordinators) {
  router_.emplace(shards, std::move(coordinators),
                  coordinator::GroupPlacement{
                      .partitions = [this] { return partition_count(); },
                      .shard_of = [this](std::int32_t partition) { return shard_of(partition); },
                  });
}

std::int32_t ShardGroups::partition_count() const {
  const auto* topic = here_.image()->topics().find(kConsumerOffsetsTopic);
  const auto count = topic == nullptr ? 0 : static_cast<std::int32_t>(topic->partitions.size());
  return count > 0 ? count : default_partitions_;
}

std::size_t ShardGroups::shard_of(std::int32_t partition) const {
  const auto* topic = here_.image()->topics().find(kConsumerOffsetsTopic);
  return topic == nullptr ? here_.shard().id() : here_.broker().shard_of({topic->id, partition});
}

runtime::Task<std::vector<coordinator::CommittedPosition>> ShardGroups::committed_positions() {
  std::vector<coordinator::CommittedPosition> out;
  for (std::int32_t partition = 0; partition < partition_count(); ++partition) {
    if (!led_.contains(partition)) continue;
    std::ranges::move(coordinator_.committed_positions(partition), std::back_inserter(out));
    co_await runtime::yield();
  }
  co_return out;
}

runtime::Task<void> ShardGroups::stop() {
  stopping_ = true;
  co_await coordinator_.stop();
}

void ShardGroups::on_leading(const PartitionRef& partition) {
  if (partition->topic() != kConsumerOffsetsTopic) return;
  led_[partition->id().partition] = partition;
  coordinator_.elected(partition->id().partition, partition->leader_epoch());
}

void ShardGroups::on_stopped_leading(const std::string& topic, std::int32_t partition) {
  if (topic != kConsumerOffsetsTopic) return;
  coordinator_.resigned(partition, std::nullopt);
  led_.erase(partition);
}

void ShardGroups::on_topics_deleted(const std::vector<TopicId>& ids, const std::vector<std::string>& names) {
  std::vector<coordinator::DeletedTopic> deleted;
  for (std::size_t i = 0; i < ids.size(); ++i) deleted.push_back({names[i], ids[i]});
  coordinator_.topics_deleted(deleted);
}

Result<PartitionRef> ShardGroups::led(std::int32_t partition) const {
  const auto at = led_.find(partition);
  if (at == led_.end()) return fail(Errc::kNotLeader, "this broker does not lead the partition");
  return at->second;
}

runtime::Task<Result<Offset>> ShardGroups::append(std::int32_t partition, LeaderEpoch epoch, Slice batch) {
  DOHLE_CO_ASSIGN(const PartitionRef leader, led(partition));
  if (leader->leader_epoch() != epoch) co_return fail(Errc::kFencedEpoch, "the partition has another leader epoch");
  const storage::AppendOptions options{.origin = storage::AppendOrigin::kCoordinator};
  auto appended = leader->append(batch, true, options);
  if (!appended && appended.error().error.code == Errc::kWouldBlock) {
    appended = co_await leader->append_waiting(std::move(batch), true, options);
  }
  if (!appended) co_return fail(std::move(appended.error().error));
  here_.metrics().appended(leader->id().topic, appended->record_count, appended->bytes);
  co_return appended->last_offset;
}

runtime::Task<Result<>> ShardGroups::wait_committed(std::int32_t partition, Offset last) {
  // The coordinator has time-outs of its own; a high watermark that stands still must only not hold up its end.
  while (!stopping_) {
    DOHLE_CO_ASSIGN(const PartitionRef leader, led(partition));
    auto reached = co_await leader->wait_high_watermark(last.next(), kLookAgain);
    if (reached || reached.error().code != Errc::kTimedOut) co_return reached;
  }
  co_return fail(Errc::kClosed, "the coordinator stops");
}

runtime::Task<Result<coordinator::PartitionWriter::Chunk>> ShardGroups::read(std::int32_t partition, Offset from,
                                                                             std::size_t max_bytes) {
  DOHLE_CO_ASSIGN(const PartitionRef leader, led(partition));
  storage::Log& log = leader->log();
  const Offset start = std::max(from, log.log_start());
  if (start >= log.log_end()) co_return Chunk{Slice(), log.log_end()};
  DOHLE_CO_ASSIGN(const auto read, co_await log.read_cold(start, {.max_bytes = static_cast<std::uint32_t>(max_bytes)}));
  DOHLE_CO_ASSIGN(Slice batches, gather(read.records));
  co_return Chunk{std::move(batches), log.log_end()};
}

}  // namespace dohle::broker
