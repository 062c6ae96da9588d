// Fetch (1) for clients: records from the partitions of a session or of the request, waiting for fetch.min.bytes.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>

#include "dispatch/handler_table.h"
#include "fetch/fetch_round.h"
#include "fetch/fetch_session.h"
#include "handlers/first_places.h"
#include "handlers/handlers.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;

constexpr std::int16_t kFirstVersionWithTopicIds = 13;
constexpr std::int16_t kFirstVersionWithStorageError = 6;
constexpr std::int16_t kFirstVersionWithLeaderHint = 16;

FetchSessionRequest session_request(const RequestContext& ctx, const FetchRequest& request) {
  FetchSessionRequest out;
  out.session_id = request.session_id;
  out.epoch = request.session_epoch;
  out.uses_topic_ids = ctx.version() >= kFirstVersionWithTopicIds;
  out.from_follower = std::max(request.replica_id, request.replica_state.replica_id) >= 0;
  // A partition named twice is one, and what is said last of it counts, as in Kafka. One of name and id is empty.
  FirstPlaces<std::tuple<std::string_view, Uuid, std::int32_t>> places;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      const auto [place, first] =
          places.add({topic.topic.get(), topic.topic_id, partition.partition}, out.targets.size());
      if (first) out.targets.emplace_back();
      out.targets[place] = {.topic_id = {topic.topic_id},
                            .topic = topic.topic.str(),
                            .partition = partition.partition,
                            .current_leader_epoch = partition.current_leader_epoch,
                            .fetch_offset = Offset(partition.fetch_offset),
                            .last_fetched_epoch = partition.last_fetched_epoch,
                            .log_start_offset = Offset(partition.log_start_offset),
                            .max_bytes = partition.partition_max_bytes};
    }
  }
  for (const auto& topic : request.forgotten_topics_data) {
    for (const std::int32_t partition : topic.partitions) {
      out.forgotten.push_back({.topic_id = {topic.topic_id}, .topic = topic.topic.str(), .partition = partition});
    }
  }
  return out;
}

// A session lives on the shard that opened it; its id says which. New ones are opened here.
BrokerShard& shard_of_session(RequestContext& ctx, std::int32_t session_id) {
  if (session_id <= kNoFetchSession) return ctx.here;
  return ctx.broker.at(FetchSessions::shard_of(session_id, ctx.broker.shard_count()));
}

runtime::Task<FetchPlan> begin(BrokerShard& owner, FetchSessionRequest request) {
  co_return co_await runtime::submit_to(
      owner.shard(), [&owner, request = std::move(request)]() mutable -> runtime::Task<FetchPlan> {
        return [](BrokerShard& shard, FetchSessionRequest asked) -> runtime::Task<FetchPlan> {
          co_return shard.fetch_sessions().begin(std::move(asked), shard.shard().clock().now());
        }(owner, std::move(request));
      });
}

runtime::Task<std::vector<bool>> finish(BrokerShard& owner, const FetchPlan& plan, std::vector<FetchedState> states) {
  co_return co_await runtime::submit_to(owner.shard(), [&owner, &plan, states = std::move(states)]() mutable {
    return [](BrokerShard& shard, const FetchPlan& of,
              std::vector<FetchedState> told) -> runtime::Task<std::vector<bool>> {
      co_return shard.fetch_sessions().finish(of, told);
    }(owner, plan, std::move(states));
  });
}

// What of a plan can be read, and the errors of what cannot.
struct Resolved {
  std::vector<ReadItem> items;
  std::vector<std::size_t> target_of_item;
  std::vector<ErrorCode> errors;  // by target
};

// Here, unlike in other requests, any number below 0 names no epoch.
LeaderEpoch epoch_or_none(std::int32_t epoch) { return epoch < 0 ? kNoLeaderEpoch : LeaderEpoch(epoch); }

// Who asks and how: the same for all partitions.
struct Asker {
  bool by_id = false;
  std::int32_t replica_id = -1;  // below 0: a client
  replication::Isolation isolation = replication::Isolation::kReadUncommitted;
};

Asker asker_of(const RequestContext& ctx, const FetchRequest& request) {
  using replication::Isolation;
  return {.by_id = ctx.version() >= kFirstVersionWithTopicIds,
          .replica_id = std::max(request.replica_id, request.replica_state.replica_id),
          .isolation = request.isolation_level == 1 ? Isolation::kReadCommitted : Isolation::kReadUncommitted};
}

