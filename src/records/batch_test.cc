#include <records/batch.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <records/builder.h>
#include <records/reader.h>
#include <records/validator.h>

namespace dohle::records {
namespace {

struct Plain {
  std::int64_t offset;
  std::int64_t timestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  friend bool operator==(const Plain&, const Plain&) = default;
};

std::optional<std::string> text(std::optional<Bytes> bytes) {
  if (!bytes) return std::nullopt;
  return std::string(as_text(*bytes));
}

std::vector<Plain> read_all(const BatchView& batch) {
  std::vector<Plain> out;
  const auto result = for_each(batch, [&](const RecordView& record) -> Result<> {
    Plain plain{record.offset.value(), record.timestamp_ms, text(record.key), text(record.value), {}};
    for (const auto& header : record.headers) {
      plain.headers.emplace_back(std::string(header.key), text(header.value).value_or("(null)"));
    }
    out.push_back(std::move(plain));
    return {};
  });
  EXPECT_TRUE(result) << result.error().message;
  return out;
}

class EachCodec : public testing::TestWithParam<CompressionType> {};
INSTANTIATE_TEST_SUITE_P(Batch, EachCodec,
                         testing::Values(CompressionType::kNone, CompressionType::kGzip, CompressionType::kSnappy,
                                         CompressionType::kLz4, CompressionType::kZstd),
                         [](const auto& info) { return std::string(to_string(info.param)); });

TEST_P(EachCodec, WhatIsBuiltIsReadBack) {
  BuilderOptions options;
  options.compression.type = GetParam();
  options.base_offset = Offset(100);
  options.producer_id = ProducerId(7);
  options.producer_epoch = 3;
  options.base_sequence = 11;
  options.leader_epoch = LeaderEpoch(5);
  BatchBuilder builder(options);
  std::vector<Plain> expected;
  std::uint32_t noise = 1;
  for (int i = 0; i < 500; ++i) {
    Plain plain{100 + i, 1'700'000'000'000 + i % 7 - 3, std::nullopt, std::string(), {}};
    if (i % 3 != 0) plain.key = "key" + std::to_string(i);
    if (i % 5 == 0) plain.value.reset();
    for (int n = 0; plain.value && n < (i == 77 ? 200'000 : i * 7); ++n) {
      noise = noise * 1664525 + 1013904223;
      plain.value->push_back(static_cast<char>(noise >> (i % 2 == 0 ? 24 : 30)));
    }
    if (i % 4 == 0) plain.headers = {{"a", "1"}, {"", "(null)"}};
    std::vector<Header> headers;
    if (i % 4 == 0) headers = {{"a", as_bytes("1")}, {"", std::nullopt}};
    const auto opt = [](const std::optional<std::string>& s) -> std::optional<Bytes> {
      return s ? std::optional(as_bytes(*s)) : std::nullopt;
    };
    EXPECT_EQ(builder.append(plain.timestamp, opt(plain.key), opt(plain.value), headers).value(), 100 + i);
    expected.push_back(plain);
  }
  const std::size_t uncompressed = builder.uncompressed_bytes();
  const Slice built = builder.build();
  const auto batch = BatchView::parse(built.bytes());
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_TRUE(batch->crc_ok());
  EXPECT_EQ(batch->size_bytes(), built.size());
  if (GetParam() == CompressionType::kNone)
    EXPECT_EQ(built.size(), uncompressed);
  else
    EXPECT_LT(built.size(), uncompressed);
  EXPECT_EQ(batch->base_offset(), Offset(100));
  EXPECT_EQ(batch->last_offset(), Offset(599));
  EXPECT_EQ(batch->record_count(), 500);
  EXPECT_EQ(batch->max_timestamp(), 1'700'000'000'003);
  EXPECT_EQ(batch->base_timestamp(), 1'699'999'999'997);
  EXPECT_EQ(batch->producer_id(), ProducerId(7));
  EXPECT_EQ(batch->last_sequence(), 510);
  EXPECT_EQ(batch->compression().value(), GetParam());
  EXPECT_EQ(read_all(*batch), expected);
}

TEST_P(EachCodec, ValidationAssignsOffsetsInPlace) {
  BuilderOptions options;
  options.compression.type = GetParam();
  BatchBuilder builder(options);
  for (int i = 0; i < 10; ++i) builder.append(1000 + i, as_bytes("k"), as_bytes(std::string(1000, 'v')));
  ValidationConfig config;
  config.now_ms = 1500;
  config.next_offset = Offset(42);
  config.leader_epoch = LeaderEpoch(9);
  const Slice built = builder.build();
  const auto* before = built.bytes().data();
  const auto out = validate_and_assign(built, config);
  ASSERT_TRUE(out) << out.error().error.message;
  EXPECT_FALSE(out->rewritten);
  EXPECT_EQ(out->bytes.bytes().data(), before);
  EXPECT_EQ(out->first_offset, Offset(42));
  EXPECT_EQ(out->last_offset, Offset(51));
  EXPECT_EQ(out->max_timestamp_ms, 1009);
  EXPECT_EQ(out->record_count, 10);
  const auto batch = BatchView::parse(out->bytes.bytes()).value();
  EXPECT_TRUE(batch.crc_ok());
  EXPECT_EQ(batch.base_offset(), Offset(42));
  EXPECT_EQ(batch.leader_epoch(), LeaderEpoch(9));
}

TEST(Batch, SequencesWrap) {
  EXPECT_EQ(increment_sequence(5, 3), 8);
  EXPECT_EQ(increment_sequence(2147483647, 1), 0);
  EXPECT_EQ(increment_sequence(2147483646, 5), 3);
}

}  // namespace
}  // namespace dohle::records
