#include <gtest/gtest.h>

#include <base/reader.h>
#include <protocol/api_table.h>
#include <protocol/header.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/writer.h>

namespace dohle::protocol {
namespace {

TEST(Message, KeepsWhatItSaysThroughEveryVersion) {
  for (std::int16_t version = FetchRequest::kMinVersion; version <= FetchRequest::kMaxUnstableVersion; ++version) {
    FetchRequest request;
    request.max_wait_ms = 500;
    auto& topic = request.topics.emplace_back();
    if (version >= 13)
      topic.topic_id = Uuid{1, 2};
    else
      topic.topic = "orders";
    topic.partitions.emplace_back().fetch_offset = 42;
    Writer writer;
    request.encode(writer, version);
    EXPECT_EQ(writer.dropped(), nullptr);
    Reader reader(writer.bytes());
    const auto back = FetchRequest::decode(reader, version);
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(reader.remaining(), 0u);
    EXPECT_EQ(*back, request);
  }
}

TEST(Message, SaysWhatAVersionCannotCarry) {
  FetchRequest request;
  request.replica_id = 3;
  Writer writer;
  request.encode(writer, 15);
  EXPECT_STREQ(writer.dropped(), "FetchRequest.ReplicaId");
}

TEST(Message, InsertsRecordsWithoutCopying) {
  FetchResponse response;
  auto& partition = response.responses.emplace_back().partitions.emplace_back();
  const Slice batch = Slice::copy_of(as_bytes("a batch"));
  partition.records = Records(runtime::Fragments{batch});
  Writer writer;
  response.encode(writer, 12);
  const auto fragments = writer.finish_frame();
  ASSERT_EQ(fragments.size(), 3u);
  EXPECT_EQ(std::get<Slice>(fragments[1]).bytes().data(), batch.bytes().data());
  EXPECT_EQ(load_be<std::int32_t>(std::get<Slice>(fragments[0]).bytes().data()),
            static_cast<std::int32_t>(runtime::size_of(fragments) - 4));
}

TEST(Header, ApiVersionsAnswersWithVersionZero) {
  EXPECT_EQ(request_header_version(18, 4), 2);
  EXPECT_EQ(response_header_version(18, 4), 0);
  EXPECT_EQ(response_header_version(1, 12), 1);
  EXPECT_EQ(find_api(7), nullptr);
  EXPECT_EQ(api_table().size(), 91u);
}

}  // namespace
}  // namespace dohle::protocol
