#include "record_decoders.h"

#include <string_view>

#include <gtest/gtest.h>

namespace dohle::app {
namespace {

std::string shown(std::string_view bytes) { return java_text(as_bytes(bytes)); }

TEST(RecordDecoders, ShowsTextAsJavaReadsIt) {
  constexpr std::string_view kWhole = "k\xC3\xB6rper \xE6\x97\xA5 \xF0\x9F\x98\x80";
  EXPECT_EQ(shown(kWhole), kWhole);
  EXPECT_EQ(shown("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(shown("\xC3"), "\xEF\xBF\xBD");                                                  // cut short
  EXPECT_EQ(shown("\xE2\x82!"), "\xEF\xBF\xBD!");                                            // two bytes of three
  EXPECT_EQ(shown("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");                                  // never a first byte
  EXPECT_EQ(shown("\xED\xA0\x80"), "\xEF\xBF\xBD");                                          // half of a surrogate pair
  EXPECT_EQ(shown("\xF4\x90\x80\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // beyond Unicode
}

TEST(RecordDecoders, KnowsKafkasClasses) {
  constexpr std::string_view kPackage = "org.apache.kafka.tools.api.";
  const auto decoder =
      decoder_of_classes(std::string(kPackage) + "IntegerDecoder", std::string(kPackage) + "DefaultDecoder");
  ASSERT_TRUE(decoder);
  records::RecordView record;
  record.key = as_bytes(std::string_view("\0\0\0\7", 4));
  record.value = as_bytes(std::string_view("hi"));
  EXPECT_EQ((*decoder)(record)->key, "7");
  EXPECT_EQ((*decoder)(record)->value, "aGk=");
  record.value.reset();
  EXPECT_EQ((*decoder)(record)->value, std::nullopt);
  record.key = as_bytes(std::string_view("\0\7", 2));
  EXPECT_FALSE((*decoder)(record));
  EXPECT_FALSE(decoder_of_classes("IntegerDecoder", std::string(kPackage) + "LongDecoder"));
}

}  // namespace
}  // namespace dohle::app