bool may_follow(const metadata::PartitionRegistration& partition, std::int32_t replica_id) {
  return replica_id < 0 || (replica_id != partition.leader &&
                            std::ranges::find(partition.replicas, replica_id) != partition.replicas.end());
}

Resolved resolve(const metadata::MetadataImage& image, const FetchPlan& plan, std::int32_t max_bytes,
                 const Asker& asker) {
  Resolved out;
  out.errors.assign(plan.targets.size(), ErrorCode::kNone);
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    const auto& target = plan.targets[i];
    const auto* topic = asker.by_id ? image.topics().find(target.topic_id) : image.topics().find(target.topic);
    const auto* partition = topic == nullptr ? nullptr : topic->find(target.partition);
    if (partition == nullptr) {
      out.errors[i] =
          topic == nullptr && asker.by_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition;
      continue;
    }
    out.items.push_back({.id = {topic->id, target.partition},
                         .may_follow = may_follow(*partition, asker.replica_id),
                         .negative_limit = std::min(target.max_bytes, max_bytes) < 0,
                         .read = {.from = target.fetch_offset,
                                  .max_bytes = static_cast<std::uint32_t>(std::max(target.max_bytes, 0)),
                                  .isolation = asker.isolation,
                                  .current_leader_epoch = epoch_or_none(target.current_leader_epoch),
                                  .last_fetched_epoch = epoch_or_none(target.last_fetched_epoch)}});
    out.target_of_item.push_back(i);
  }
  return out;
}

// Passes over the partitions until there is enough, an error, or no more time.
runtime::Task<FetchRound> read_until_enough(RequestContext& ctx, const FetchRequest& request,
                                            const Resolved& resolved) {
  const auto max_bytes =
      static_cast<std::uint32_t>(std::clamp(request.max_bytes, 0, ctx.broker.settings().fetch_max_bytes));
  const auto min_bytes = std::min<std::uint64_t>(static_cast<std::uint64_t>(std::max(request.min_bytes, 0)), max_bytes);
  const bool may_wait = !resolved.items.empty();
  runtime::Clock& clock = ctx.here.shard().clock();
  const auto deadline = clock.now() + std::chrono::milliseconds(std::max(request.max_wait_ms, 0));
  for (;;) {
    FetchRound round = co_await read_round(ctx.here, resolved.items, {.bytes = max_bytes});
    const auto left = deadline - clock.now();
    if (!may_wait || round.answer_now || round.bytes >= min_bytes || left <= runtime::Duration::zero()) co_return round;
    co_await wait_for_news(ctx.here, resolved.items, round, left);
  }
}

FetchResponse::PartitionData make_row(const RequestContext& ctx, const FetchTarget& target, ErrorCode error,
                                      ReadOutcome* read, bool read_committed) {
  FetchResponse::PartitionData row;
  if (error == ErrorCode::kKafkaStorageError && ctx.version() < kFirstVersionWithStorageError)
    error = ErrorCode::kNotLeaderOrFollower;
  row.partition_index = target.partition;
  row.error_code = number(error);
  row.high_watermark = -1;
  row.records = protocol::Records();  // never null: librdkafka refuses a null record set
  if (read == nullptr) return row;
  if (!read_committed || error != ErrorCode::kNone) row.aborted_transactions = std::nullopt;
  row.high_watermark = read->high_watermark.value();
  row.last_stable_offset = read->last_stable_offset.value();
  row.log_start_offset = read->log_start.value();
  if (read->diverging) {
    row.diverging_epoch.epoch = read->diverging->epoch.value();
    row.diverging_epoch.end_offset = read->diverging->end_offset.value();
  }
  if (read->bytes > 0) row.records = protocol::Records(take_fragments(std::move(read->records)));
  return row;
}

