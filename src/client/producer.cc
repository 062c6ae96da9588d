#include <client/producer.h>

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include <base/log.h>
#include <client/partitioner.h>
#include <fmt/core.h>
#include <protocol/messages/init_producer_id_request.h>
#include <protocol/messages/init_producer_id_response.h>
#include <protocol/messages/produce_request.h>
#include <protocol/messages/produce_response.h>
#include <runtime/sync.h>

#include "accumulator.h"
#include "alarm.h"

namespace dohle::client {

using protocol::ErrorCode;
using runtime::Task;

namespace {

constexpr std::int16_t kFirstProduceById = 13;
constexpr std::int64_t kLongestNapMs = 60'000;

bool says_metadata_is_wrong(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotLeaderOrFollower:
    case ErrorCode::kLeaderNotAvailable:
    case ErrorCode::kUnknownTopicOrPartition:
    case ErrorCode::kUnknownTopicId:
    case ErrorCode::kInconsistentTopicId:
    case ErrorCode::kReplicaNotAvailable:
    case ErrorCode::kFencedLeaderEpoch:
    case ErrorCode::kKafkaStorageError:
    case ErrorCode::kNetworkException:
    case ErrorCode::kRequestTimedOut:
      return true;
    default:
      return false;
  }
}

}  // namespace

class Producer::Impl {
 public:
  Impl(Cluster& cluster, ProducerConfig config)
      : cluster_(cluster),
        config_(config),
        accumulator_(config_),
        backoff_(cluster.config().retry_backoff_ms, cluster.config().retry_backoff_max_ms, cluster.shard().random()) {
    runtime::spawn(run());
  }
  ~Impl() { DOHLE_CHECK(gate_.count() == 0); }

  Task<Answer<>> send(ProducerRecord record, Callback callback);
  Task<void> flush();
  Task<void> close(std::int64_t timeout_ms);
  [[nodiscard]] const Accumulator& accumulator() const { return accumulator_; }

 private:
  [[nodiscard]] std::int64_t now_ms() const { return cluster_.now().ms(); }
  [[nodiscard]] Answer<std::int32_t> choose_partition(const TopicInfo& topic, const ProducerRecord& record);
  [[nodiscard]] StickyPartitioner& sticky(const std::string& topic);
  Task<bool> wait_for_room(std::size_t bytes, std::int64_t deadline_ms);
  void announce_room();
  Task<void> run();
  Task<void> ensure_producer_id();
  void dispatch();
  void refresh_leaders();
  Task<void> refresh(std::vector<std::string> topics);
  Task<void> send_batches(std::int32_t node, std::vector<BatchPtr> batches);
  Task<Answer<bool>> uses_topic_ids(std::int32_t node);
  void take_answers(std::vector<BatchPtr> batches, const protocol::ProduceResponse& response);
  void take_verdict(BatchPtr batch, ErrorCode code, const std::string& message);
  void take_failure(std::vector<BatchPtr> batches, const KafkaError& error);
  void retry_or_fail(BatchPtr batch, ErrorCode code, const std::string& message);

  Cluster& cluster_;
  ProducerConfig config_;
  Accumulator accumulator_;
  std::map<std::string, StickyPartitioner, std::less<>> sticky_;
  std::map<std::int32_t, std::int32_t> in_flight_;  // requests by node
  Backoff backoff_;
  Alarm alarm_;
  std::deque<runtime::Promise<runtime::Unit>*> room_waiters_;
  runtime::Event settled_;
  int flushing_ = 0;
  bool blocked_ = false;  // something waits that the last dispatch could not send
  bool armed_ = false;    // the sender sleeps towards a batch's time
  bool refreshing_ = false;
  std::int64_t refresh_not_before_ms_ = 0;
  bool wants_refresh_ = false;
  bool closing_ = false;
  bool stopped_ = false;
  runtime::Gate gate_;
};

StickyPartitioner& Producer::Impl::sticky(const std::string& topic) {
  return sticky_.try_emplace(topic, config_.batch_size, cluster_.shard().random()).first->second;
}

