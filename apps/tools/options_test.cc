#include "options.h"

#include <gtest/gtest.h>

namespace dohle::app {
namespace {

OptionParser parser() {
  return {"About.",
          {{"list", Takes::kNothing, "", "Lists."},
           {"topic", Takes::kText, "topic", "The topic."},
           {"partitions", Takes::kInt, "# of partitions", "How many."},
           {"time", Takes::kLong, "", "When."},
           {"config", Takes::kText, "name=value", "A setting.", true},
           {"codec", Takes::kOptionalText, "name", "Which."}}};
}

std::string error_of(const Arguments& arguments) {
  const auto parsed = parser().parse(arguments);
  return parsed ? "none" : parsed.error();
}

TEST(OptionParser, TakesValuesBehindABlankOrAnEqualsSign) {
  const auto parsed = parser().parse({"--topic", "a", "--partitions=3", "-list", "ignored"});
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->text("topic"), "a");
  EXPECT_EQ(parsed->number("partitions"), 3);
  EXPECT_TRUE(parsed->has("list"));
  EXPECT_FALSE(parsed->has("config"));
  EXPECT_EQ(parsed->number("time", 7), 7);
}

TEST(OptionParser, ValuesMayLookLikeOptionsAndHoldEqualsSigns) {
  const auto parsed = parser().parse({"--time", "-1", "--config", "a=b=c", "--config=x=y", "--topic=--list"});
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->number("time"), -1);
  EXPECT_EQ(parsed->all("config"), (std::vector<std::string>{"a=b=c", "x=y"}));
  EXPECT_EQ(parsed->text("topic"), "--list");
  EXPECT_FALSE(parsed->has("list"));
}

TEST(OptionParser, AnOptionalValueIsTakenUnlessAnOptionFollows) {
  EXPECT_EQ(parser().parse({"--codec", "lz4"})->text("codec"), "lz4");
  const auto bare = parser().parse({"--codec", "--list"});
  EXPECT_TRUE(bare->has("codec"));
  EXPECT_TRUE(bare->has("list"));
  EXPECT_EQ(bare->text("codec", "gzip"), "gzip");
}

TEST(OptionParser, ComplainsInKafkasWords) {
  EXPECT_EQ(error_of({"--bogus"}), "bogus is not a recognized option");
  EXPECT_EQ(error_of({"--bogus=1"}), "bogus is not a recognized option");
  EXPECT_EQ(error_of({"--topic"}), "Option topic requires an argument");
  EXPECT_EQ(error_of({"--partitions", "x"}), "Cannot parse argument 'x' of option partitions");
  EXPECT_EQ(error_of({"--partitions", "4294967296"}), "Cannot parse argument '4294967296' of option partitions");
  EXPECT_EQ(error_of({"--topic", "a", "--topic", "b"}),
            "Found multiple arguments for option topic, but you asked for only one");
}

TEST(OptionParser, UsageIsASortedTable) {
  const std::string usage = parser().usage();
  EXPECT_EQ(usage.substr(0, 52), "Option                                   Description");
  EXPECT_LT(usage.find("--codec [String: name]"), usage.find("--config <String: name=value>"));
  EXPECT_NE(usage.find("--partitions <Integer: # of partitions>  How many."), std::string::npos);
  EXPECT_NE(usage.find("--version"), std::string::npos);
}

TEST(Split, LeavesEmptyPartsOut) {
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(split("", ',').empty());
}

TEST(OptionParser, SpeaksArgparsesWordsWhereKafkasToolDoes) {
  OptionParser parser("About.", {{"num-records", Takes::kLong, "count", "How many."}});
  parser.in_argparse_words("kafka-perf");
  EXPECT_EQ(parser.parse({"--bogus"}).error(), "unrecognized arguments: '--bogus'");
  EXPECT_EQ(parser.parse({"--num-records"}).error(), "argument --num-records: expected one argument");
  EXPECT_EQ(parser.parse({"--num-records", "ten"}).error(),
            "argument --num-records: could not convert 'ten' to Long (For input string: \"ten\")");
  EXPECT_EQ(parser.usage_error("no"), "usage: kafka-perf [-h] [OPTION]...\nkafka-perf: error: no\n");
}

TEST(OptionParser, PutsAPrefixBeforeWhatIsWrong) {
  OptionParser parser("About.", {{"time", Takes::kText, "when", "When."}});
  parser.with_error_prefix("Error occurred: ");
  EXPECT_EQ(parser.parse({"--bogus"}).error(), "Error occurred: bogus is not a recognized option");
  EXPECT_EQ(parser.parse({"--time"}).error(), "Error occurred: Option time requires an argument");
  EXPECT_TRUE(parser.usage_error("no").starts_with("no\nOption "));
}

}  // namespace
}  // namespace dohle::app
