// The small languages inside arguments and files of the tools: offsets as JSON, reset plans, times, assignments,
// filters.
#include <cstddef>
#include <cstdint>

#include <base/bytes.h>
#include <base/check.h>

#include "group_text.h"
#include "offset_json.h"
#include "options.h"
#include "partition_filter.h"
#include "perf_text.h"
#include "topic_text.h"

using namespace dohle;       // NOLINT
using namespace dohle::app;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  if (const auto before = parse_offset_json(text)) {
    for (const auto& [partition, offset] : *before) static_cast<void>(name_of(partition));
  }
  if (const auto plan = parse_reset_csv(text, "group")) static_cast<void>(reset_text(*plan));
  if (const auto plan = parse_reset_csv(text, std::nullopt)) {
    static_cast<void>(reset_csv(*plan, false));
  }
  static_cast<void>(parse_datetime_ms(text));
  static_cast<void>(parse_duration_ms(text));
  static_cast<void>(parse_replica_assignment(text));
  static_cast<void>(parse_number(text));
  static_cast<void>(format_date(text, 1'700'000'000'000));
  // A pattern that takes exponential time is a person's own affair.
  if (text.contains('(')) return 0;
  if (const auto rules = PartitionFilter::parse_rules(text)) static_cast<void>(rules->allows("topic", 1));
  const auto comma = text.find(',');
  if (comma == std::string_view::npos) return 0;
  if (const auto filter = PartitionFilter::of(text.substr(0, comma), text.substr(comma + 1))) {
    static_cast<void>(filter->allows("topic", 1));
  }
  return 0;
}
