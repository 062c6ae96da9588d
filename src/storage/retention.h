// Which segments are too old, too much or below the log start. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <base/ids.h>
#include <storage/log_config.h>

namespace dohle::storage {

struct SegmentFacts {
  Offset base;
  std::uint64_t size = 0;
  std::int64_t largest_timestamp = -1;  // of its records, or when the file changed
};

struct RetentionInput {
  Offset log_start;
  Offset log_end;
  Offset high_watermark;
  std::int64_t now_ms = 0;
};

struct RetentionPlan {
  std::size_t delete_count = 0;  // from the oldest on
  std::string_view reason;
};

// Never a segment with records at or above the high watermark, nor an empty active one.
[[nodiscard]] RetentionPlan plan_retention(const std::vector<SegmentFacts>& segments, const RetentionInput& input,
                                           const LogConfig& config);

}  // namespace dohle::storage
