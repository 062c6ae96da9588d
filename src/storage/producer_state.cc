#include "producer_state.h"

#include <algorithm>
#include <limits>

#include <base/mutant.h>
#include <fmt/format.h>
#include <records/control.h>
#include <records/reader.h>

namespace dohle::storage {

namespace {

constexpr std::int32_t kMaxSequence = std::numeric_limits<std::int32_t>::max();

bool follows(std::int32_t last, std::int32_t next) {
  return next == static_cast<std::int64_t>(last) + 1 || (next == 0 && last == kMaxSequence);
}

// A sequence number may be anything when nothing is known of the producer: its records may have been deleted.
Result<> check_sequence(const records::BatchView& batch, const ProducerEntry& entry) {
  const std::int32_t first = batch.base_sequence();
  if (DOHLE_MUTANT("storage.sequence_not_checked")) return {};
  if (entry.epoch == records::kNoProducerEpoch) return {};
  if (batch.producer_epoch() != entry.epoch) {
    if (first == 0) return {};
    return fail(Errc::kOutOfOrderSequence, fmt::format("producer {} begins epoch {} with sequence number {}",
                                                       batch.producer_id().value(), batch.producer_epoch(), first));
  }
  const std::int32_t last = entry.has_batches() ? entry.last().last_sequence : records::kNoSequence;
  if (follows(last, first)) return {};
  return fail(Errc::kOutOfOrderSequence,
              fmt::format("producer {} sent sequence number {} after {}", batch.producer_id().value(), first, last));
}

Result<> check_epoch(const records::BatchView& batch, const ProducerEntry& entry, AppendOrigin origin) {
  if (batch.producer_epoch() >= entry.epoch || origin == AppendOrigin::kReplication) return {};
  return fail(Errc::kInvalidProducerEpoch,
              fmt::format("producer {} has epoch {}, the last one seen is {}", batch.producer_id().value(),
                          batch.producer_epoch(), entry.epoch));
}

}  // namespace

ProducerBatch ProducerBatch::of(const records::BatchView& batch) {
  return {.last_sequence = batch.last_sequence(),
          .last_offset = batch.last_offset(),
          .offset_delta = static_cast<std::int32_t>(batch.last_offset() - batch.base_offset()),
          .timestamp = batch.max_timestamp()};
}

std::int32_t ProducerBatch::first_sequence() const {
  const std::int64_t first = static_cast<std::int64_t>(last_sequence) - offset_delta;
  return static_cast<std::int32_t>(first >= 0 ? first : first + (std::int64_t{1} << 31U));
}

const ProducerBatch* ProducerEntry::find_duplicate(std::int16_t batch_epoch, std::int32_t first_sequence,
                                                   std::int32_t last_sequence) const {
  if (batch_epoch != epoch) return nullptr;
  for (std::size_t i = DOHLE_MUTANT("storage.dedup_window_of_one") && count_ > 0 ? count_ - 1 : 0; i < count_; ++i) {
    const auto& batch = batches_.at(i);
    if (batch.last_sequence == last_sequence && batch.first_sequence() == first_sequence) return &batch;
  }
  return nullptr;
}

void ProducerEntry::set_epoch(std::int16_t new_epoch) {
  if (epoch == new_epoch) return;
  count_ = 0;
  epoch = new_epoch;
}

void ProducerEntry::add(std::int16_t batch_epoch, const ProducerBatch& batch) {
  set_epoch(batch_epoch);
  if (count_ == kBatches) {
    std::ranges::copy(batches_.begin() + 1, batches_.end(), batches_.begin());
    --count_;
  }
  batches_.at(count_++) = batch;
  last_timestamp = batch.timestamp;
}

void ProducerEntry::recall(const ProducerEntry& read) {
  if (!has_batches() || !read.has_batches() || read.epoch != epoch) return;
  if (read.last().last_offset != last().last_offset || read.last().last_sequence != last().last_sequence) return;
  batches_ = read.batches_;
  count_ = read.count_;
}

ProducerInfo describe_producer(ProducerId id, const ProducerEntry& entry) {
  const ProducerBatch last = entry.has_batches() ? entry.last() : ProducerBatch{};
  return {.id = id,
          .epoch = entry.epoch,
          .last_sequence = last.last_sequence,
          .last_offset = last.last_offset,
          .offset_delta = last.offset_delta,
          .last_timestamp = entry.last_timestamp,
          .coordinator_epoch = entry.coordinator_epoch,
          .current_txn_first_offset = entry.txn_first_offset.value_or(kNoOffset)};
}

const ProducerEntry* ProducerState::find(ProducerId id) const {
  const auto at = producers_.find(id);
  return at == producers_.end() ? nullptr : &at->second;
}

Result<> ProducerState::prepare(const records::BatchView& batch, AppendOrigin origin, ProducerUpdate& update) const {
  auto [at, fresh] = update.entries.try_emplace(batch.producer_id());
  if (fresh) {
    if (const auto* known = find(batch.producer_id())) at->second = *known;
  }
  return batch.is_control() ? prepare_marker(batch, origin, at->second, update)
                            : prepare_data(batch, origin, at->second, update);
}

Result<> ProducerState::prepare_data(const records::BatchView& batch, AppendOrigin origin, ProducerEntry& entry,
                                     ProducerUpdate& update) const {
  DOHLE_TRY(check_epoch(batch, entry, origin));
  if (origin == AppendOrigin::kClient) DOHLE_TRY(check_sequence(batch, entry));
  if (entry.txn_first_offset && !batch.is_transactional()) {
    return fail(Errc::kInvalidRecord,
                fmt::format("producer {} sent records outside its open transaction", batch.producer_id().value()));
  }
  entry.add(batch.producer_epoch(), ProducerBatch::of(batch));
  if (!entry.txn_first_offset && batch.is_transactional()) {
    entry.txn_first_offset = batch.base_offset();
    update.started.emplace(batch.base_offset(), batch.producer_id());
  }
  return {};
}

Result<> ProducerState::prepare_marker(const records::BatchView& batch, AppendOrigin origin, ProducerEntry& entry,
                                       ProducerUpdate& update) const {
  records::RecordReader reader(batch);
  DOHLE_ASSIGN(const bool any, reader.next());
  if (!any) return {};  // compaction removed the whole transaction
  const auto& record = reader.record();
  DOHLE_ASSIGN(const auto type, records::decode_control_key(record.key.value_or(Bytes{})));
  if (type != records::ControlType::kAbort && type != records::ControlType::kCommit) return {};
  DOHLE_ASSIGN(const auto marker, records::decode_end_transaction_marker(record.value.value_or(Bytes{})));
  DOHLE_TRY(check_epoch(batch, entry, origin));
  if (entry.coordinator_epoch > marker.coordinator_epoch && origin != AppendOrigin::kReplication) {
    return fail(Errc::kFencedEpoch, fmt::format("transaction coordinator epoch {} is older than {}",
                                                marker.coordinator_epoch, entry.coordinator_epoch));
  }
  if (entry.txn_first_offset) {
    update.completed.push_back({.producer_id = batch.producer_id(),
                                .first_offset = *entry.txn_first_offset,
                                .last_offset = batch.base_offset(),
                                .aborted = type == records::ControlType::kAbort});
  }
  entry.set_epoch(batch.producer_epoch());
  entry.coordinator_epoch = marker.coordinator_epoch;
  entry.last_timestamp = record.timestamp_ms;
  entry.txn_first_offset.reset();
  return {};
}

void ProducerState::apply(const ProducerUpdate& update) {
  for (const auto& [id, entry] : update.entries) producers_.insert_or_assign(id, entry);
  for (const auto& [first, id] : update.started) ongoing_.emplace(first, id);
}

Offset ProducerState::last_stable_offset(const CompletedTxn& txn) const {
  for (const auto& [first, id] : ongoing_) {
    if (id != txn.producer_id) return first;
  }
  return txn.last_offset.next();
}

void ProducerState::complete(const CompletedTxn& txn) {
  ongoing_.erase(txn.first_offset);
  unreplicated_.insert_or_assign(txn.first_offset, Ended{txn.producer_id, txn.last_offset});
}

std::optional<Offset> ProducerState::first_unstable_offset() const {
  std::optional<Offset> first;
  if (!ongoing_.empty()) first = ongoing_.begin()->first;
  if (!unreplicated_.empty() && (!first || unreplicated_.begin()->first < *first)) first = unreplicated_.begin()->first;
  return first;
}

void ProducerState::on_high_watermark(Offset high_watermark) {
  std::erase_if(unreplicated_, [&](const auto& txn) { return txn.second.last_offset < high_watermark; });
}

void ProducerState::on_log_start(Offset log_start) {
  std::erase_if(unreplicated_, [&](const auto& txn) { return txn.second.last_offset < log_start; });
  end_ = std::max(end_, log_start);
}

void ProducerState::clear() {
  producers_.clear();
  ongoing_.clear();
  unreplicated_.clear();
  end_ = Offset(0);
}

void ProducerState::load(const std::map<ProducerId, ProducerEntry>& producers, Offset end, std::int64_t now_ms) {
  for (const auto& [id, entry] : producers) {
    if (expired(entry, now_ms)) continue;
    producers_.insert_or_assign(id, entry);
    if (entry.txn_first_offset) ongoing_.emplace(*entry.txn_first_offset, id);
  }
  end_ = end;
}

void ProducerState::recall(const std::map<ProducerId, ProducerEntry>& read) {
  for (auto& [id, entry] : producers_) {
    if (const auto at = read.find(id); at != read.end()) entry.recall(at->second);
  }
}

bool ProducerState::expired(const ProducerEntry& entry, std::int64_t now_ms) const {
  return !entry.txn_first_offset && now_ms - entry.last_timestamp >= expiration_ms_;
}

void ProducerState::remove_expired(std::int64_t now_ms) {
  std::erase_if(producers_, [&](const auto& producer) { return expired(producer.second, now_ms); });
}

}  // namespace dohle::storage
