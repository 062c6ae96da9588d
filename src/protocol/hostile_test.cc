// Bytes from a peer that wants our memory: counts and lengths that promise far more than the frame holds
// (CVE-2026-111115, CVE-2026-111108), and nulls where none may be.
#include <gtest/gtest.h>

#include <base/reader.h>
#include <protocol/json.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/list_groups_request.h>
#include <protocol/messages/metadata_request.h>
#include <protocol/messages/produce_request.h>
#include <protocol/writer.h>

#include "allocations.h"

namespace dohle::protocol {
namespace {

template <typename F>
std::size_t bytes_allocated(F&& work) {
  const auto before = allocations_of_this_thread().bytes;
  work();
  return allocations_of_this_thread().bytes - before;
}

// Refused, and without allocating more than an error message takes.
template <typename Message>
void expect_refused_cheaply(const Writer& frame, std::int16_t version) {
  const std::size_t allocated = bytes_allocated([&] {
    Reader reader(frame.bytes());
    const auto result = Message::decode(reader, version);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Errc::kMalformed);
  });
  if (kCountsAllocations) EXPECT_LT(allocated, 2048u);
}

TEST(Hostile, HugeArrayCountIsRefusedBeforeAllocating) {
  for (const std::int32_t count : {2, 1'000, 1'000'000, 1'000'001, INT32_MAX}) {
    Writer old_style;
    old_style.write(count);
    expect_refused_cheaply<MetadataRequest>(old_style, 1);
    Writer compact;
    compact.write_uvarint(static_cast<std::uint32_t>(count) + 1);
    expect_refused_cheaply<MetadataRequest>(compact, 12);
  }
  Writer largest;
  largest.write_uvarint(UINT32_MAX);
  expect_refused_cheaply<MetadataRequest>(largest, 12);
}

TEST(Hostile, MoreThanAMillionElementsAreRefusedEvenWhenTheyAreThere) {
  const std::vector<std::uint8_t> zeroes(4'000'008);
  for (const std::int32_t count : {1'000'000, 1'000'001}) {
    Writer topics(zeroes.size() + 64);
    topics.write(std::int32_t{1});
    topics.write(std::int16_t{1});
    topics.write_raw(as_bytes("t"));
    topics.write(std::int32_t{1});
    topics.write(std::int16_t{1});
    topics.write(std::int32_t{1});
    topics.write(std::int32_t{0});
    topics.write(count);  // brokers of partition 0
    topics.write_raw(Bytes(zeroes).first(static_cast<std::size_t>(count) * 4));
    topics.write(std::int32_t{0});       // configs
    topics.write(std::int32_t{60'000});  // time-out
    topics.write_bool(false);
    Reader reader(topics.bytes());
    EXPECT_EQ(CreateTopicsRequest::decode(reader, 2).has_value(), count == 1'000'000);
  }
}

TEST(Hostile, HugeStringsAndBytesAreRefusedBeforeAllocating) {
  Writer old_style;
  old_style.write(std::int16_t{INT16_MAX});  // transactional id
  old_style.write_raw(as_bytes("short"));
  expect_refused_cheaply<ProduceRequest>(old_style, 3);
  for (const std::uint32_t length : {100u, 0x8000u, 0x80000000u, UINT32_MAX}) {
    Writer compact;
    compact.write_uvarint(length);
    compact.write_raw(as_bytes("short"));
    expect_refused_cheaply<ProduceRequest>(compact, 9);
  }
  Writer records;
  records.write(std::int16_t{-1});  // no transactional id
  records.write(std::int16_t{1});
  records.write(std::int32_t{1000});
  records.write(std::int32_t{1});
  records.write(std::int16_t{1});
  records.write_raw(as_bytes("t"));
  records.write(std::int32_t{1});
  records.write(std::int32_t{0});
  records.write(std::int32_t{INT32_MAX});  // bytes of records
  records.write_raw(as_bytes("few"));
  expect_refused_cheaply<ProduceRequest>(records, 3);
}

TEST(Hostile, HugeTagCountsAndSizesAreRefusedBeforeAllocating) {
  for (const std::uint32_t count : {5u, 10'001u, UINT32_MAX}) {
    Writer frame;
    frame.write_uvarint(1);      // no states
    frame.write_uvarint(1);      // no types
    frame.write_uvarint(count);  // tagged fields
    frame.write_uvarint(0);
    expect_refused_cheaply<ListGroupsRequest>(frame, 5);
  }
  Writer size;
  size.write_uvarint(1);
  size.write_uvarint(1);
  size.write_uvarint(1);
  size.write_uvarint(9);
  size.write_uvarint(UINT32_MAX);
  expect_refused_cheaply<ListGroupsRequest>(size, 5);
}

TEST(Hostile, TenThousandTagsAreTakenAndOneMoreIsNot) {
  for (const std::uint32_t count : {10'000u, 10'001u}) {
    Writer frame;
    frame.write_uvarint(1);
    frame.write_uvarint(1);
    frame.write_uvarint(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      frame.write_uvarint(100 + i);
      frame.write_uvarint(0);
    }
    Reader reader(frame.bytes());
    EXPECT_EQ(ListGroupsRequest::decode(reader, 5).has_value(), count == 10'000);
  }
}

TEST(Hostile, NullWhereNoneMayBeIsRefused) {
  Writer topics;
  topics.write(std::int32_t{-1});  // Metadata v0 has no null for "all topics"
  expect_refused_cheaply<MetadataRequest>(topics, 0);
  Writer states;
  states.write_uvarint(0);
  expect_refused_cheaply<ListGroupsRequest>(states, 5);
}

TEST(Hostile, KnownTagOfTheWrongLengthIsRefused) {
  FetchRequest request;
  request.cluster_id = Text("c");
  Writer writer;
  request.encode(writer, 12);
  std::vector<std::uint8_t> raw(writer.bytes().begin(), writer.bytes().end());
  Reader good(raw);
  EXPECT_TRUE(FetchRequest::decode(good, 12).has_value());
  raw[raw.size() - 3] = 1;  // says one byte, holds two
  Reader bad(raw);
  EXPECT_FALSE(FetchRequest::decode(bad, 12).has_value());
}

TEST(Hostile, UnknownVersionsAreRefused) {
  for (const std::int16_t version : {std::int16_t{-1}, std::int16_t{3}, std::int16_t{19}, std::int16_t{INT16_MAX}}) {
    Reader reader({});
    const auto result = FetchRequest::decode(reader, version);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Errc::kUnsupported);
  }
}

// The most that a message allocates for each byte it is given: frames in which everything is small and in its place,
// but for one count somewhere near the start.
std::size_t worst_allocation_per_byte(const MessageForms& message, std::int16_t version) {
  constexpr std::size_t kFrame = 1 << 12;
  std::size_t worst = 0;
  for (const std::uint8_t filling : {0, 1, 2, 0xff}) {
    for (std::size_t position = 0; position < 40; ++position) {
      std::vector<std::uint8_t> raw(kFrame, filling);
      raw[position] = 0x8f;  // as a varint 1,935 elements, as an int32 with the next bytes far too many
      raw[position + 1] = 0x0f;
      worst = std::max(worst, bytes_allocated([&] {
                         Reader reader(raw);
                         static_cast<void>(message.decode_and_encode(reader, version));
                       }));
    }
  }
  return worst / kFrame;
}

TEST(Hostile, AllocationIsBoundedByTheBytesThatAreThere) {
  constexpr std::size_t kBytesPerByte = 256;
  std::size_t worst = 0;
  for (const MessageForms* message : all_messages()) {
    for (const auto version : {message->min_version, message->max_version}) {
      const auto here = worst_allocation_per_byte(*message, version);
      EXPECT_LT(here, kBytesPerByte) << message->name << " version " << version;
      worst = std::max(worst, here);
    }
  }
  RecordProperty("worst_bytes_per_byte", static_cast<int>(worst));
}

}  // namespace
}  // namespace dohle::protocol