Answer<std::int32_t> Producer::Impl::choose_partition(const TopicInfo& topic, const ProducerRecord& record) {
  if (record.partition) {
    if (topic.partition(*record.partition) != nullptr) return *record.partition;
    return failure(ErrorCode::kUnknownTopicOrPartition,
                   fmt::format("Partition {} of topic {} with {} partitions does not exist", *record.partition,
                               topic.name, topic.partitions.size()));
  }
  if (record.key && !config_.partitioner_ignore_keys) return partition_for_key(*record.key, topic.partitions.size());
  return sticky(topic.name).partition(topic);
}

Task<Answer<>> Producer::Impl::send(ProducerRecord record, Callback callback) {
  const auto pass = gate_.enter();
  const std::int64_t deadline_ms = now_ms() + config_.max_block_ms;
  const std::size_t charge = Accumulator::charge_of(record);
  if (charge + records::kBatchHeaderBytes > config_.max_request_size) {
    co_return failure(ErrorCode::kMessageTooLarge,
                      fmt::format("The message is {} bytes when serialized which is larger than {}, the value of the "
                                  "max.request.size configuration",
                                  charge + records::kBatchHeaderBytes, config_.max_request_size));
  }
  const TopicInfo* topic = cluster_.metadata().topic(record.topic);
  if (topic == nullptr || topic->error != ErrorCode::kNone || topic->partitions.empty()) {
    const auto found = co_await cluster_.topic(std::string(record.topic), config_.max_block_ms, true);
    if (!found) co_return std::unexpected(found.error());
    topic = *found;
  }
  auto partition = choose_partition(*topic, record);
  if (!partition) co_return std::unexpected(std::move(partition).error());
  if (!accumulator_.has_room(charge) && !co_await wait_for_room(charge, deadline_ms)) {
    co_return failure(ErrorCode::kRequestTimedOut,
                      "No room for the record within max.block.ms: buffer.memory is used up");
  }
  if (closing_) co_return failure(ErrorCode::kUnknownServerError, "The producer is closed");
  const TopicPartition to{std::string(record.topic), *partition};
  const std::int64_t timestamp_ms = record.timestamp_ms.value_or(cluster_.shard().clock().wall_ms());
  const bool closed_one = accumulator_.append(to, record, timestamp_ms, now_ms(), std::move(callback));
  if (!record.partition && (!record.key || config_.partitioner_ignore_keys)) sticky(to.topic).count(charge, closed_one);
  if (closed_one || config_.linger_ms == 0 || flushing_ > 0 || !armed_) alarm_.ring();
  co_return Answer<>{};
}

Task<bool> Producer::Impl::wait_for_room(std::size_t bytes, std::int64_t deadline_ms) {
  while (!accumulator_.has_room(bytes) && !closing_) {
    const std::int64_t left_ms = deadline_ms - now_ms();
    if (left_ms <= 0) co_return false;
    alarm_.ring();
    runtime::Promise<runtime::Unit> promise;
    auto future = promise.future();
    room_waiters_.push_back(&promise);
    const auto timer =
        cluster_.shard().executor().start_timer(std::chrono::milliseconds(left_ms), [&promise] { promise.try_set(); });
    co_await future;
    cluster_.shard().executor().cancel_timer(timer);
    std::erase(room_waiters_, &promise);
  }
  co_return true;
}

void Producer::Impl::announce_room() {
  for (auto* waiter : std::exchange(room_waiters_, {})) waiter->try_set();
  settled_.set();
  settled_.reset();
  alarm_.ring();
}

Task<void> Producer::Impl::flush() {
  const auto pass = gate_.enter();
  ++flushing_;
  alarm_.ring();
  while (accumulator_.unsettled() > 0 && !stopped_) co_await settled_.wait();
  --flushing_;
}

