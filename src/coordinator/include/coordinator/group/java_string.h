// What Java's String says of text that lies in UTF-8 here: clients and brokers must agree on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dohle::coordinator {

// String.hashCode: over UTF-16 units; what is malformed counts as U+FFFD, as often as Java's decoder says.
[[nodiscard]] std::int32_t java_hash_code(std::string_view utf8);
// String.length.
[[nodiscard]] std::size_t utf16_length(std::string_view utf8);
// The partition of __consumer_offsets that holds a group; partitions > 0.
[[nodiscard]] std::int32_t partition_for_group(std::string_view group_id, std::int32_t partitions);

}  // namespace dohle::coordinator
