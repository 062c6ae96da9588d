#include <gtest/gtest.h>

#include <protocol/coordinator_record.h>
#include <protocol/metadata_record.h>

namespace dohle::protocol {
namespace {

TEST(MetadataRecord, HasFrameTypeAndVersionBeforeIt) {
  TopicRecord topic;
  topic.name = "orders";
  topic.topic_id = Uuid{1, 2};
  Writer writer;
  encode_metadata_record(writer, topic, 0);
  EXPECT_EQ(writer.bytes()[0], 1);
  EXPECT_EQ(writer.bytes()[1], 2);
  EXPECT_EQ(writer.bytes()[2], 0);
  const auto back = decode_metadata_record(writer.bytes());
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(std::get<TopicRecord>(back->record), topic);

  writer.write(std::int8_t{0});
  const auto rest = decode_metadata_record(writer.bytes());
  ASSERT_FALSE(rest.has_value());
  EXPECT_EQ(rest.error().code, Errc::kMalformed);
}

TEST(MetadataRecord, RefusesTheFuture) {
  for (const auto& bytes : {std::vector<std::uint8_t>{2, 2, 0}, {1, 99, 0}, {1, 2, 99}}) {
    const auto result = decode_metadata_record(bytes);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Errc::kUnsupported);
  }
}

TEST(CoordinatorRecord, KeyBeginsWithTypeValueWithVersion) {
  OffsetCommitKey key;
  key.group = "g";
  key.topic = "t";
  key.partition = 7;
  Writer keys;
  encode_coordinator_key(keys, key);
  EXPECT_EQ(load_be<std::int16_t>(keys.bytes().data()), 1);
  const auto back = decode_group_key(keys.bytes());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(std::get<OffsetCommitKey>(*back), key);

  OffsetCommitValue value;
  value.offset = 42;
  Writer values;
  encode_coordinator_value(values, value, 3);
  const auto value_back = decode_group_value(1, values.bytes());
  ASSERT_TRUE(value_back.has_value());
  EXPECT_EQ(std::get<OffsetCommitValue>(*value_back), value);
  EXPECT_EQ(decode_group_value(9, values.bytes()).error().code, Errc::kUnsupported);
}

}  // namespace
}  // namespace dohle::protocol
