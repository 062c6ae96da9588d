#include "fetcher.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace dohle::client {

using protocol::ErrorCode;
using runtime::Task;

namespace {
constexpr std::int16_t kFirstFetchById = 13;
}

void Fetcher::set_partitions(const std::vector<TopicPartition>& partitions) {
  std::map<TopicPartition, State> kept;
  for (const auto& partition : partitions) {
    auto node = states_.extract(partition);
    if (node.empty())
      kept.try_emplace(partition);
    else
      kept.insert(std::move(node));
  }
  states_ = std::move(kept);
}

std::vector<TopicPartition> Fetcher::partitions() const {
  std::vector<TopicPartition> out;
  for (const auto& [partition, state] : states_) out.push_back(partition);
  return out;
}

void Fetcher::seek(const TopicPartition& partition, std::int64_t offset) {
  const auto found = states_.find(partition);
  if (found == states_.end()) return;
  found->second.position = ConsumerPosition{offset, -1};
  found->second.reset_to.reset();
  found->second.fetched.reset();
  ++found->second.change;
}

void Fetcher::seek_by(const TopicPartition& partition, std::int64_t timestamp) {
  const auto found = states_.find(partition);
  if (found == states_.end()) return;
  found->second.position.reset();
  found->second.reset_to = timestamp;
  found->second.fetched.reset();
  ++found->second.change;
}

void Fetcher::set_paused(const TopicPartition& partition, bool paused) {
  if (const auto found = states_.find(partition); found != states_.end()) found->second.paused = paused;
}

std::vector<TopicPartition> Fetcher::paused() const {
  std::vector<TopicPartition> out;
  for (const auto& [partition, state] : states_) {
    if (state.paused) out.push_back(partition);
  }
  return out;
}

std::optional<ConsumerPosition> Fetcher::position(const TopicPartition& partition) const {
  const auto found = states_.find(partition);
  return found == states_.end() ? std::nullopt : found->second.position;
}

std::optional<std::int64_t> Fetcher::lag(const TopicPartition& partition) const {
  const auto found = states_.find(partition);
  if (found == states_.end() || !found->second.end_offset || !found->second.position) return std::nullopt;
  return *found->second.end_offset - found->second.position->offset;
}

void Fetcher::work() {
  if (stopped_) return;
  resolve_positions();
  send_fetches();
  if (wants_refresh_ || cluster_.metadata_is_old()) refresh_metadata();
}

void Fetcher::back_off(State& state) {
  state.not_before = cluster_.now() + std::chrono::milliseconds(cluster_.config().retry_backoff_ms);
}

// --- where to begin

void Fetcher::resolve_positions() {
  if (resolving_) return;
  std::vector<TopicPartition> without;
  for (const auto& [partition, state] : states_) {
    if (!state.position && state.not_before <= cluster_.now()) without.push_back(partition);
  }
  if (without.empty()) return;
  resolving_ = true;
  runtime::spawn(resolve(std::move(without)));
}

Task<void> Fetcher::resolve(std::vector<TopicPartition> partitions) {
  const auto pass = gate_.enter();
  Answer<> done = co_await begin_at_committed(partitions);
  if (done) done = co_await begin_at_reset(partitions);
  resolving_ = false;
  for (const auto& partition : partitions) {
    const auto found = states_.find(partition);
    if (found != states_.end() && !found->second.position) back_off(found->second);
  }
  if (!done && !done.error().is_retriable()) error_ = std::move(done).error();
  wake_();
}

