#include "produce/append_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

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

AppendOutcome refuse(storage::AppendFailure failure, Offset log_start) {
  AppendOutcome out = refuse(protocol::error_code_of(failure.error, protocol::ErrorFamily::kPartition));
  // Clients that get UNKNOWN_SERVER_ERROR or a sequence error look at nothing else; the log start helps the others.
  out.log_start = log_start;
  if (!failure.error.message.empty()) out.error_message = std::move(failure.error.message);
  out.record_errors = std::move(failure.record_errors);
  return out;
}

}  // namespace

runtime::Task<AppendOutcome> append_on_partition(BrokerShard& shard, AppendItem item) {
  Slice records = Slice::adopt(std::move(item.records));
  const auto found = shard.leader_of(item.id);
  if (!found) co_return refuse(found.error());
  const PartitionRef partition = *found;

  const bool wait_for_all = item.acks == kAllReplicas;
  auto appended = partition->append(std::move(records), wait_for_all);
  if (!appended) co_return refuse(std::move(appended).error(), partition->log().log_start());

  AppendOutcome out;
  out.base_offset = appended->first_offset;
  out.log_append_time_ms = appended->log_append_time;
  out.log_start = appended->log_start;
  if (!wait_for_all) co_return out;
  const auto timeout = std::chrono::milliseconds(std::max(item.timeout_ms, 0));
  const auto replicated = co_await partition->wait_high_watermark(appended->last_offset.next(), timeout);
  if (!replicated) out.error = protocol::error_code_of(replicated.error(), protocol::ErrorFamily::kPartition);
  co_return out;
}

}  // namespace dohle::broker
