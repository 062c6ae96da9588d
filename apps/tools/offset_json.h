// The file of kafka-delete-records: which records go, as JSON.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <base/ids.h>

#include "tool.h"

namespace dohle::app {

// What lies before these offsets goes.
using Before = std::map<TopicPartition, std::int64_t>;

// {"partitions": [{"topic": "foo", "partition": 1, "offset": 1}], "version": 1}
[[nodiscard]] Checked<Before> parse_offset_json(std::string_view text);

[[nodiscard]] std::string name_of(const TopicPartition& partition);

}  // namespace dohle::app