Task<void> Producer::Impl::close(std::int64_t timeout_ms) {
  {
    const auto pass = gate_.enter();
    closing_ = true;
    ++flushing_;
    alarm_.ring();
    const bool unlimited = timeout_ms == INT64_MAX;
    const std::int64_t deadline_ms = unlimited ? INT64_MAX : now_ms() + timeout_ms;
    while (accumulator_.unsettled() > 0 && now_ms() < deadline_ms) {
      runtime::TimerId timer = runtime::kNoTimer;
      if (!unlimited) {
        timer = cluster_.shard().executor().start_timer(std::chrono::milliseconds(deadline_ms - now_ms()),
                                                        [this] { announce_room(); });
      }
      co_await settled_.wait();
      cluster_.shard().executor().cancel_timer(timer);
    }
    stopped_ = true;
    accumulator_.fail_all_waiting(
        {ErrorCode::kUnknownServerError, "The producer was closed before the record was sent"});
    announce_room();
  }
  co_await gate_.wait_empty();
}

Task<void> Producer::Impl::run() {
  const auto pass = gate_.enter();
  while (!stopped_) {
    const std::size_t unsettled = accumulator_.unsettled();
    if (accumulator_.expire(now_ms())) accumulator_.retire_producer_id();
    if (accumulator_.unsettled() < unsettled) announce_room();  // flush() and close() may wait for the last of them
    if (config_.enable_idempotence && !accumulator_.has_producer_id() && !accumulator_.has_numbered() &&
        accumulator_.unsettled() > 0) {
      co_await ensure_producer_id();
    }
    dispatch();
    if (wants_refresh_ || (cluster_.metadata_is_old() && accumulator_.unsettled() > 0)) refresh_leaders();
    const std::int64_t now = now_ms();
    const std::int64_t next = accumulator_.next_event_ms(now);
    // What is due but cannot go waits for an answer or for metadata, which ring; or looks again a little later.
    constexpr std::int64_t kLookAgainMs = 10;
    const std::int64_t nap = next > now ? std::min(next - now, kLongestNapMs) : (blocked_ ? kLookAgainMs : 0);
    armed_ = next != std::numeric_limits<std::int64_t>::max();
    co_await alarm_.wait(cluster_.shard().executor(), std::chrono::milliseconds(nap));
  }
}

Task<void> Producer::Impl::ensure_producer_id() {
  protocol::InitProducerIdRequest request;
  request.transactional_id.reset();
  request.transaction_timeout_ms = std::numeric_limits<std::int32_t>::max();
  auto reply =
      co_await cluster_.retry(config_.max_block_ms, [&]() -> Task<Answer<Reply<protocol::InitProducerIdResponse>>> {
        auto answer = co_await cluster_.send_any(request);
        if (answer && answer->body.error_code != 0) co_return failure(answer->body.error_code);
        co_return answer;
      });
  if (reply) {
    accumulator_.set_producer_id(ProducerId(reply->body.producer_id), reply->body.producer_epoch);
  } else if (!reply.error().is_retriable()) {
    accumulator_.fail_all_waiting(reply.error());
    announce_room();
  }
}

// Gives every node that has a place free what is due for it: one batch of each partition in a request.
void Producer::Impl::dispatch() {
  blocked_ = false;
  std::map<std::int32_t, std::pair<std::vector<BatchPtr>, std::size_t>> requests;
  for (const auto& partition : accumulator_.waiting()) {
    const PartitionInfo* info = cluster_.metadata().partition(partition.topic, partition.partition);
    if (info == nullptr || info->leader == kNoNode) {
      wants_refresh_ = blocked_ = true;
      continue;
    }
    if (in_flight_[info->leader] >= config_.max_in_flight_requests_per_connection) {
      blocked_ = true;
      continue;
    }
    auto& [batches, bytes] = requests[info->leader];
    if (!batches.empty() && bytes + config_.batch_size > config_.max_request_size) {
      blocked_ = true;
      continue;
    }
    BatchPtr batch = accumulator_.take(partition, now_ms(), flushing_ > 0 || !room_waiters_.empty());
    if (batch == nullptr) {
      blocked_ = true;
      continue;
    }
    bytes += batch->bytes.size();
    batches.push_back(std::move(batch));
  }
  for (auto& [node, request] : requests) {
    if (!request.first.empty()) runtime::spawn(send_batches(node, std::move(request.first)));
  }
}

