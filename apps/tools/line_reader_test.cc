#include "line_reader.h"

#include <gtest/gtest.h>

namespace dohle::app {
namespace {

using Headers = std::vector<std::pair<std::string, std::optional<std::string>>>;

LineReader reader(const client::Properties& properties) { return *LineReader::from(properties); }

TEST(LineSplitter, KnowsAllThreeLineEnds) {
  LineSplitter lines;
  lines.add("one\ntwo\r\nthr");
  EXPECT_EQ(lines.next(), "one");
  EXPECT_EQ(lines.next(), "two");
  EXPECT_EQ(lines.next(), std::nullopt);
  lines.add("ee\r");
  EXPECT_EQ(lines.next(), std::nullopt);  // \n may follow
  lines.add("\n\nlast");
  EXPECT_EQ(lines.next(), "three");
  EXPECT_EQ(lines.next(), "");
  EXPECT_EQ(lines.next(), std::nullopt);
  lines.finish();
  EXPECT_EQ(lines.next(), "last");
  EXPECT_EQ(lines.next(), std::nullopt);
}

TEST(LineReader, APlainLineIsTheValue) {
  const auto record = reader({}).read("a\tb");
  EXPECT_EQ(record->key, std::nullopt);
  EXPECT_EQ(record->value, "a\tb");
}

TEST(LineReader, ReadsHeadersThenKeyThenValue) {
  auto lines = reader({{"parse.key", "true"}, {"parse.headers", "TRUE"}});
  const auto record = lines.read("h1:v1,h2:v2\tkey\tvalue");
  EXPECT_EQ(record->headers, (Headers{{"h1", "v1"}, {"h2", "v2"}}));
  EXPECT_EQ(record->key, "key");
  EXPECT_EQ(record->value, "value");
}

TEST(LineReader, TakesSeparatorsAndTheNullMarker) {
  auto lines = reader({{"parse.key", "true"}, {"key.separator", "::"}, {"null.marker", "NULL"}});
  EXPECT_EQ(*lines.read("k::NULL"), (LineRecord{"k", std::nullopt, {}}));
  EXPECT_EQ(*lines.read("NULL::v"), (LineRecord{std::nullopt, "v", {}}));
}

TEST(LineReader, NamesTheLineThatLacksASeparator) {
  auto lines = reader({{"parse.key", "true"}});
  ASSERT_TRUE(lines.read("a\tb").has_value());
  EXPECT_EQ(lines.read("nothing").error(), "No key separator found on line number 2: 'nothing'");
  EXPECT_EQ(reader({{"parse.headers", "true"}}).read("h\tv").error(),
            "No header key separator found in pair 'h' on line number 1");
}

TEST(LineReader, IgnoresErrorsWhenTold) {
  auto lines = reader({{"parse.key", "true"}, {"parse.headers", "true"}, {"ignore.error", "true"}});
  EXPECT_EQ(*lines.read("value"), (LineRecord{std::nullopt, "value", {}}));
  EXPECT_EQ(*lines.read("h\tk\tv"), (LineRecord{"k", "v", {{"h", std::nullopt}}}));
}

TEST(LineReader, RefusesSeparatorsThatCannotBeToldApart) {
  EXPECT_EQ(LineReader::from({{"headers.separator", ":"}}).error(),
            "headers.separator and headers.key.separator may not be equal");
  EXPECT_EQ(LineReader::from({{"headers.delimiter", ","}}).error(),
            "headers.delimiter and headers.separator may not be equal");
  EXPECT_EQ(LineReader::from({{"null.marker", "\t"}}).error(), "null.marker and key.separator may not be equal");
}

}  // namespace
}  // namespace dohle::app