Task<Answer<>> Fetcher::begin_at_committed(std::vector<TopicPartition> partitions) {
  if (!config_.group_id) co_return Answer<>{};
  std::erase_if(partitions, [this](const auto& partition) {
    const auto found = states_.find(partition);
    return found == states_.end() || found->second.reset_to.has_value();
  });
  if (partitions.empty()) co_return Answer<>{};
  const bool stable = config_.isolation_level == IsolationLevel::kReadCommitted;
  const auto offsets = co_await admin_.list_group_offsets(*config_.group_id, partitions, stable);
  if (!offsets) co_return std::unexpected(offsets.error());
  for (const auto& [partition, committed] : *offsets) {
    const auto found = states_.find(partition);
    if (found == states_.end() || found->second.position || found->second.reset_to) continue;
    if (!committed) co_return std::unexpected(committed.error());
    if (committed->offset < 0) continue;
    found->second.position = ConsumerPosition{committed->offset, committed->leader_epoch};
  }
  co_return Answer<>{};
}

Task<Answer<>> Fetcher::begin_at_reset(std::vector<TopicPartition> partitions) {
  std::map<TopicPartition, std::int64_t> wanted;
  std::map<TopicPartition, std::uint64_t> changes;
  for (const auto& partition : partitions) {
    const auto found = states_.find(partition);
    if (found == states_.end() || found->second.position) continue;
    State& state = found->second;
    if (!state.reset_to && config_.auto_offset_reset == OffsetReset::kNone) {
      co_return failure(ErrorCode::kOffsetOutOfRange,
                        fmt::format("Undefined offset with no reset policy for partition {}-{}", partition.topic,
                                    partition.partition));
    }
    const bool earliest = config_.auto_offset_reset == OffsetReset::kEarliest;
    wanted[partition] = state.reset_to.value_or(earliest ? kEarliestTimestamp : kLatestTimestamp);
    changes[partition] = state.change;
  }
  if (wanted.empty()) co_return Answer<>{};
  const auto offsets = co_await admin_.list_offsets(std::move(wanted), config_.isolation_level);
  for (const auto& [partition, listed] : offsets) {
    const auto found = states_.find(partition);
    if (found == states_.end() || found->second.position || found->second.change != changes[partition]) continue;
    if (!listed) co_return std::unexpected(listed.error());
    found->second.position = ConsumerPosition{listed->offset, listed->leader_epoch};
    found->second.reset_to.reset();
  }
  co_return Answer<>{};
}

// --- fetching

// The leader, or for a while the replica it named as closer (KIP-392).
std::int32_t Fetcher::node_for(State& state, const PartitionInfo& info) const {
  const bool elsewhere = state.read_replica != kNoNode && cluster_.now() < state.read_replica_until &&
                         cluster_.metadata().nodes.contains(state.read_replica) &&
                         std::ranges::find(info.offline, state.read_replica) == info.offline.end();
  if (!elsewhere) state.read_replica = kNoNode;
  return elsewhere ? state.read_replica : info.leader;
}

void Fetcher::send_fetches() {
  std::map<std::int32_t, std::vector<Asked>> by_node;
  for (auto& [partition, state] : states_) {
    if (!state.position || state.paused || state.fetching || state.fetched || state.not_before > cluster_.now())
      continue;
    const PartitionInfo* info = cluster_.metadata().partition(partition.topic, partition.partition);
    if (info == nullptr || info->leader == kNoNode) {
      wants_refresh_ = true;
      continue;
    }
    const std::int32_t node = node_for(state, *info);
    if (!busy_nodes_.contains(node)) by_node[node].push_back({partition, state.position->offset, state.change});
  }
  for (auto& [node, asked] : by_node) {
    // Whoever was read last comes last, so that no partition starves behind a large one.
    const auto after =
        std::ranges::find_if(asked, [this](const Asked& one) { return last_taken_ && *last_taken_ < one.partition; });
    std::rotate(asked.begin(), after, asked.end());
    busy_nodes_.insert(node);
    for (const auto& one : asked) states_.at(one.partition).fetching = true;
    runtime::spawn(fetch(node, std::move(asked)));
  }
}

