#include <coordinator/group/java_string.h>

#include <gtest/gtest.h>

namespace dohle::coordinator {
namespace {

// Values from java.lang.String.
TEST(JavaString, HashesOverUtf16Units) {
  EXPECT_EQ(java_hash_code(""), 0);
  EXPECT_EQ(java_hash_code("a"), 97);
  EXPECT_EQ(java_hash_code("console-consumer-12345"), 158455506);
  EXPECT_EQ(java_hash_code("Grüße"), 69215351);
  EXPECT_EQ(java_hash_code("😀"), 1772899);  // a surrogate pair
  EXPECT_EQ(java_hash_code("\xff"), 0xfffd);
  EXPECT_EQ(java_hash_code("\xed\xa0\x80"), 0xfffd);  // half a pair
  EXPECT_EQ(java_hash_code("\xe2\x82"
                           "a"),
            2031620);
}

TEST(JavaString, LengthCountsUtf16Units) {
  EXPECT_EQ(utf16_length("abc"), 3U);
  EXPECT_EQ(utf16_length("ü"), 1U);
  EXPECT_EQ(utf16_length("😀"), 2U);
}

TEST(JavaString, SmallestHashGoesToPartitionZero) {
  EXPECT_EQ(java_hash_code("polygenelubricants"), INT32_MIN);
  EXPECT_EQ(partition_for_group("polygenelubricants", 50), 0);
  EXPECT_EQ(partition_for_group("a", 50), 47);
}

}  // namespace
}  // namespace dohle::coordinator
