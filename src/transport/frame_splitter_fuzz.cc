// Whatever the bytes and however they are cut: frames are those of a plain reading, or the same bytes are refused.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <base/check.h>

#include "frame_splitter.h"

namespace {

using dohle::Bytes;
using dohle::transport::FrameSplitter;

constexpr std::uint32_t kMost = 300;

struct Outcome {
  std::vector<std::string> frames;
  bool refused = false;
  bool operator==(const Outcome&) const = default;
};

Outcome read_plainly(Bytes bytes) {
  Outcome outcome;
  while (bytes.size() >= 4) {
    const auto size = dohle::load_be<std::int32_t>(bytes.data());
    outcome.refused = size < 0 || static_cast<std::uint32_t>(size) > kMost;
    if (outcome.refused || bytes.size() - 4 < static_cast<std::size_t>(size)) return outcome;
    outcome.frames.emplace_back(dohle::as_text(bytes.subspan(4, static_cast<std::size_t>(size))));
    bytes = bytes.subspan(4 + static_cast<std::size_t>(size));
  }
  return outcome;
}

Outcome read_in_pieces(Bytes bytes, std::size_t piece_bytes) {
  Outcome outcome;
  FrameSplitter splitter(kMost);
  while (!bytes.empty()) {
    Bytes piece = bytes.first(std::min(piece_bytes, bytes.size()));
    bytes = bytes.subspan(piece.size());
    for (;;) {
      const auto step = splitter.step(piece);
      if (!step) {
        outcome.refused = true;
        return outcome;
      }
      if (*step == FrameSplitter::Step::kNeedBytes) break;
      if (*step == FrameSplitter::Step::kSize) splitter.begin_body();
      if (*step == FrameSplitter::Step::kFrame)
        outcome.frames.emplace_back(dohle::as_text(splitter.take_frame().bytes()));
    }
    DOHLE_CHECK(piece.empty());
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece_bytes = 1 + data[0] % 64;
  const Bytes bytes(data + 1, size - 1);
  DOHLE_CHECK(read_in_pieces(bytes, piece_bytes) == read_plainly(bytes));
  return 0;
}
