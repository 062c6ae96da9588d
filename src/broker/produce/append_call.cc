#include "produce/append_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <base/mutant.h>
#include <protocol/error_map.h>

#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;

constexpr std::int16_t kAllReplicas = -1;

AppendOutcome refuse(ErrorCode error) {
  AppendOutcome out;
  out.error = error;
  return out;
}

// Kafka tells where the log begins unless the error is one that clients bring about every day.
bool tells_log_start(ErrorCode error) {
  switch (error) {
    case ErrorCode::kUnknownTopicOrPartition:
    case ErrorCode::kNotLeaderOrFollower:
    case ErrorCode::kMessageTooLarge:
    case ErrorCode::kRecordListTooLarge:
    case ErrorCode::kCorruptMessage:
    case ErrorCode::kKafkaStorageError:
      return false;
    default:
      return true;
  }
}

AppendOutcome refuse(storage::AppendFailure failure, Offset log_start) {
  AppendOutcome out = refuse(protocol::error_code_of(failure.error, protocol::ErrorFamily::kPartition));
  if (tells_log_start(out.error)) out.log_start = log_start;
  // In Kafka only what the validation of records says is told.
  if (!failure.record_errors.empty()) out.error_message = std::move(failure.error.message);
  out.record_errors = std::move(failure.record_errors);
  return out;
}

// What a batch may cost before other requests: about the time of a small fsync.
constexpr std::size_t kInlineBytes = std::size_t{2} << 20U;

using Appended = std::expected<storage::AppendInfo, storage::AppendFailure>;

// After what the connection sent to the partition before.
runtime::Task<Appended> append_in_turn(BrokerShard& shard, replication::Partition& partition, Slice records,
                                       bool wait_for_all, SlowAppends::Key key, bool must_wait) {
  const auto turn = co_await shard.slow_appends().turn(key);
  if (!must_wait) {
    auto appended = partition.append(records, wait_for_all, {.inline_bytes = kInlineBytes});
    if (appended || appended.error().error.code != Errc::kWouldBlock) co_return appended;
  }
  co_return co_await partition.append_waiting(std::move(records), wait_for_all);
}

runtime::Task<AppendOutcome> answer_when_reached(PartitionRef partition, Offset end, std::chrono::milliseconds timeout,
                                                AppendOutcome out) {
  const auto replicated = co_await partition->wait_high_watermark(end, timeout);
  if (!replicated) out.error = protocol::error_code_of(replicated.error(), protocol::ErrorFamily::kPartition);
  co_return out;
}

runtime::ValueTask<AppendOutcome> answer(BrokerShard& shard, const AppendItem& item, const PartitionRef& partition,
                                         Appended appended) {
  if (!appended) return refuse(std::move(appended).error(), partition->log().log_start());
  if (!appended->duplicate) shard.metrics().appended(item.id.topic, appended->record_count, appended->bytes);
  AppendOutcome out;
  out.base_offset = appended->first_offset;
  out.log_append_time_ms = appended->log_append_time;
  out.log_start = appended->log_start;
  const Offset end = appended->last_offset.next();
  if (item.acks != kAllReplicas || partition->has_reached(end) || DOHLE_MUTANT("produce.acknowledged_before_flush"))
    return out;
  if (DOHLE_MUTANT("produce.duplicate_acknowledged_early") && appended->duplicate) return out;
  return answer_when_reached(partition, end, std::chrono::milliseconds(std::max(item.timeout_ms, 0)), std::move(out));
}

// One that the partition gave back, or that comes behind one.
runtime::Task<AppendOutcome> append_later(BrokerShard& shard, AppendItem item, PartitionRef partition, Slice records,
                                          bool must_wait) {
  auto appended = co_await append_in_turn(shard, *partition, std::move(records), item.acks == kAllReplicas,
                                          {item.connection, item.id}, must_wait);
  auto answered = answer(shard, item, partition, std::move(appended));
  if (answered.is_ready()) co_return answered.take_value();
  co_return co_await answered.take_task();
}

}  // namespace

runtime::ValueTask<AppendOutcome> append_on_partition(BrokerShard& shard, AppendItem item) {
  Slice records = Slice::adopt(std::move(item.records));
  const auto found = shard.leader_of(item.id);
  if (!found) return refuse(found.error());
  const PartitionRef& partition = *found;
  if (shard.slow_appends().has({item.connection, item.id})) {
    return append_later(shard, std::move(item), partition, std::move(records), false);
  }
  auto appended = partition->append(records, item.acks == kAllReplicas, {.inline_bytes = kInlineBytes});
  if (!appended && appended.error().error.code == Errc::kWouldBlock) {
    return append_later(shard, std::move(item), partition, std::move(records), true);
  }
  return answer(shard, item, partition, std::move(appended));
}

}  // namespace dohle::broker
