#include "offset_json.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace dohle::app {
namespace {

Checked<Before> parse(std::string_view partition) {
  return parse_offset_json(
      fmt::format(R"({{"partitions": [{{"topic": "t", "partition": {}, "offset": 7}}]}})", partition));
}

TEST(OffsetJson, APartitionIsA32BitNumber) {
  const auto good = parse("2147483647");
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(*good, (Before{{{"t", 2147483647}, 7}}));
  // Cut to 32 bits these would be partition 0, whose records nobody asked to delete.
  for (const char* number : {"4294967296", "-4294967296", "2147483648"})
    EXPECT_FALSE(parse(number).has_value()) << number;
}

TEST(OffsetJson, EveryPartitionOnce) {
  const auto twice = parse_offset_json(
      R"({"partitions": [{"topic": "t", "partition": 1, "offset": 1}, {"topic": "t", "partition": 1, "offset": 2}]})");
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().message, "Offset json file contains duplicate topic partitions: t-1");
}

}  // namespace
}  // namespace dohle::app