void Producer::Impl::refresh_leaders() {
  if (refreshing_ || now_ms() < refresh_not_before_ms_) return;
  std::set<std::string> topics;
  for (const auto& partition : accumulator_.waiting()) topics.insert(partition.topic);
  for (const auto& [topic, partitioner] : sticky_) topics.insert(topic);
  refreshing_ = true;
  wants_refresh_ = false;
  runtime::spawn(refresh({topics.begin(), topics.end()}));
}

Task<void> Producer::Impl::refresh(std::vector<std::string> topics) {
  const auto pass = gate_.enter();
  const auto refreshed = co_await cluster_.refresh_metadata(std::move(topics), true);
  refreshing_ = false;
  if (refreshed) {
    backoff_.reset();
  } else {
    wants_refresh_ = true;
  }
  refresh_not_before_ms_ = now_ms() + (refreshed ? cluster_.config().retry_backoff_ms : backoff_.next_ms());
  alarm_.ring();
}

Task<Answer<bool>> Producer::Impl::uses_topic_ids(std::int32_t node) {
  const auto range = co_await cluster_.versions(node, protocol::ProduceRequest::kApiKey);
  if (!range) co_return std::unexpected(range.error());
  co_return *range && (*range)->max >= kFirstProduceById;
}

Task<void> Producer::Impl::send_batches(std::int32_t node, std::vector<BatchPtr> batches) {
  const auto pass = gate_.enter();
  ++in_flight_[node];
  auto by_id = co_await uses_topic_ids(node);
  if (!by_id) {
    take_failure(std::move(batches), by_id.error());
  } else {
    protocol::ProduceRequest request;
    request.acks = config_.acks;
    request.timeout_ms = static_cast<std::int32_t>(cluster_.config().request_timeout_ms);
    bool all_ids = *by_id;
    std::map<std::string, protocol::ProduceRequest::TopicProduceData> topics;
    for (const auto& batch : batches) {
      auto& topic = topics[batch->partition.topic];
      auto& data = topic.partition_data.emplace_back();
      data.index = batch->partition.partition;
      data.records = protocol::Records(runtime::Fragments{batch->bytes});
    }
    for (auto& [name, topic] : topics) {
      const TopicInfo* known = cluster_.metadata().topic(name);
      all_ids = all_ids && known != nullptr && known->id != Uuid{};
      if (all_ids) topic.topic_id = known->id;
    }
    for (auto& [name, topic] : topics) {
      topic.name = Text(name);
      if (!all_ids) topic.topic_id = Uuid{};
      request.topic_data.push_back(std::move(topic));
    }
    CallOptions options;
    options.max_version = all_ids ? std::int16_t{32767} : static_cast<std::int16_t>(kFirstProduceById - 1);
    if (config_.acks == 0) {
      const auto sent = co_await cluster_.send_only(node, std::move(request), options);
      if (!sent)
        take_failure(std::move(batches), sent.error());
      else
        for (auto& batch : batches) accumulator_.settle(std::move(batch), -1, -1);
    } else {
      auto reply = co_await cluster_.send(node, std::move(request), options);
      if (reply)
        take_answers(std::move(batches), reply->body);
      else
        take_failure(std::move(batches), reply.error());
    }
  }
  --in_flight_[node];
  announce_room();
}