// Clients learn where the leader is, too; brokers know.
void add_leader_hint(RequestContext& ctx, const FetchTarget& target, bool from_client,
                     FetchResponse::PartitionData& row, FetchResponse& out) {
  const auto error = static_cast<ErrorCode>(row.error_code);
  if (ctx.version() < kFirstVersionWithLeaderHint) return;
  if (error != ErrorCode::kNotLeaderOrFollower && error != ErrorCode::kFencedLeaderEpoch) return;
  const auto image = ctx.here.image();
  const auto* partition = image->topics().find(TopicIdPartition{target.topic_id, target.partition});
  if (partition == nullptr) return;
  row.current_leader.leader_id = partition->leader;
  row.current_leader.leader_epoch = partition->leader_epoch;
  if (!from_client) return;
  const auto* leader = image->cluster().broker(partition->leader);
  const auto* endpoint = leader == nullptr || leader->fenced ? nullptr : leader->endpoint(ctx.listener());
  if (endpoint == nullptr) return;
  if (std::ranges::any_of(out.node_endpoints, [&](const auto& node) { return node.node_id == partition->leader; }))
    return;
  auto& node = out.node_endpoints.emplace_back();
  const auto [host, port] = ctx.broker.advertised(partition->leader, *endpoint, ctx.local());
  node.node_id = partition->leader;
  node.host = host;
  node.port = port;
  if (leader->rack) node.rack = Text(*leader->rack);
}

// In Kafka's order: what was read, unknown ids, what else is unknown.
std::vector<std::size_t> order_of_answer(const std::vector<ErrorCode>& errors, const std::vector<ReadOutcome*>& reads) {
  std::vector<std::size_t> order(reads.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) {
    return std::pair(reads[i] != nullptr ? 0 : errors[i] == ErrorCode::kUnknownTopicId ? 1 : 2, i);
  });
  return order;
}

FetchedState state_of(ErrorCode error, const ReadOutcome* read) {
  FetchedState state;
  state.error = error;
  if (read == nullptr) return state;
  state.high_watermark = read->high_watermark;
  state.log_start_offset = read->log_start;
  state.has_records = read->bytes > 0;
  state.diverging = read->diverging.has_value();
  return state;
}

// For the metrics.
void count_bytes(RequestContext& ctx, const Resolved& resolved, const FetchRound& round) {
  for (std::size_t i = 0; i < resolved.items.size(); ++i) {
    const auto bytes = round.outcomes[i].bytes;
    if (bytes > 0) ctx.here.metrics().fetched(resolved.items[i].id.topic, bytes);
  }
}

}  // namespace

Answer<FetchResponse> handle_fetch(RequestContext& ctx, const FetchRequest& request) {
  FetchResponse out;
  BrokerShard& session_shard = shard_of_session(ctx, request.session_id);
  const FetchPlan plan = co_await begin(session_shard, session_request(ctx, request));
  if (plan.error != ErrorCode::kNone) {
    out.error_code = number(plan.error);
    co_return out;
  }
  out.session_id = plan.session_id;

  const Asker asker = asker_of(ctx, request);
  const bool read_committed = asker.isolation == replication::Isolation::kReadCommitted;
  Resolved resolved = resolve(*ctx.here.image(), plan, request.max_bytes, asker);
  FetchRound round = co_await read_until_enough(ctx, request, resolved);
  std::vector<ReadOutcome*> reads(plan.targets.size(), nullptr);
  for (std::size_t i = 0; i < round.outcomes.size(); ++i) {
    reads[resolved.target_of_item[i]] = &round.outcomes[i];
    resolved.errors[resolved.target_of_item[i]] = round.outcomes[i].error;
  }
  std::vector<FetchedState> states;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) states.push_back(state_of(resolved.errors[i], reads[i]));
  const auto carried = co_await finish(session_shard, plan, std::move(states));

  count_bytes(ctx, resolved, round);
  for (const std::size_t i : order_of_answer(resolved.errors, reads)) {
    if (!carried[i]) continue;
    const auto& target = plan.targets[i];
    const bool same_topic = !out.responses.empty() && out.responses.back().topic_id == target.topic_id.uuid &&
                            out.responses.back().topic.get() == target.topic;
    if (!same_topic) {
      auto& topic = out.responses.emplace_back();
      topic.topic = Text(target.topic);
      topic.topic_id = target.topic_id.uuid;
    }
    auto row = make_row(ctx, target, resolved.errors[i], reads[i], read_committed);
    add_leader_hint(ctx, target, asker.replica_id < 0, row, out);
    if (row.error_code != 0) count_error(ctx, row.error_code);
    out.responses.back().partitions.push_back(std::move(row));
  }
  co_return out;
}

}  // namespace dohle::broker
