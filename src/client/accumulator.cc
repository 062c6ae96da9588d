#include "accumulator.h"

#include <algorithm>
#include <utility>

#include <base/check.h>
#include <fmt/core.h>

namespace dohle::client {

using protocol::ErrorCode;

std::size_t Accumulator::charge_of(const ProducerRecord& record) {
  return records::BatchBuilder::max_record_bytes(record.key, record.value, record.headers);
}

bool Accumulator::is_full(const ProducerBatch& batch, std::size_t more) const {
  const auto bytes = static_cast<double>(batch.builder->uncompressed_bytes() + more);
  return bytes * compression_ratio_ > static_cast<double>(config_->batch_size);
}

bool Accumulator::append(const TopicPartition& partition, const ProducerRecord& record, std::int64_t timestamp_ms,
                         std::int64_t now_ms, Producer::Callback callback) {
  auto& waiting = queues_[partition].waiting;
  const std::size_t charge = charge_of(record);
  bool closed_one = false;
  const bool open = !waiting.empty() && !waiting.back()->closed;
  if (open && is_full(*waiting.back(), charge)) waiting.back()->closed = closed_one = true;
  if (!open || closed_one) {
    auto batch = std::make_unique<ProducerBatch>();
    batch->partition = partition;
    batch->created_ms = now_ms;
    batch->ordinal = next_ordinal_++;
    records::BuilderOptions options;
    options.compression = config_->compression;
    batch->builder.emplace(std::move(options));
    waiting.push_back(std::move(batch));
  }
  ProducerBatch& batch = *waiting.back();
  batch.builder->append(timestamp_ms, record.key, record.value, record.headers);
  batch.callbacks.push_back(std::move(callback));
  batch.timestamps_ms.push_back(timestamp_ms);
  batch.charged_bytes += charge;
  held_bytes_ += charge;
  ++unsettled_;
  return closed_one;
}

bool Accumulator::is_due(const ProducerBatch& batch, bool alone, std::int64_t now_ms, bool hurry) const {
  if (now_ms < batch.not_before_ms) return false;
  const bool short_of_memory = held_bytes_ >= config_->buffer_memory;
  return hurry || short_of_memory || batch.closed || !alone || batch.attempts > 0 || is_full(batch, 0) ||
         now_ms - batch.created_ms >= config_->linger_ms;
}

void Accumulator::number(ProducerBatch& batch, Queue& queue) const {
  if (!config_->enable_idempotence || batch.base_sequence) return;
  batch.base_sequence = queue.next_sequence;
  queue.next_sequence = records::increment_sequence(queue.next_sequence, batch.record_count());
}

BatchPtr Accumulator::take(const TopicPartition& partition, std::int64_t now_ms, bool hurry) {
  const auto found = queues_.find(partition);
  if (found == queues_.end() || found->second.waiting.empty()) return nullptr;
  Queue& queue = found->second;
  const auto at =
      retiring_ ? std::ranges::find_if(queue.waiting, [](const BatchPtr& b) { return b->base_sequence.has_value(); })
                : queue.waiting.begin();
  if (at == queue.waiting.end() || !is_due(**at, queue.waiting.size() == 1, now_ms, hurry)) return nullptr;
  constexpr std::size_t kMaxNumberedUnderWay = 5;  // what a broker remembers of a producer
  if (config_->enable_idempotence) {
    if (producer_id_.value() < 0 || queue.under_way.size() >= kMaxNumberedUnderWay) return nullptr;
    // One that is sent again waits for those before it: they may come back too.
    if ((*at)->base_sequence && !queue.under_way.empty()) return nullptr;
  }
  BatchPtr batch = std::move(*at);
  queue.waiting.erase(at);
  batch->closed = true;
  number(*batch, queue);
  if (batch->builder) {
    const std::size_t uncompressed = batch->builder->uncompressed_bytes();
    if (batch->base_sequence) {
      batch->builder->set_producer_state(producer_id_, producer_epoch_, *batch->base_sequence, false);
    }
    batch->bytes = batch->builder->build();
    batch->builder.reset();
    // Eager to learn that data got worse, slow to hope.
    const double ratio = static_cast<double>(batch->bytes.size()) / static_cast<double>(uncompressed);
    compression_ratio_ = std::min(1.0, std::max(ratio * 1.05, compression_ratio_ - 0.005));
  }
  queue.under_way.push_back(batch->base_sequence.value_or(records::kNoSequence));
  ++under_way_;
  ++batch->attempts;
  return batch;
}

std::vector<TopicPartition> Accumulator::waiting() const {
  std::vector<TopicPartition> out;
  for (const auto& [partition, queue] : queues_) {
    if (!queue.waiting.empty()) out.push_back(partition);
  }
  return out;
}

std::int64_t Accumulator::next_event_ms(std::int64_t now_ms) const {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  for (const auto& [partition, queue] : queues_) {
    if (queue.waiting.empty()) continue;
    const ProducerBatch& first = *queue.waiting.front();
    const bool ready = is_due(first, queue.waiting.size() == 1, now_ms, false);
    const std::int64_t due = std::max(first.not_before_ms, ready ? now_ms : first.created_ms + config_->linger_ms);
    next = std::min({next, due, first.created_ms + config_->delivery_timeout_ms});
  }
  return next;
}

void Accumulator::leave(const ProducerBatch& batch) {
  auto& under_way = queues_.at(batch.partition).under_way;
  const auto found = std::ranges::find(under_way, batch.base_sequence.value_or(records::kNoSequence));
  DOHLE_CHECK(found != under_way.end());
  under_way.erase(found);
  --under_way_;
}

void Accumulator::finish(ProducerBatch& batch) {
  held_bytes_ -= batch.charged_bytes;
  unsettled_ -= batch.callbacks.size();
}

void Accumulator::settle(BatchPtr batch, std::int64_t base_offset, std::int64_t log_append_time_ms) {
  leave(*batch);
  finish(*batch);
  for (std::size_t i = 0; i < batch->callbacks.size(); ++i) {
    if (!batch->callbacks[i]) continue;
    const auto relative = static_cast<std::int64_t>(i);
    batch->callbacks[i](RecordMetadata{batch->partition, base_offset < 0 ? -1 : base_offset + relative,
                                       log_append_time_ms >= 0 ? log_append_time_ms : batch->timestamps_ms[i]});
  }
}

void Accumulator::fail(BatchPtr batch, const KafkaError& error) {
  leave(*batch);
  finish(*batch);
  for (auto& callback : batch->callbacks) {
    if (callback) callback(std::unexpected(error));
  }
}

void Accumulator::retry(BatchPtr batch, std::int64_t not_before_ms) {
  leave(*batch);
  batch->not_before_ms = not_before_ms;
  put_back(std::move(batch));
}

void Accumulator::renumber(BatchPtr batch) {
  leave(*batch);
  batch->base_sequence.reset();
  put_back(std::move(batch));
}

void Accumulator::put_back(BatchPtr batch) {
  auto& waiting = queues_.at(batch->partition).waiting;
  const auto at = std::ranges::find_if(waiting, [&](const BatchPtr& other) { return other->ordinal > batch->ordinal; });
  waiting.insert(at, std::move(batch));
}

bool Accumulator::has_numbered() const {
  return std::ranges::any_of(queues_, [](const auto& queue) {
    return std::ranges::any_of(queue.second.under_way,
                               [](std::int32_t sequence) { return sequence != records::kNoSequence; }) ||
           std::ranges::any_of(queue.second.waiting,
                               [](const BatchPtr& batch) { return batch->base_sequence.has_value(); });
  });
}

bool Accumulator::is_oldest_unsettled(const ProducerBatch& batch) const {
  const Queue& queue = queues_.at(batch.partition);
  const auto before = [&](std::int32_t sequence) { return sequence < batch.base_sequence.value_or(0); };
  return std::ranges::none_of(queue.under_way, before) &&
         std::ranges::none_of(queue.waiting, [&](const BatchPtr& other) {
           return other->base_sequence && before(*other->base_sequence);
         });
}

bool Accumulator::expire(std::int64_t now_ms) {
  bool numbered = false;
  for (auto& [partition, queue] : queues_) {
    while (!queue.waiting.empty() && now_ms - queue.waiting.front()->created_ms >= config_->delivery_timeout_ms) {
      BatchPtr batch = std::move(queue.waiting.front());
      queue.waiting.pop_front();
      numbered = numbered || batch->base_sequence.has_value();
      finish(*batch);
      const KafkaError error{
          ErrorCode::kRequestTimedOut,
          fmt::format("Expiring {} record(s) for {}-{}: {} ms have passed since batch creation", batch->record_count(),
                      partition.topic, partition.partition, now_ms - batch->created_ms)};
      for (auto& callback : batch->callbacks) {
        if (callback) callback(std::unexpected(error));
      }
    }
  }
  return numbered;
}

void Accumulator::fail_all_waiting(const KafkaError& error) {
  for (auto& [partition, queue] : queues_) {
    for (auto& batch : std::exchange(queue.waiting, {})) {
      finish(*batch);
      for (auto& callback : batch->callbacks) {
        if (callback) callback(std::unexpected(error));
      }
    }
  }
}

void Accumulator::set_producer_id(ProducerId id, std::int16_t epoch) {
  DOHLE_CHECK(!has_numbered());
  retiring_ = false;
  producer_id_ = id;
  producer_epoch_ = epoch;
  for (auto& [partition, queue] : queues_) {
    queue.next_sequence = 0;
    for (auto& batch : queue.waiting) {
      if (batch->builder) continue;
      // Built before under another id: the first of its partition to be numbered again.
      number(*batch, queue);
      records::set_producer_state(batch->bytes.mutable_bytes(), id, epoch, *batch->base_sequence);
    }
  }
}

}  // namespace dohle::client
