#include <gtest/gtest.h>

#include <base/base64.h>
#include <base/buffer.h>
#include <base/crc32c.h>
#include <base/ids.h>
#include <base/reader.h>
#include <base/varint.h>

namespace dohle {
namespace {

// RFC 3720 B.4.
TEST(Crc32c, StandardVectors) {
  std::uint8_t zeros[32] = {};
  EXPECT_EQ(crc32c(zeros), 0x8a9136aaU);
  std::uint8_t ones[32];
  std::fill(std::begin(ones), std::end(ones), 0xff);
  EXPECT_EQ(crc32c(ones), 0x62a8ab43U);
  std::uint8_t rising[32];
  for (int i = 0; i < 32; ++i) rising[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(crc32c(rising), 0x46dd794eU);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(as_bytes("56789"), crc32c(as_bytes("1234"))), 0xe3069283U);
}

TEST(Varint, RoundTripsAndRefusesOverlong) {
  for (std::int64_t value : {0L, 1L, -1L, 63L, -64L, 64L, 1L << 31, INT64_MAX, INT64_MIN}) {
    std::uint8_t raw[kMaxVarlongBytes];
    const int n = put_uvarint(raw, zigzag(value));
    EXPECT_EQ(n, varlong_size(value));
    std::uint64_t back = 0;
    EXPECT_EQ(get_uvarint(raw, raw + n, back), n);
    EXPECT_EQ(unzigzag(back), value);
    EXPECT_EQ(get_uvarint(raw, raw + n - 1, back), 0);
  }
  const std::uint8_t overlong[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x01};
  std::uint64_t value = 0;
  EXPECT_EQ(get_uvarint(overlong, overlong + 6, value, kMaxVarintBytes), 0);
  const std::uint8_t too_big[] = {0xff, 0xff, 0xff, 0xff, 0x1f};
  EXPECT_EQ(get_uvarint(too_big, too_big + 5, value, kMaxVarintBytes), 0);
}

TEST(Uuid, KafkaTextForm) {
  EXPECT_EQ(kMetadataTopicUuid.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
  EXPECT_EQ(*Uuid::parse("AAAAAAAAAAAAAAAAAAAAAQ"), kMetadataTopicUuid);
  EXPECT_FALSE(Uuid::parse("short"));
  EXPECT_FALSE(Uuid::parse("AAAAAAAAAAAAAAAAAAAA?Q"));
}

TEST(Reader, FailureSticks) {
  const std::uint8_t raw[] = {0, 1, 2};
  Reader reader{Bytes(raw)};
  EXPECT_EQ(reader.read<std::int16_t>(), 1);
  EXPECT_EQ(reader.read<std::int32_t>(), 0);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.read<std::uint8_t>(), 0);
}

class TestHome final : public BufferHome {
 public:
  void release_from_foreign(BufferBlock* block) override { inbox.push_back(block); }
  void drain() {
    for (auto* block : std::exchange(inbox, {})) release_now(block);
  }
  std::vector<BufferBlock*> inbox;
};

TEST(Buffer, ForeignSlicesAreReleasedAtHome) {
  TestHome a;
  TestHome b;
  BufferHome::set_current(&a);
  ForeignSlice travelling;
  {
    Slice slice = Slice::copy_of(as_bytes("hello"));
    travelling = slice.sub(1, 3).share();
  }
  EXPECT_EQ(a.live_blocks(), 1U);
  BufferHome::set_current(&b);
  {
    Slice adopted = Slice::adopt(std::move(travelling));
    Slice copy = adopted;
    EXPECT_EQ(as_text(copy.bytes()), "ell");
    EXPECT_EQ(copy.pinned_bytes(), 5U);
    EXPECT_EQ(b.live_blocks(), 1U);
  }
  EXPECT_EQ(b.live_blocks(), 0U);
  EXPECT_EQ(a.live_blocks(), 1U);
  BufferHome::set_current(&a);
  a.drain();
  EXPECT_EQ(a.live_blocks(), 0U);
  EXPECT_EQ(a.allocated_bytes(), 0U);
  BufferHome::set_current(nullptr);
}

TEST(Reader, ClaimsGrowWithTheInput) {
  const std::vector<std::uint8_t> bytes(1U << 20U);
  Reader small(Bytes(bytes).first(0));
  EXPECT_TRUE(small.claim(512U << 10U));
  EXPECT_FALSE(small.claim(1));
  EXPECT_FALSE(small.ok());
  Reader large{Bytes(bytes)};
  EXPECT_TRUE(large.claim(8U << 20U));
  EXPECT_FALSE(large.claim(1U << 20U));
  Reader limited{Bytes(bytes)};
  limited.limit_claims(1000);
  EXPECT_TRUE(limited.claim(1000));
  EXPECT_FALSE(limited.claim(1));
}

// snapshot_file_fuzz found a batch at the lowest offset with a record before it.
TEST(Offset, SumsWrap) {
  EXPECT_EQ(Offset(INT64_MAX).next(), Offset(INT64_MIN));
  EXPECT_EQ(Offset(INT64_MIN) + -24, Offset(INT64_MAX - 23));
  EXPECT_EQ(Offset(INT64_MIN) - Offset(1), INT64_MAX);
}

}  // namespace
}  // namespace dohle