protocol::FetchRequest Fetcher::fetch_request(const std::vector<Asked>& asked, bool by_id) const {
  protocol::FetchRequest request;
  request.max_wait_ms = static_cast<std::int32_t>(config_.fetch_max_wait_ms);
  request.min_bytes = config_.fetch_min_bytes;
  request.max_bytes = config_.fetch_max_bytes;
  request.isolation_level = static_cast<std::int8_t>(config_.isolation_level);
  request.rack_id = Text(cluster_.config().client_rack);
  for (const auto& one : asked) {
    if (request.topics.empty() || request.topics.back().topic.get() != one.partition.topic) {
      auto& topic = request.topics.emplace_back();
      topic.topic = Text(one.partition.topic);
      if (by_id) topic.topic_id = cluster_.metadata().topic(one.partition.topic)->id;
    }
    auto& partition = request.topics.back().partitions.emplace_back();
    const PartitionInfo* info = cluster_.metadata().partition(one.partition.topic, one.partition.partition);
    partition.partition = one.partition.partition;
    partition.current_leader_epoch = info == nullptr ? -1 : info->leader_epoch;
    partition.fetch_offset = one.offset;
    partition.partition_max_bytes = config_.max_partition_fetch_bytes;
  }
  return request;
}

Task<void> Fetcher::fetch(std::int32_t node, std::vector<Asked> asked) {
  const auto pass = gate_.enter();
  const auto range = co_await cluster_.versions(node, protocol::FetchRequest::kApiKey);
  bool by_id = range && *range && (*range)->max >= kFirstFetchById;
  for (const auto& one : asked) {
    const TopicInfo* topic = cluster_.metadata().topic(one.partition.topic);
    by_id = by_id && topic != nullptr && topic->id != Uuid{};
  }
  Answer<Reply<protocol::FetchResponse>> reply = std::unexpected(KafkaError{});
  if (range) {
    CallOptions options;
    options.max_version = by_id ? std::int16_t{32767} : static_cast<std::int16_t>(kFirstFetchById - 1);
    options.timeout_ms = std::max(cluster_.config().request_timeout_ms, config_.fetch_max_wait_ms);
    reply = co_await cluster_.send(node, fetch_request(asked, by_id), options);
  } else {
    reply = std::unexpected(range.error());
  }
  busy_nodes_.erase(node);
  for (const auto& one : asked) {
    if (const auto found = states_.find(one.partition); found != states_.end()) found->second.fetching = false;
  }
  const ErrorCode code = reply ? protocol::error_code_from(reply->body.error_code) : reply.error().code;
  if (code != ErrorCode::kNone) {
    wants_refresh_ = true;
    for (const auto& one : asked) {
      if (const auto found = states_.find(one.partition); found != states_.end()) back_off(found->second);
    }
    if (!protocol::is_retriable(code))
      error_ = reply ? KafkaError{code, std::string(protocol::message(code))} : reply.error();
    wake_();
    co_return;
  }
  for (const auto& topic : reply->body.responses) {
    const TopicInfo* known = topic.topic_id == Uuid{} ? nullptr : cluster_.metadata().topic(topic.topic_id);
    const std::string name = known != nullptr ? known->name : topic.topic.str();
    for (const auto& answer : topic.partitions) {
      const auto one = std::ranges::find_if(asked, [&](const Asked& candidate) {
        return candidate.partition.partition == answer.partition_index && candidate.partition.topic == name;
      });
      if (one != asked.end()) take_answer(*one, reply->frame, answer);
    }
  }
  wake_();
}

