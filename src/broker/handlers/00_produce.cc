// Produce (0): appends one batch to each named partition; answers when acks says so. See produce/append_call.h for what
// happens on a partition's shard.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <base/hash_map.h>
#include <base/topic_name.h>
#include <protocol/messages/produce_request.h>
#include <protocol/messages/produce_response.h>
#include <records/batch.h>

#include "handlers/handlers.h"
#include "produce/append_call.h"
#include "shard/partition_calls.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using protocol::ProduceRequest;
using protocol::ProduceResponse;

constexpr std::int16_t kFirstVersionWithZstd = 7;
constexpr std::int16_t kFirstVersionWithTopicIds = 13;
constexpr std::string_view kAdminClientId = "__admin_client";  // may write to internal topics

// Every partition of the request, in its order, with the answer so far.
struct Row {
  std::size_t topic = 0;
  std::size_t partition = 0;
};

bool has_transactional_records(const ProduceRequest& request) {
  for (const auto& topic : request.topic_data) {
    for (const auto& partition : topic.partition_data) {
      if (!partition.records) continue;
      const auto batch = records::BatchView::parse(partition.records->bytes());
      if (batch && batch->is_transactional()) return true;
    }
  }
  return false;
}

bool is_zstd(const ProduceRequest::PartitionProduceData& data) {
  if (!data.records) return false;
  const auto batch = records::BatchView::parse(data.records->bytes());
  return batch && batch->compression_id() == static_cast<std::uint8_t>(records::CompressionType::kZstd);
}

void answer_all(ProduceResponse& out, ErrorCode error) {
  for (auto& topic : out.responses) {
    for (auto& partition : topic.partition_responses) {
      partition.error_code = number(error);
      partition.base_offset = -1;
    }
  }
}

ProduceResponse prepare(const ProduceRequest& request) {
  ProduceResponse out;
  for (const auto& topic : request.topic_data) {
    auto& result = out.responses.emplace_back();
    result.name = topic.name;
    result.topic_id = topic.topic_id;
    for (const auto& partition : topic.partition_data) {
      auto& row = result.partition_responses.emplace_back();
      row.index = partition.index;
      row.base_offset = -1;
    }
  }
  return out;
}

// The partition's identity, or why it has none.
std::expected<TopicIdPartition, ErrorCode> resolve(const RequestContext& ctx, const metadata::MetadataImage& image,
                                                   const ProduceRequest::TopicProduceData& topic,
                                                   std::int32_t partition) {
  const bool by_id = ctx.version() >= kFirstVersionWithTopicIds;
  const auto* known = by_id ? image.topics().find(TopicId{topic.topic_id}) : image.topics().find(topic.name.get());
  if (known == nullptr)
    return std::unexpected(by_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition);
  if (known->find(partition) == nullptr) return std::unexpected(ErrorCode::kUnknownTopicOrPartition);
  if (is_internal_topic(known->name) && ctx.client_id() != kAdminClientId) {
    return std::unexpected(ErrorCode::kInvalidTopicException);
  }
  return TopicIdPartition{known->id, partition};
}

void fill(ProduceResponse::PartitionProduceResponse& row, AppendOutcome outcome) {
  row.error_code = number(outcome.error);
  row.base_offset = outcome.base_offset.value();
  row.log_append_time_ms = outcome.log_append_time_ms;
  row.log_start_offset = outcome.log_start.value();
  if (outcome.error_message) row.error_message = Text(std::move(*outcome.error_message));
  for (auto& error : outcome.record_errors) {
    auto& bad = row.record_errors.emplace_back();
    bad.batch_index = error.batch_index;
    bad.batch_index_error_message = Text(std::move(error.message));
  }
}

// acks=0: no answer; an error can only be told by closing the connection.
void finish_unacknowledged(RequestContext& ctx, const ProduceResponse& out) {
  for (const auto& topic : out.responses) {
    for (const auto& partition : topic.partition_responses) {
      if (partition.error_code == 0) continue;
      ctx.request.close_connection(fmt::format("a produce request with acks=0 failed on {}-{} with {}",
                                               topic.name.get(), partition.index,
                                               protocol::name(protocol::error_code_from(partition.error_code))));
      return;
    }
  }
  ctx.request.no_response();
}

}  // namespace

Answer<ProduceResponse> handle_produce(RequestContext& ctx, const ProduceRequest& request) {
  ProduceResponse out = prepare(request);
  const bool acks_ok = request.acks >= -1 && request.acks <= 1;
  if (!acks_ok || has_transactional_records(request)) {
    answer_all(out, acks_ok ? ErrorCode::kTransactionalIdAuthorizationFailed : ErrorCode::kInvalidRequiredAcks);
    co_return out;
  }

  const auto image = ctx.here.image();
  const std::uint64_t connection = fixed_hash(ctx.request.connection().id());
  std::vector<AppendItem> items;
  std::vector<Row> rows;
  for (std::size_t t = 0; t < request.topic_data.size(); ++t) {
    for (std::size_t p = 0; p < request.topic_data[t].partition_data.size(); ++p) {
      const auto& data = request.topic_data[t].partition_data[p];
      auto& row = out.responses[t].partition_responses[p];
      if (ctx.version() < kFirstVersionWithZstd && is_zstd(data)) {
        row.error_code = number(ErrorCode::kUnsupportedCompressionType);
        continue;
      }
      const auto id = resolve(ctx, *image, request.topic_data[t], data.index);
      if (!id) {
        row.error_code = number(id.error());
        continue;
      }
      items.push_back(
          {.id = *id,
           .records = data.records ? ctx.request.frame().sub(data.records->bytes()).share() : ForeignSlice(),
           .acks = request.acks,
           .timeout_ms = request.timeout_ms,
           .connection = connection});
      rows.push_back({t, p});
    }
  }

  auto pending = start_calls(ctx.here, std::move(items), &append_on_partition);
  ctx.request.enqueued();  // appends are in order at their shards: the next request may start
  auto outcomes = co_await collect(std::move(pending));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    fill(out.responses[rows[i].topic].partition_responses[rows[i].partition], std::move(outcomes[i]));
  }
  if (request.acks != 0) co_return out;
  finish_unacknowledged(ctx, out);
  co_return std::nullopt;
}

}  // namespace dohle::broker
