#include "append_queue.h"

#include <iterator>
#include <utility>

#include <base/check.h>
#include <records/builder.h>

namespace dohle::raft {

void AppendQueue::begin(Offset next) {
  next_ = next;
  groups_.clear();
  last_group_bytes_ = 0;
}

Result<Offset> AppendQueue::add(std::vector<std::vector<std::uint8_t>> records) {
  DOHLE_CHECK(!records.empty());
  std::size_t size = 0;
  for (const auto& record : records) size += records::BatchBuilder::max_record_bytes(std::nullopt, Bytes(record), {});
  if (size + records::kBatchHeaderBytes > max_batch_bytes_) {
    return fail(Errc::kRecordTooLarge, "the records do not fit one batch of the metadata log");
  }
  const auto count = static_cast<std::int64_t>(records.size());
  if (groups_.empty() || last_group_bytes_ + size > max_batch_bytes_) {
    groups_.push_back({next_, std::move(records)});
    last_group_bytes_ = records::kBatchHeaderBytes + size;
  } else {
    auto& into = groups_.back().records;
    into.insert(into.end(), std::make_move_iterator(records.begin()), std::make_move_iterator(records.end()));
    last_group_bytes_ += size;
  }
  next_ = next_ + count;
  return next_.prev();
}

std::vector<AppendQueue::Group> AppendQueue::take() {
  last_group_bytes_ = 0;
  return std::exchange(groups_, {});
}

void AppendQueue::put_back(std::vector<Group> groups, std::size_t first) {
  DOHLE_CHECK(groups_.empty());
  groups_.assign(std::make_move_iterator(groups.begin() + static_cast<std::ptrdiff_t>(first)),
                 std::make_move_iterator(groups.end()));
  last_group_bytes_ = max_batch_bytes_;  // what comes now begins a group of its own
}

}  // namespace dohle::raft
