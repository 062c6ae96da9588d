#include "memory_pipe.h"

#include <algorithm>

namespace dohle::runtime {

std::vector<std::int16_t> RequestSpotter::spot(Bytes bytes) {
  std::vector<std::int16_t> found;
  while (!bytes.empty()) {
    if (rest_ > 0) {
      const std::size_t skipped = std::min<std::uint64_t>(rest_, bytes.size());
      rest_ -= skipped;
      bytes = bytes.subspan(skipped);
      continue;
    }
    header_.at(header_bytes_++) = bytes.front();
    bytes = bytes.subspan(1);
    if (header_bytes_ < header_.size()) continue;
    header_bytes_ = 0;
    const std::uint64_t size = std::uint64_t{header_[0]} << 24U | std::uint64_t{header_[1]} << 16U |
                               std::uint64_t{header_[2]} << 8U | header_[3];
    rest_ = size > 2 ? size - 2 : 0;
    found.push_back(static_cast<std::int16_t>(header_[4] << 8U | header_[5]));
  }
  return found;
}

std::size_t MemoryPipe::take(MutableBytes into) {
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(taken), into.size(), into.begin());
  taken += into.size();
  if (taken == bytes.size()) {
    bytes.clear();
    taken = 0;
  }
  if (!into.empty()) writer.wake();
  return into.size();
}

void MemoryPipe::put(Bytes piece, MonotonicTime now, MonotonicTime at) {
  if (on_the_way.empty() && at <= now) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    reader.wake();
    return;
  }
  if (!on_the_way.empty()) at = std::max(at, on_the_way.back().at);
  on_the_way.push_back({.at = at, .bytes = {piece.begin(), piece.end()}});
  on_the_way_bytes += piece.size();
}

void MemoryPipe::put_end(MonotonicTime now, MonotonicTime at) {
  if (on_the_way.empty() && at <= now) {
    writer_closed = true;
    reader.wake();
    return;
  }
  if (!on_the_way.empty()) at = std::max(at, on_the_way.back().at);
  on_the_way.push_back({.at = at, .bytes = {}, .end = true});
}

std::optional<MonotonicTime> MemoryPipe::arrive(MonotonicTime now) {
  while (!on_the_way.empty() && on_the_way.front().at <= now) {
    const Piece& piece = on_the_way.front();
    bytes.insert(bytes.end(), piece.bytes.begin(), piece.bytes.end());
    on_the_way_bytes -= piece.bytes.size();
    if (piece.end) writer_closed = true;
    on_the_way.pop_front();
    reader.wake();
  }
  if (on_the_way.empty()) return std::nullopt;
  return on_the_way.front().at;
}

}  // namespace dohle::runtime
