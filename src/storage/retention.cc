#include "retention.h"

namespace dohle::storage {

namespace {

Offset end_of(const std::vector<SegmentFacts>& segments, std::size_t n, const RetentionInput& input) {
  return n + 1 < segments.size() ? segments[n + 1].base : input.log_end;
}

bool may_go(const std::vector<SegmentFacts>& segments, std::size_t n, const RetentionInput& input) {
  const bool last = n + 1 == segments.size();
  return input.high_watermark >= end_of(segments, n, input) && !(last && segments[n].size == 0);
}

}  // namespace

RetentionPlan plan_retention(const std::vector<SegmentFacts>& segments, const RetentionInput& input,
                             const LogConfig& config) {
  RetentionPlan plan;
  const auto extend = [&](std::string_view reason, auto&& condition) {
    while (plan.delete_count < segments.size() && may_go(segments, plan.delete_count, input) &&
           condition(plan.delete_count)) {
      ++plan.delete_count;
      plan.reason = reason;
    }
  };
  extend("below the log start offset",
         [&](std::size_t n) { return n + 1 < segments.size() && segments[n + 1].base <= input.log_start; });
  if (!config.cleanup_delete) return plan;
  if (config.retention_bytes >= 0) {
    std::int64_t excess = -config.retention_bytes;
    for (std::size_t n = plan.delete_count; n < segments.size(); ++n) {
      excess += static_cast<std::int64_t>(segments[n].size);
    }
    extend("retention.bytes", [&](std::size_t n) {
      const auto size = static_cast<std::int64_t>(segments[n].size);
      if (excess < size) return false;
      excess -= size;
      return true;
    });
  }
  if (config.retention_ms >= 0) {
    extend("retention.ms",
           [&](std::size_t n) { return input.now_ms - segments[n].largest_timestamp > config.retention_ms; });
  }
  return plan;
}

}  // namespace dohle::storage
