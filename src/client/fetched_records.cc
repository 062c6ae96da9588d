#include "fetched_records.h"

#include <algorithm>

#include <fmt/core.h>
#include <records/control.h>

namespace dohle::client {

using protocol::ErrorCode;

FetchedRecords::FetchedRecords(TopicPartition partition, Slice frame, Bytes records, std::int64_t position,
                               std::vector<AbortedTransaction> aborted, IsolationLevel isolation, bool check_crcs)
    : partition_(std::move(partition)),
      frame_(std::move(frame)),
      cursor_(records),
      position_(position),
      aborted_(std::move(aborted)),
      isolation_(isolation),
      check_crcs_(check_crcs) {
  std::ranges::sort(aborted_, std::ranges::greater{}, &AbortedTransaction::first_offset);
}

std::unexpected<KafkaError> FetchedRecords::corrupt(const Error& error) const {
  return failure(ErrorCode::kCorruptMessage,
                 fmt::format("Record at offset {} of {}-{} cannot be read: {}. If needed, seek past it to go on.",
                             position_, partition_.topic, partition_.partition, error.message));
}

bool FetchedRecords::is_aborted(const records::BatchView& batch) {
  if (isolation_ != IsolationLevel::kReadCommitted || !batch.has_producer_id()) return false;
  while (!aborted_.empty() && aborted_.back().first_offset <= batch.last_offset().value()) {
    aborted_producers_.insert(aborted_.back().producer_id);
    aborted_.pop_back();
  }
  const std::int64_t producer = batch.producer_id().value();
  if (batch.is_control()) {
    records::RecordReader reader(batch, &decompressor_);
    const auto any = reader.next();
    if (any && *any && reader.record().key) {
      const auto type = records::decode_control_key(*reader.record().key);
      if (type && *type == records::ControlType::kAbort) aborted_producers_.erase(producer);
    }
    return true;
  }
  return batch.is_transactional() && aborted_producers_.contains(producer);
}

// True when batch_ is one to read from.
Answer<bool> FetchedRecords::next_batch() {
  for (;;) {
    const auto next = cursor_.next();
    if (!next) return corrupt(next.error());
    if (!*next) {
      exhausted_ = true;
      return false;
    }
    batch_ = **next;
    if (batch_->last_offset().value() < position_) continue;
    if (check_crcs_ && !batch_->crc_ok()) return corrupt({Errc::kCorrupt, "the CRC does not match"});
    leader_epoch_ = batch_->leader_epoch().value();
    if (is_aborted(*batch_) || batch_->is_control()) {
      end_batch();
      continue;
    }
    reader_.emplace(*batch_, &decompressor_);
    return true;
  }
}

// A batch may end after its last record, where compaction took some away.
void FetchedRecords::end_batch() {
  position_ = std::max(position_, batch_->next_offset().value());
  reader_.reset();
}

Answer<bool> FetchedRecords::next_record() {
  for (;;) {
    if (!reader_) {
      const auto any = next_batch();
      if (!any || !*any) return any;
    }
    const auto more = reader_->next();
    if (!more) return corrupt(more.error());
    if (!*more) {
      end_batch();
      continue;
    }
    if (reader_->record().offset.value() >= position_) return true;
  }
}

Answer<> FetchedRecords::take(std::size_t max_records, ConsumerRecords& out) {
  for (; max_records > 0; --max_records) {
    const auto any = next_record();
    if (!any) return std::unexpected(any.error());
    if (!*any) return {};
    const auto& record = reader_->record();
    out.add(partition_.topic, partition_.partition, leader_epoch_, record);
    position_ = record.offset.next().value();
  }
  return {};
}

}  // namespace dohle::client