void Producer::Impl::take_answers(std::vector<BatchPtr> batches, const protocol::ProduceResponse& response) {
  std::map<TopicPartition, const protocol::ProduceResponse::PartitionProduceResponse*> answers;
  for (const auto& topic : response.responses) {
    const TopicInfo* known = topic.topic_id == Uuid{} ? nullptr : cluster_.metadata().topic(topic.topic_id);
    const std::string name = known != nullptr ? known->name : topic.name.str();
    for (const auto& partition : topic.partition_responses) answers[{name, partition.index}] = &partition;
  }
  for (auto& batch : batches) {
    const auto found = answers.find(batch->partition);
    if (found == answers.end()) {
      retry_or_fail(std::move(batch), ErrorCode::kUnknownTopicOrPartition, "The answer does not name the partition");
    } else if (found->second->error_code == 0) {
      accumulator_.settle(std::move(batch), found->second->base_offset, found->second->log_append_time_ms);
    } else {
      const std::string message = found->second->error_message ? found->second->error_message->str() : std::string();
      take_verdict(std::move(batch), protocol::error_code_from(found->second->error_code), message);
    }
  }
}

void Producer::Impl::take_verdict(BatchPtr batch, ErrorCode code, const std::string& message) {
  switch (code) {
    case ErrorCode::kDuplicateSequenceNumber:
      // Stored before; the broker no longer knows where.
      accumulator_.settle(std::move(batch), -1, -1);
      return;
    case ErrorCode::kOutOfOrderSequenceNumber:
      if (!accumulator_.is_oldest_unsettled(*batch)) {
        // An earlier one failed: this one comes after it again.
        accumulator_.retry(std::move(batch), now_ms() + cluster_.config().retry_backoff_ms);
        return;
      }
      // An earlier one was given up and not stored, so neither was this one.
      if (accumulator_.is_retiring()) return accumulator_.renumber(std::move(batch));
      accumulator_.retire_producer_id();
      accumulator_.fail(std::move(batch), {code, message});
      return;
    case ErrorCode::kUnknownProducerId:
      accumulator_.retire_producer_id();
      accumulator_.renumber(std::move(batch));
      return;
    default:
      retry_or_fail(std::move(batch), code, message);
  }
}

void Producer::Impl::take_failure(std::vector<BatchPtr> batches, const KafkaError& error) {
  for (auto& batch : batches) retry_or_fail(std::move(batch), error.code, error.message);
}

void Producer::Impl::retry_or_fail(BatchPtr batch, ErrorCode code, const std::string& message) {
  if (says_metadata_is_wrong(code)) wants_refresh_ = true;
  const bool in_time = now_ms() - batch->created_ms < config_.delivery_timeout_ms;
  if (protocol::is_retriable(code) && in_time && batch->attempts <= config_.retries && !stopped_) {
    const std::int64_t backoff_ms = cluster_.config().retry_backoff_ms;
    accumulator_.retry(std::move(batch), now_ms() + backoff_ms);
    return;
  }
  // What may or may not have been stored has spent its numbers.
  if (batch->base_sequence) accumulator_.retire_producer_id();
  const std::string text = message.empty() ? std::string(protocol::message(code)) : message;
  accumulator_.fail(std::move(batch), {code, text});
}

Producer::Producer(Cluster& cluster, ProducerConfig config)
    : impl_(std::make_unique<Impl>(cluster, std::move(config))) {}
Producer::~Producer() = default;

Task<Answer<>> Producer::send(ProducerRecord record, Callback callback) {
  return impl_->send(record, std::move(callback));
}

Task<Answer<RecordMetadata>> Producer::send_and_wait(ProducerRecord record) {
  runtime::Promise<Answer<RecordMetadata>> promise;
  auto fate = promise.future();
  auto taken =
      co_await impl_->send(record, [promise = std::move(promise)](const auto& answer) mutable { promise.set(answer); });
  if (!taken) co_return std::unexpected(std::move(taken).error());
  co_return co_await fate;
}

Task<void> Producer::flush() { return impl_->flush(); }
Task<void> Producer::close(std::int64_t timeout_ms) { return impl_->close(timeout_ms); }
std::size_t Producer::unsettled() const { return impl_->accumulator().unsettled(); }
std::size_t Producer::buffered_bytes() const { return impl_->accumulator().held_bytes(); }

}  // namespace dohle::client
