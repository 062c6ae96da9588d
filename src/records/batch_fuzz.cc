// Records of a produce request, as they come: parse, walk, validate in every mode, read what was accepted.
#include <cstddef>
#include <cstdint>

#include <base/check.h>
#include <base/crc32c.h>
#include <records/legacy.h>
#include <records/reader.h>
#include <records/validator.h>

using namespace dohle;           // NOLINT
using namespace dohle::records;  // NOLINT

namespace {

constexpr ReadLimits kLimits{.max_record_bytes = 1U << 20U};

Result<> touch(const RecordView& record) {
  for (const auto& header : record.headers) {
    if (header.key.size() > (1U << 24U)) return fail(Errc::kInternal);
  }
  return {};
}

void read_all(Bytes bytes) {
  BatchCursor cursor(bytes);
  Decompressor decompressor;
  for (;;) {
    const auto batch = cursor.next();
    if (!batch || !*batch) return;
    (void)(*batch)->crc_ok();
    (void)for_each(**batch, touch, &decompressor, kLimits);
    if (!(*batch)->is_v2()) (void)convert_to_v2(**batch, {});
  }
}

void validate(Slice slice, const ValidationConfig& config) {
  const auto out = validate_and_assign(std::move(slice), config);
  if (!out) return;
  const auto batch = BatchView::parse(out->bytes.bytes());
  DOHLE_CHECK(batch && batch->crc_ok());
  DOHLE_CHECK(out->last_offset - out->first_offset + 1 == out->record_count);
  // As in Kafka, the lengths of compressed records are looked at by readers alone, who then may see others.
  if (batch->is_compressed()) {
    (void)for_each(*batch, touch);
    return;
  }
  // Nor does Kafka look for gaps between the offsets of a plain batch.
  std::int32_t seen = 0;
  const auto all = for_each(*batch, [&](const RecordView& record) -> Result<> {
    ++seen;
    return touch(record);
  });
  DOHLE_CHECK(all && seen == out->record_count);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  read_all(input);
  Slice slice = Slice::copy_of(input);
  if (size >= kBatchHeaderBytes && slice.bytes()[layout::kMagic] == kMagicV2) {
    // Most inputs would fail on the CRC and the length; these get past them.
    const MutableBytes bytes = slice.mutable_bytes();
    store_be<std::int32_t>(bytes.data() + layout::kLength, static_cast<std::int32_t>(size - kLogOverhead));
    store_be<std::uint32_t>(bytes.data() + layout::kCrc, crc32c(bytes.subspan(layout::kAttributes)));
  }
  read_all(slice.bytes());
  ValidationConfig config;
  config.next_offset = Offset(1000);
  config.max_decompressed_bytes = 8U << 20U;
  validate(Slice::copy_of(slice.bytes()), config);
  config.target = Compression{static_cast<CompressionType>(size % kCompressionTypes), {}};
  config.timestamp_type = TimestampType::kLogAppendTime;
  validate(slice, config);
  return 0;
}
