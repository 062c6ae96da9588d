// Produce (0): appends one batch to each named partition; answers when acks says so. See produce/append_call.h for what
// happens on a partition's shard.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/inlined_vector.h>
#include <fmt/format.h>

#include <base/hash_map.h>
#include <base/topic_name.h>
#include <protocol/error_map.h>
#include <protocol/messages/produce_request.h>
#include <protocol/messages/produce_response.h>
#include <records/batch.h>
#include <records/validator.h>

#include "dispatch/handler_table.h"
#include "handlers/first_places.h"
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

// A partition of the request, and where its answer goes.
struct Row {
  std::size_t topic = 0;
  std::size_t partition = 0;
  const ProduceRequest::TopicProduceData* asked = nullptr;
  const ProduceRequest::PartitionProduceData* data = nullptr;
};

using Rows = absl::InlinedVector<Row, 1>;  // as most requests have

struct Prepared {
  ProduceResponse response;
  Rows rows;
};

struct Refusal {
  ErrorCode error = ErrorCode::kNone;
  std::optional<std::string> message;
};

// Kafka looks at the first batch of every partition before anything else, and fails as a whole where it cannot read it,
// or when it belongs to a transaction (without a transactional id that is allowed to write).
Refusal refuse_request(const ProduceRequest& request) {
  for (const auto& topic : request.topic_data) {
    for (const auto& partition : topic.partition_data) {
      if (!partition.records) continue;
      const Bytes bytes = partition.records->bytes();
      const auto prefix = records::peek(bytes);
      if (!prefix) return {ErrorCode::kCorruptMessage, prefix.error().message};
      if (!*prefix || (*prefix)->size_bytes > bytes.size() || (*prefix)->magic != records::kMagicV2) continue;
      // Too short for its producer id.
      if ((*prefix)->size_bytes < records::layout::kProducerEpoch)
        return {ErrorCode::kUnknownServerError, std::nullopt};
      const auto batch = records::BatchView::parse(bytes);
      if (batch && batch->is_transactional()) {
        return {ErrorCode::kTransactionalIdAuthorizationFailed, std::nullopt};
      }
    }
  }
  return {};
}

void answer_all(ProduceResponse& out, const Refusal& refusal) {
  for (auto& topic : out.responses) {
    for (auto& partition : topic.partition_responses) {
      partition.error_code = number(refusal.error);
      partition.base_offset = -1;
      if (refusal.message) partition.error_message = Text(*refusal.message);
    }
  }
}

// Rows of the request by topic and partition: what is there twice counts once, with the later records.
Prepared prepare(const ProduceRequest& request) {
  Prepared out;
  FirstPlaces<std::pair<std::string_view, Uuid>> topics;
  FirstPlaces<std::pair<std::size_t, std::int32_t>> partitions;
  for (const auto& topic : request.topic_data) {
    if (topic.partition_data.empty()) continue;
    const auto [at, fresh] = topics.add({topic.name.get(), topic.topic_id}, out.response.responses.size());
    if (fresh) {
      auto& result = out.response.responses.emplace_back();
      result.name = topic.name;
      result.topic_id = topic.topic_id;
    }
    auto& rows = out.response.responses[at].partition_responses;
    for (const auto& partition : topic.partition_data) {
      const auto [row_at, first] = partitions.add({at, partition.index}, out.rows.size());
      if (!first) {
        out.rows[row_at].data = &partition;
        continue;
      }
      out.rows.push_back({.topic = at, .partition = rows.size(), .asked = &topic, .data = &partition});
      auto& row = rows.emplace_back();
      row.index = partition.index;
      row.base_offset = -1;
    }
  }
  return out;
}

