// The traps: hostile batches, bombs, and the places where implementations of Kafka's log went wrong.
#include <algorithm>
#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <base/crc32c.h>
#include <base/varint.h>
#include <records/builder.h>
#include <records/codec.h>
#include <records/control.h>
#include <records/reader.h>
#include <records/validator.h>

namespace dohle::records {
namespace {

constexpr CompressionType kCodecs[] = {CompressionType::kGzip, CompressionType::kSnappy, CompressionType::kLz4,
                                       CompressionType::kZstd};

ValidationConfig config_at(std::int64_t now_ms = 0) {
  ValidationConfig config;
  config.now_ms = now_ms;
  return config;
}

// A batch around `section`, header right, CRC right.
Slice batch_of(CompressionType type, std::int32_t count, Bytes section) {
  BatchBuilder builder({.compression = {type, {}}});
  const Slice empty = builder.build();
  auto [slice, bytes] = Slice::allocate(kBatchHeaderBytes + section.size());
  std::ranges::copy(empty.bytes().first(kBatchHeaderBytes), bytes.begin());
  std::ranges::copy(section, bytes.begin() + kBatchHeaderBytes);
  store_be<std::int32_t>(bytes.data() + layout::kLength, static_cast<std::int32_t>(bytes.size() - kLogOverhead));
  store_be<std::int32_t>(bytes.data() + layout::kLastOffsetDelta, count - 1);
  store_be<std::int32_t>(bytes.data() + layout::kRecordCount, count);
  store_be<std::uint32_t>(bytes.data() + layout::kCrc, crc32c(bytes.subspan(layout::kAttributes)));
  return slice;
}

std::vector<std::uint8_t> compressed(CompressionType type, std::size_t zeros, Bytes head = {}, Bytes tail = {}) {
  std::vector<std::uint8_t> out;
  auto compressor = make_compressor({type, {}}, out);
  compressor->write(head);
  const std::vector<std::uint8_t> block(1U << 20U);
  for (std::size_t left = zeros; left > 0;) {
    const std::size_t part = std::min(left, block.size());
    compressor->write(Bytes(block).first(part));
    left -= part;
  }
  compressor->write(tail);
  compressor->finish();
  return out;
}

Slice record_of_zeros(CompressionType type, std::size_t size) {
  BatchBuilder builder({.compression = {type, {}}});
  const std::vector<std::uint8_t> value(size);
  builder.append(0, std::nullopt, Bytes(value));
  return builder.build();
}

TEST(Trap, MaxMessageBytesLimitsTheCompressedBatch) {
  auto config = config_at();
  config.max_message_bytes = 70'000;
  for (const auto type : kCodecs) {
    const auto out = validate_and_assign(record_of_zeros(type, 1U << 20U), config);
    EXPECT_TRUE(out) << to_string(type) << ": " << out.error().error.message;
  }
  EXPECT_EQ(validate_and_assign(record_of_zeros(CompressionType::kNone, 1U << 20U), config).error().error.code,
            Errc::kRecordTooLarge);
}

TEST(Trap, ABombIsWalkedInSlicesAndNeverHeld) {
  constexpr std::size_t kBombBytes = std::size_t{64} << 20U;
  for (const auto type : {CompressionType::kGzip, CompressionType::kZstd, CompressionType::kLz4}) {
    Slice bomb = batch_of(type, 1, {});
    {
      // One record: length, attributes, deltas, no key, a value of zeros, no headers.
      std::vector<std::uint8_t> head;
      std::uint8_t raw[kMaxVarlongBytes];
      const auto value_size = static_cast<std::int64_t>(kBombBytes);
      const int size_bytes = put_uvarint(raw, zigzag(value_size));
      const int n = put_uvarint(raw, zigzag(value_size + size_bytes + 5));
      head.insert(head.end(), raw, raw + n);
      head.insert(head.end(), {0, 0, 0, 1});
      put_uvarint(raw, zigzag(value_size));
      head.insert(head.end(), raw, raw + size_bytes);
      const std::uint8_t no_headers[] = {0};
      bomb = batch_of(type, 1, compressed(type, kBombBytes, head, no_headers));
    }
    ASSERT_LT(bomb.size(), 300U << 10U);
    auto config = config_at();
    config.max_message_bytes = 2 << 20;
    BatchValidator validator(bomb, config);
    std::size_t steps = 1;
    while (!validator.advance(1U << 20U)) ++steps;
    const auto out = validator.take_result();
    ASSERT_TRUE(out) << out.error().error.message;
    EXPECT_GT(steps, 60U) << to_string(type);
    EXPECT_EQ(out->record_count, 1);

    config.max_decompressed_bytes = 10U << 20U;
    EXPECT_EQ(validate_and_assign(bomb, config).error().error.code, Errc::kRecordTooLarge);
    // A reader says no before it takes the memory.
    RecordReader reader(BatchView::parse(bomb.bytes()).value(), nullptr, {.max_record_bytes = 1U << 20U});
    EXPECT_EQ(reader.next().error().code, Errc::kRecordTooLarge);
    // So does a rewrite to plain bytes.
    config = config_at();
    config.max_message_bytes = 2 << 20;
    config.target = Compression{};
    EXPECT_EQ(validate_and_assign(bomb, config).error().error.code, Errc::kRecordTooLarge);
  }
}

TEST(Trap, AValidatedBatchMovesToWhereTheLogHasGotTo) {
  BatchBuilder builder({.compression = {CompressionType::kLz4, {}}});
  for (int i = 0; i < 3; ++i) builder.append(7, as_bytes("k"), as_bytes("v"));
  auto out = validate_and_assign(builder.build(), config_at());
  ASSERT_TRUE(out);
  place_at(*out, Offset(500), LeaderEpoch(4));
  const auto batch = BatchView::parse(out->bytes.bytes()).value();
  EXPECT_TRUE(batch.crc_ok());
  EXPECT_EQ(batch.base_offset(), Offset(500));
  EXPECT_EQ(batch.last_offset(), Offset(502));
  EXPECT_EQ(batch.leader_epoch(), LeaderEpoch(4));
  EXPECT_EQ(out->first_offset, Offset(500));
  EXPECT_EQ(out->last_offset, Offset(502));
}

TEST(Trap, ALengthWithNoBytesBehindItCostsNoMemory) {
  for (const auto type : kCodecs) {
    const std::uint8_t huge[] = {0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0};  // a record of 2 GiB - 1
    const Slice batch = batch_of(type, 1, compressed(type, 0, huge));
    EXPECT_EQ(validate_and_assign(batch, config_at()).error().error.code, Errc::kInvalidRecord);
    RecordReader reader(BatchView::parse(batch.bytes()).value(), nullptr, {.max_record_bytes = 1ULL << 31U});
    EXPECT_EQ(reader.next().error().code, Errc::kInvalidRecord);
  }
}

TEST(Trap, ASnappyBlockMayNotPromiseMoreThanItCanHold) {
  const std::uint8_t raw[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 0};  // 4 GiB in one byte
  EXPECT_EQ(validate_and_assign(batch_of(CompressionType::kSnappy, 1, raw), config_at()).error().error.code,
            Errc::kUndecodable);
}

TEST(Trap, AZstdWindowBeyond128MiBIsRefused) {
  // Frame header: magic, no content size, window descriptor, then one raw block of a byte, the last.
  for (const auto& [descriptor, allowed] :
       {std::pair<std::uint8_t, bool>{(27 - 10) << 3U, true}, {(28 - 10) << 3U, false}}) {
    const std::uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, descriptor, 0x09, 0x00, 0x00, 0x00};
    Decompressor decompressor;
    ASSERT_TRUE(decompressor.open(CompressionType::kZstd, frame));
    const auto chunk = decompressor.next_chunk();
    EXPECT_EQ(chunk.has_value(), allowed);
    if (chunk) EXPECT_EQ(chunk->size(), 1U);
  }
}

TEST(Trap, MillionsOfRecordErrorsAreNotAllListed) {
  BatchBuilder builder({.compression = {CompressionType::kZstd, {}}});
  for (int i = 0; i < 50'000; ++i) builder.append(0, std::nullopt, as_bytes("v"));
  auto config = config_at();
  config.compacted = true;
  const auto out = validate_and_assign(builder.build(), config);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().error.code, Errc::kInvalidRecord);
  EXPECT_EQ(out.error().record_errors.size(), 10'000U);
}

TEST(Trap, TheCrcIsLeftAloneUnlessAFieldInsideItChanges) {
  const auto build = [] {
    BatchBuilder builder({});
    builder.append(1000, as_bytes("k"), as_bytes("v"));
    return builder.build();
  };
  const std::uint32_t before = BatchView::parse(build().bytes())->stored_crc();
  auto config = config_at(2000);
  config.next_offset = Offset(77);
  config.leader_epoch = LeaderEpoch(12);
  auto out = validate_and_assign(build(), config);
  EXPECT_EQ(BatchView::parse(out->bytes.bytes())->stored_crc(), before);
  config.timestamp_type = TimestampType::kLogAppendTime;
  out = validate_and_assign(build(), config);
  const auto batch = BatchView::parse(out->bytes.bytes()).value();
  EXPECT_NE(batch.stored_crc(), before);
  EXPECT_TRUE(batch.crc_ok());
  EXPECT_EQ(batch.timestamp_type(), TimestampType::kLogAppendTime);
  EXPECT_EQ(batch.max_timestamp(), 2000);
  EXPECT_EQ(out->log_append_time_ms, 2000);
}

TEST(Trap, ACoordinatorWritesControlBatchesAndEmptyOnes) {
  BatchBuilder builder({.producer_id = ProducerId(5), .producer_epoch = 1, .transactional = true, .control = true});
  builder.append_control(10, ControlType::kCommit, encode_end_transaction_marker({.coordinator_epoch = 3}));
  const Slice marker = builder.build();
  EXPECT_EQ(validate_and_assign(Slice::copy_of(marker.bytes()), config_at(10)).error().error.code,
            Errc::kInvalidRecord);
  auto config = config_at(10);
  config.origin = AppendOrigin::kCoordinator;
  config.next_offset = Offset(9);
  config.target = Compression{CompressionType::kGzip, {}};  // markers stay plain all the same
  const auto out = validate_and_assign(marker, config);
  ASSERT_TRUE(out) << out.error().error.message;
  EXPECT_FALSE(out->rewritten);
  const auto batch = BatchView::parse(out->bytes.bytes()).value();
  EXPECT_TRUE(batch.is_control());
  EXPECT_EQ(batch.base_offset(), Offset(9));
  RecordReader reader(batch);
  ASSERT_TRUE(reader.next().value());
  EXPECT_EQ(decode_control_key(*reader.record().key).value(), ControlType::kCommit);
  EXPECT_EQ(decode_end_transaction_marker(*reader.record().value)->coordinator_epoch, 3);
}

TEST(Control, UnknownKindsAndBadKeys) {
  const std::uint8_t newer[] = {0, 9, 0, 1, 7};
  EXPECT_EQ(decode_control_key(newer).value(), ControlType::kCommit);
  const std::uint8_t unknown[] = {0, 0, 0, 77};
  EXPECT_EQ(decode_control_key(unknown).value(), ControlType::kUnknown);
  const std::uint8_t negative[] = {0xff, 0xff, 0, 1};
  EXPECT_FALSE(decode_control_key(negative));
  EXPECT_FALSE(decode_control_key(Bytes(negative).first(3)));
  EXPECT_FALSE(decode_end_transaction_marker(negative));
}

// Random batches through every codec and target: what goes in comes out, with the offsets the log gave.
TEST(Property, ValidationKeepsTheRecordsAndNumbersThem) {
  std::mt19937_64 random(20261120);
  for (int round = 0; round < 120; ++round) {
    const auto source = static_cast<CompressionType>(random() % kCompressionTypes);
    const auto target = static_cast<CompressionType>(random() % kCompressionTypes);
    BatchBuilder builder({.compression = {source, {}}});
    std::vector<std::pair<std::string, std::int64_t>> expected;
    const auto count = 1 + random() % 40;
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string value(random() % 5 == 0 ? random() % 90'000 : random() % 50, '\0');
      for (auto& c : value) c = static_cast<char>(random() % (1 + round % 256));
      const auto timestamp = static_cast<std::int64_t>(random() % 1'000'000);
      builder.append(timestamp, as_bytes("key"), as_bytes(value));
      expected.emplace_back(std::move(value), timestamp);
    }
    auto config = config_at(500'000);
    config.next_offset = Offset(static_cast<std::int64_t>(random() % 1'000'000));
    config.max_message_bytes = 1 << 30;
    if (round % 2 == 0) config.target = {target, {}};
    const auto out = validate_and_assign(builder.build(), config);
    ASSERT_TRUE(out) << out.error().error.message;
    EXPECT_EQ(out->rewritten, round % 2 == 0 && source != target);
    const auto batch = BatchView::parse(out->bytes.bytes()).value();
    EXPECT_TRUE(batch.crc_ok());
    std::size_t seen = 0;
    ASSERT_TRUE(for_each(batch, [&](const RecordView& record) -> Result<> {
      EXPECT_EQ(record.offset, config.next_offset + static_cast<std::int64_t>(seen));
      EXPECT_EQ(as_text(*record.value), expected[seen].first);
      EXPECT_EQ(record.timestamp_ms, expected[seen].second);
      ++seen;
      return {};
    }));
    EXPECT_EQ(seen, expected.size());
  }
}

// Any damage to a valid batch is an error or a valid batch, never a crash, and reader and validator agree.
TEST(Property, DamagedRecordsAreRefusedOrReadable) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 4000; ++round) {
    const auto type = static_cast<CompressionType>(random() % kCompressionTypes);
    BatchBuilder builder({.compression = {type, {}}});
    for (int i = 0; i < 5; ++i) builder.append(i, as_bytes("key"), as_bytes(std::string(random() % 300, 'x')));
    Slice batch = builder.build();
    const MutableBytes bytes = batch.mutable_bytes();
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
      bytes[kBatchHeaderBytes + random() % (bytes.size() - kBatchHeaderBytes)] = static_cast<std::uint8_t>(random());
    }
    store_be<std::uint32_t>(bytes.data() + layout::kCrc, crc32c(bytes.subspan(layout::kAttributes)));
    const auto out = validate_and_assign(batch, config_at());
    const auto view = BatchView::parse(out ? out->bytes.bytes() : batch.bytes()).value();
    std::size_t seen = 0;
    const auto all = for_each(view, [&](const RecordView& record) -> Result<> {
      for (const auto& header : record.headers) seen += header.key.size() > 100'000 ? 1 : 0;
      return {};
    });
    // As in Kafka, the lengths of compressed records are looked at by readers alone.
    const bool known = type != CompressionType::kNone && !all && all.error().code == Errc::kInvalidRecord;
    EXPECT_TRUE(!out || all || known) << to_string(type) << ": accepted, but not readable: " << all.error().message;
  }
}

}  // namespace
}  // namespace dohle::records
