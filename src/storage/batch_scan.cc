#include <storage/batch_scan.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "open_files.h"

namespace dohle::storage {

namespace {

constexpr std::size_t kHeaderWindow = 4096;
constexpr std::size_t kWholeWindow = 1U << 20U;
constexpr int kChainLength = 8;  // batches that follow each other are no accident
// v1: offset 8, length 4, crc 4, magic 1, attributes 1, timestamp 8.
constexpr std::size_t kV1TimestampAt = 18;

BatchPlace describe(Bytes header, const records::BatchPrefix& prefix, std::uint64_t position) {
  BatchPlace place{.position = position,
                   .size = prefix.size_bytes,
                   .magic = prefix.magic,
                   .base_offset = prefix.offset,
                   .last_offset = prefix.offset};
  if (prefix.magic == records::kMagicV2) {
    const auto* at = header.data();
    place.last_offset = prefix.offset + load_be<std::int32_t>(at + records::layout::kLastOffsetDelta);
    place.leader_epoch = LeaderEpoch(load_be<std::int32_t>(at + records::layout::kLeaderEpoch));
    place.max_timestamp = load_be<std::int64_t>(at + records::layout::kMaxTimestamp);
  } else if (prefix.magic == records::kMagicV1) {
    place.max_timestamp = load_be<std::int64_t>(header.data() + kV1TimestampAt);
  }
  return place;
}

std::size_t header_bytes(std::int8_t magic) {
  if (magic == records::kMagicV2) return records::kBatchHeaderBytes;
  return magic == records::kMagicV1 ? kV1TimestampAt + 8 : records::kPrefixBytes;
}

}  // namespace

Result<Bytes> BatchHeaderScanner::peek(std::size_t bytes) {
  const std::size_t wanted = std::min<std::uint64_t>(bytes, end_ - position_);
  const bool inside = position_ >= buffer_at_ && position_ + wanted <= buffer_at_ + buffer_.size();
  if (!inside) {
    buffer_.resize(std::min<std::uint64_t>(std::max(kHeaderWindow, wanted), end_ - position_));
    auto got = read_some(file_, position_, buffer_, probe_);
    if (!got) {
      buffer_.clear();
      return fail(got.error());
    }
    buffer_.resize(*got);
    buffer_at_ = position_;
  }
  const std::size_t skip = position_ - buffer_at_;
  return Bytes(buffer_).subspan(skip, std::min(wanted, buffer_.size() - skip));
}

Result<std::optional<BatchPlace>> BatchHeaderScanner::next() {
  if (position_ >= end_) return std::optional<BatchPlace>{};
  DOHLE_ASSIGN(Bytes header, peek(records::kBatchHeaderBytes));
  DOHLE_ASSIGN(const auto prefix, records::peek(header));
  if (!prefix || prefix->size_bytes > end_ - position_) return std::optional<BatchPlace>{};
  if (prefix->size_bytes < header_bytes(prefix->magic) || header.size() < header_bytes(prefix->magic)) {
    return fail(Errc::kCorrupt, "a batch is smaller than its header");
  }
  const BatchPlace place = describe(header, *prefix, position_);
  if (place.last_offset < place.base_offset) return fail(Errc::kCorrupt, "a batch ends before it begins");
  position_ += place.size;
  return std::optional(place);
}

Result<Bytes> BatchFileReader::peek(std::size_t bytes) {
  const std::size_t wanted = std::min<std::uint64_t>(bytes, end_ - position_);
  if (position_ < buffer_at_ || position_ + wanted > buffer_at_ + filled_) {
    const std::size_t window = std::min<std::uint64_t>(std::max(kWholeWindow, wanted), end_ - position_);
    if (buffer_.size() < window) buffer_.resize(window);
    DOHLE_ASSIGN(filled_, read_some(file_, position_, MutableBytes(buffer_).first(window), probe_));
    buffer_at_ = position_;
  }
  const std::size_t skip = position_ - buffer_at_;
  return Bytes(buffer_).subspan(skip, std::min(wanted, filled_ - skip));
}

Result<std::optional<records::BatchView>> BatchFileReader::next() {
  using None = std::optional<records::BatchView>;
  if (position_ >= end_) return None{};
  DOHLE_ASSIGN(Bytes start, peek(records::kPrefixBytes));
  DOHLE_ASSIGN(const auto prefix, records::peek(start));
  if (!prefix || prefix->size_bytes > end_ - position_) return None{};
  DOHLE_ASSIGN(Bytes whole, peek(prefix->size_bytes));
  if (whole.size() < prefix->size_bytes) return None{};
  DOHLE_ASSIGN(const auto batch, records::BatchView::parse(whole));
  position_ += prefix->size_bytes;
  return None(batch);
}

Result<std::optional<records::BatchView>> BatchFileReader::next_sound() {
  auto batch = next();
  if (!batch && batch.error().code != Errc::kCorrupt) return batch;
  if (!batch || !*batch || !(*batch)->crc_ok()) return std::optional<records::BatchView>{};
  return batch;
}

Result<bool> BatchFileReader::skip_damage(std::uint64_t damaged_at, Offset at_least) {
  position_ = damaged_at + 1;
  while (position_ + records::kBatchHeaderBytes <= end_) {
    DOHLE_ASSIGN(const Bytes window, peek(kWholeWindow));
    if (window.size() < records::kBatchHeaderBytes) break;
    // Few bytes are the magic of a batch, so that most of the file is looked at once and quickly.
    const std::size_t starts = window.size() - records::kBatchHeaderBytes + 1;
    std::vector<std::uint64_t> candidates;
    for (std::size_t at = 0; at < starts; ++at) {
      const auto* found = std::memchr(window.data() + at + records::layout::kMagic, records::kMagicV2, starts - at);
      if (found == nullptr) break;
      at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - window.data()) - records::layout::kMagic;
      const Offset base(load_be<std::int64_t>(window.data() + at + records::layout::kBaseOffset));
      if (base < at_least || base - at_least > std::numeric_limits<std::int32_t>::max()) continue;
      candidates.push_back(position_ + at);
    }
    for (const std::uint64_t candidate : candidates) {
      DOHLE_ASSIGN(const bool sound, sound_from(candidate, at_least));
      if (!sound) continue;
      position_ = candidate;
      return true;
    }
    position_ += starts;
  }
  position_ = end_;
  return false;
}

Result<bool> BatchFileReader::sound_from(std::uint64_t position, Offset at_least) const {
  BatchFileReader first(file_, position, end_, probe_);
  DOHLE_ASSIGN(const auto batch, first.next_sound());
  if (!batch) return false;
  Offset next = std::max(at_least, batch->next_offset());
  BatchHeaderScanner others(file_, first.position(), end_, probe_);
  for (int i = 0; i < kChainLength; ++i) {
    const auto place = others.next();
    if (!place && place.error().code != Errc::kCorrupt) return fail(place.error());
    if (!place || (*place && (*place)->base_offset < next)) return false;
    if (!*place) return others.position() == end_;
    next = (*place)->last_offset.next();
  }
  return true;
}

}  // namespace dohle::storage
