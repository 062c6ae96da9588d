// Message sets of format v0 and v1, as old segments hold them. Read only: RecordReader walks them; nothing writes them.
#pragma once

#include <cstdint>
#include <vector>

#include <base/buffer.h>
#include <base/ids.h>
#include <base/result.h>
#include <records/batch.h>
#include <records/builder.h>
#include <records/codec.h>

namespace dohle::records {

// The first offset of a v0 or v1 batch: its own, or for a compressed one that of its first inner message, which has to
// be decompressed. Errors as RecordReader::next().
[[nodiscard]] Result<Offset> legacy_first_offset(const BatchView& batch, Decompressor* decompressor = nullptr);

// The checksum of each message of a v0 or v1 batch, in the order of RecordReader: of the batch itself when it is not
// compressed, of its inner messages otherwise.
struct MessageChecksum {
  std::uint32_t stored = 0;
  bool ok = false;
};
[[nodiscard]] Result<std::vector<MessageChecksum>> legacy_checksums(const BatchView& batch);

// The same records, offsets and timestamps as one v2 batch of `compression`. v0 records have no timestamp (-1).
[[nodiscard]] Result<Slice> convert_to_v2(const BatchView& batch, const Compression& compression,
                                          Decompressor* decompressor = nullptr);

}  // namespace dohle::records
