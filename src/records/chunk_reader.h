// Reads a decompressed stream by lengths instead of by chunks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>
#include <records/codec.h>

namespace dohle::records {

class ChunkReader {
 public:
  explicit ChunkReader(Decompressor& from) : from_(&from) {}

  // True when at least one byte is at hand.
  [[nodiscard]] Result<bool> more() {
    if (!chunk_.empty()) return true;
    DOHLE_ASSIGN(chunk_, from_->next_chunk());
    return !chunk_.empty();
  }
  // The next byte; nothing at the end of the stream.
  [[nodiscard]] Result<std::optional<std::uint8_t>> byte() {
    DOHLE_ASSIGN(const bool any, more());
    if (!any) return std::nullopt;
    const std::uint8_t value = chunk_.front();
    chunk_ = chunk_.subspan(1);
    return value;
  }
  // The next `size` bytes, fewer only at the end of the stream: in place when one chunk holds them, else copied to
  // `room`, which grows with what really arrives. Valid until the next call.
  [[nodiscard]] Result<Bytes> take(std::size_t size, std::vector<std::uint8_t>& room) {
    if (size > 0) DOHLE_TRY(more());
    if (chunk_.size() >= size) {
      const Bytes out = chunk_.first(size);
      chunk_ = chunk_.subspan(size);
      return out;
    }
    room.clear();
    while (room.size() < size) {
      DOHLE_ASSIGN(const bool any, more());
      if (!any) break;
      const Bytes part = chunk_.first(std::min(chunk_.size(), size - room.size()));
      room.insert(room.end(), part.begin(), part.end());
      chunk_ = chunk_.subspan(part.size());
    }
    return Bytes(room);
  }

 private:
  Decompressor* from_;
  Bytes chunk_;
};

}  // namespace dohle::records
