#include "message_formatter.h"

#include <gtest/gtest.h>

namespace dohle::app {
namespace {

const std::vector<records::Header> kHeaders = {{"h1", as_bytes("v1")}, {"h2", std::nullopt}};

client::ConsumerRecord record() {
  return {.topic = "t",
          .partition = 3,
          .offset = 42,
          .timestamp_ms = 1000,
          .leader_epoch = 5,
          .key = as_bytes("k"),
          .value = as_bytes("v"),
          .headers = kHeaders};
}

std::string written(const client::Properties& properties, const client::ConsumerRecord& what = record()) {
  std::string out;
  const auto formatter = MessageFormatter::make("org.apache.kafka.tools.consumer.DefaultMessageFormatter", properties);
  EXPECT_TRUE(formatter.has_value());
  EXPECT_TRUE(formatter->write(what, out).has_value());
  return out;
}

TEST(MessageFormatter, WritesTheValueAlone) { EXPECT_EQ(written({}), "v\n"); }

TEST(MessageFormatter, WritesAllColumnsInKafkasOrder) {
  EXPECT_EQ(written({{"print.timestamp", "true"},
                     {"print.key", "true"},
                     {"print.offset", "true"},
                     {"print.delivery", "true"},
                     {"print.epoch", "true"},
                     {"print.partition", "true"},
                     {"print.headers", "True"}}),
            "CreateTime:1000\tPartition:3\tOffset:42\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\th1:v1,h2:null\tk\tv\n");
}

TEST(MessageFormatter, TheLastColumnEndsTheLine) {
  EXPECT_EQ(written({{"print.value", "false"}, {"print.offset", "true"}, {"line.separator", "|"}}), "Offset:42|");
  EXPECT_EQ(written({{"print.value", "false"}, {"print.key", "true"}}), "k\n");
}

TEST(MessageFormatter, NullsAndSeparatorsCanBeChosen) {
  auto empty = record();
  empty.key = std::nullopt;
  empty.value = std::nullopt;
  empty.headers = {};
  EXPECT_EQ(written({{"print.key", "true"}, {"print.headers", "true"}, {"key.separator", "--"}, {"null.literal", "~"}},
                    empty),
            "NO_HEADERS--~--~\n");
}

TEST(MessageFormatter, Deserializes) {
  auto number = record();
  const std::vector<std::uint8_t> bytes = {0xff, 0xff, 0xff, 0xfe};
  number.value = Bytes(bytes);
  EXPECT_EQ(written({{"value.deserializer", "org.apache.kafka.common.serialization.IntegerDeserializer"}}, number),
            "-2\n");
  const auto longs =
      MessageFormatter::make("org.apache.kafka.tools.consumer.DefaultMessageFormatter",
                             {{"value.deserializer", "org.apache.kafka.common.serialization.LongDeserializer"}});
  std::string out;
  EXPECT_FALSE(longs->write(number, out).has_value());
}

TEST(MessageFormatter, DoublesLookLikeJavas) {
  const std::vector<std::uint8_t> one = {0x3f, 0xf0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(Deserializer::of("org.apache.kafka.common.serialization.DoubleDeserializer")->text(one), "1.0");
  EXPECT_FALSE(Deserializer::of("com.example.Mine").has_value());
}

TEST(MessageFormatter, RefusesFormattersItDoesNotHave) {
  EXPECT_FALSE(MessageFormatter::make("com.example.Mine", {}).has_value());
}

}  // namespace
}  // namespace dohle::app
