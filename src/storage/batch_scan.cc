#include <storage/batch_scan.h>

#include <algorithm>

#include "open_files.h"

namespace dohle::storage {

namespace {

constexpr std::size_t kHeaderWindow = 4096;
constexpr std::size_t kWholeWindow = 1U << 20U;
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

}  // namespace dohle::storage
