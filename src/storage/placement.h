// Placement: everything an append writes, in one piece. FileWork of several files; see there who runs it.
#pragma once

#include <memory>
#include <optional>

#include "file_work.h"
#include "segment.h"

namespace dohle::storage {

// The active segment is sealed and another one begun.
struct Roll {
  Offset base;
  std::unique_ptr<Segment> fresh;
  SegmentSeal seal;
  SegmentFiles files;
  std::optional<WholeFile> snapshot;  // of the producers
  [[nodiscard]] Result<> run(runtime::FileSystem& fs);
};

struct Placement {
  std::optional<WholeFile> metadata;
  std::unique_ptr<Roll> roll;
  std::optional<WholeFile> epochs;
  Segment* segment = nullptr;  // that is written to
  SegmentWrite write;
  [[nodiscard]] Result<> run(runtime::FileSystem& fs);
};

}  // namespace dohle::storage