// The partition's topic, or why it has none.
std::expected<const metadata::TopicImage*, ErrorCode> resolve(const RequestContext& ctx,
                                                              const metadata::MetadataImage& image,
                                                              const ProduceRequest::TopicProduceData& topic,
                                                              std::int32_t partition) {
  const bool by_id = ctx.version() >= kFirstVersionWithTopicIds;
  const auto* known = by_id ? image.topics().find(TopicId{topic.topic_id}) : image.topics().find(topic.name.get());
  if (known == nullptr)
    return std::unexpected(by_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition);
  if (known->find(partition) == nullptr) return std::unexpected(ErrorCode::kUnknownTopicOrPartition);
  return known;
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

void count_errors(RequestContext& ctx, const ProduceResponse& out) {
  for (const auto& topic : out.responses) {
    for (const auto& partition : topic.partition_responses) {
      if (partition.error_code != 0) count_error(ctx, partition.error_code);
    }
  }
}

// Why a partition's records cannot be appended, as far as one can tell without the partition; in Kafka's order.
ErrorCode check_row(const RequestContext& ctx, const ProduceRequest& request, const Row& row, std::string_view topic) {
  const auto batch = records::single_batch(row.data->records ? row.data->records->bytes() : Bytes(),
                                           ctx.version() >= kFirstVersionWithZstd);
  if (!batch) return protocol::error_code_of(batch.error(), protocol::ErrorFamily::kPartition);
  if (request.acks < -1 || request.acks > 1) return ErrorCode::kInvalidRequiredAcks;
  if (is_internal_topic(topic) && ctx.client_id() != kAdminClientId) return ErrorCode::kInvalidTopicException;
  return ErrorCode::kNone;
}

struct Appends {
  absl::InlinedVector<AppendItem, 1> items;
  Rows rows;            // of each item
  bool failed = false;  // all of the request, at a codec that Kafka does not know
};

Appends collect_appends(RequestContext& ctx, const ProduceRequest& request, Prepared& prepared) {
  Appends out;
  const auto image = ctx.here.image();
  const std::uint64_t connection = fixed_hash(ctx.request.connection().id());
  for (const Row& row : prepared.rows) {
    auto& answer = prepared.response.responses[row.topic].partition_responses[row.partition];
    const auto topic = resolve(ctx, *image, *row.asked, row.data->index);
    const ErrorCode error = topic ? check_row(ctx, request, row, (*topic)->name) : topic.error();
    if (error != ErrorCode::kNone) {
      answer.error_code = number(error);
      out.failed = out.failed || error == ErrorCode::kUnknownServerError;
      continue;
    }
    out.items.push_back({.id = {(*topic)->id, row.data->index},
                         .records = ctx.request.frame().sub(row.data->records->bytes()).share(),
                         .acks = request.acks,
                         .timeout_ms = request.timeout_ms,
                         .connection = connection});
    out.rows.push_back(row);
  }
  return out;
}

}  // namespace

Answer<ProduceResponse> handle_produce(RequestContext& ctx, const ProduceRequest& request) {
  Prepared prepared = prepare(request);
  ProduceResponse& out = prepared.response;
  const Refusal refusal = refuse_request(request);
  Appends appends;
  if (refusal.error == ErrorCode::kNone) appends = collect_appends(ctx, request, prepared);
  if (refusal.error != ErrorCode::kNone || appends.failed) {
    answer_all(out, appends.failed ? Refusal{ErrorCode::kUnknownServerError, std::nullopt} : refusal);
    appends.items.clear();
    appends.rows.clear();
  }

  auto pending = start_calls(ctx.here, std::span(appends.items), &append_on_partition);
  ctx.request.enqueued();  // appends are in order at their shards: the next request may start
  auto outcomes = co_await pending;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Row& row = appends.rows[i];
    fill(out.responses[row.topic].partition_responses[row.partition], std::move(outcomes[i]));
  }
  count_errors(ctx, out);
  if (request.acks != 0) co_return std::move(out);
  finish_unacknowledged(ctx, out);
  co_return std::nullopt;
}

}  // namespace dohle::broker