void Fetcher::take_answer(const Asked& asked, const Slice& frame,
                          const protocol::FetchResponse::PartitionData& answer) {
  const auto found = states_.find(asked.partition);
  if (found == states_.end() || found->second.change != asked.change) return;
  State& state = found->second;
  if (const ErrorCode code = protocol::error_code_from(answer.error_code); code != ErrorCode::kNone) {
    take_fetch_error(state, asked, code);
    return;
  }
  if (answer.preferred_read_replica != kNoNode) {
    state.read_replica = answer.preferred_read_replica;
    state.read_replica_until = cluster_.now() + std::chrono::milliseconds(cluster_.config().metadata_max_age_ms);
  }
  const bool committed = config_.isolation_level == IsolationLevel::kReadCommitted;
  state.end_offset = committed ? answer.last_stable_offset : answer.high_watermark;
  const Bytes bytes = answer.records ? answer.records->bytes() : Bytes{};
  if (bytes.empty()) return;
  std::vector<AbortedTransaction> aborted;
  if (answer.aborted_transactions) {
    for (const auto& one : *answer.aborted_transactions) aborted.push_back({one.producer_id, one.first_offset});
  }
  state.fetched = std::make_unique<FetchedRecords>(asked.partition, frame, bytes, asked.offset, std::move(aborted),
                                                   config_.isolation_level, config_.check_crcs);
}

void Fetcher::take_fetch_error(State& state, const Asked& asked, ErrorCode code) {
  switch (code) {
    case ErrorCode::kOffsetOutOfRange:
      if (state.read_replica != kNoNode) {
        state.read_replica = kNoNode;  // a follower may not have it yet
      } else if (config_.auto_offset_reset == OffsetReset::kNone) {
        error_ =
            KafkaError{code, fmt::format("Fetch position {} is out of range for partition {}-{}, and no reset policy "
                                         "is set",
                                         asked.offset, asked.partition.topic, asked.partition.partition)};
      } else {
        const bool earliest = config_.auto_offset_reset == OffsetReset::kEarliest;
        seek_by(asked.partition, earliest ? kEarliestTimestamp : kLatestTimestamp);
      }
      return;
    case ErrorCode::kTopicAuthorizationFailed:
    case ErrorCode::kCorruptMessage:
      error_ = KafkaError{code, fmt::format("Fetching {}-{}: {}", asked.partition.topic, asked.partition.partition,
                                            protocol::message(code))};
      back_off(state);
      return;
    default:
      state.read_replica = kNoNode;
      wants_refresh_ = true;
      back_off(state);
  }
}

Answer<> Fetcher::take(std::size_t max_records, ConsumerRecords& out) {
  // From where the last call stopped, round.
  std::vector<TopicPartition> ready;
  for (const auto& [partition, state] : states_) {
    if (state.fetched && !state.paused) ready.push_back(partition);
  }
  const auto after =
      std::ranges::find_if(ready, [this](const auto& partition) { return last_taken_ && *last_taken_ < partition; });
  std::rotate(ready.begin(), after, ready.end());
  for (const auto& partition : ready) {
    if (out.size() >= max_records) break;
    State& state = states_.at(partition);
    const Answer<> taken = state.fetched->take(max_records - out.size(), out);
    state.position = ConsumerPosition{state.fetched->position(), state.fetched->leader_epoch()};
    last_taken_ = partition;
    if (!taken) {
      state.fetched.reset();
      if (out.empty()) return taken;
      error_ = taken.error();  // what came before it is given first
      return {};
    }
    if (state.fetched->exhausted()) state.fetched.reset();
  }
  return {};
}

// --- metadata

void Fetcher::refresh_metadata() {
  if (refreshing_ || cluster_.now() < refresh_not_before_ || states_.empty()) return;
  std::set<std::string> topics;
  for (const auto& [partition, state] : states_) topics.insert(partition.topic);
  refreshing_ = true;
  wants_refresh_ = false;
  runtime::spawn(refresh({topics.begin(), topics.end()}));
}

Task<void> Fetcher::refresh(std::vector<std::string> topics) {
  const auto pass = gate_.enter();
  const auto refreshed = co_await cluster_.refresh_metadata(std::move(topics), config_.allow_auto_create_topics);
  refreshing_ = false;
  if (!refreshed) wants_refresh_ = true;
  refresh_not_before_ = cluster_.now() + std::chrono::milliseconds(cluster_.config().retry_backoff_ms);
  wake_();
}

Task<void> Fetcher::stop() {
  stopped_ = true;
  states_.clear();
  co_await gate_.wait_empty();
}

}  // namespace dohle::client
