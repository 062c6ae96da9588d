// A snapshot file of any content. Checksums are made right first, so that damage gets past them.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <base/check.h>
#include <base/crc32c.h>
#include <raft/snapshot_reader.h>
#include <records/batch.h>
#include <runtime/memory/manual_clock.h>
#include <runtime/memory/memory_file_system.h>

using namespace dohle;        // NOLINT
using namespace dohle::raft;  // NOLINT

namespace {

void make_checksums_right(std::vector<std::uint8_t>& bytes) {
  std::size_t at = 0;
  for (;;) {
    const auto batch = records::BatchView::parse(Bytes(bytes).subspan(at));
    if (!batch || !batch->is_v2()) return;
    store_be(bytes.data() + at + records::layout::kCrc, batch->computed_crc());
    at += batch->size_bytes();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> bytes(data, data + size);
  make_checksums_right(bytes);
  runtime::ManualClock clock;
  runtime::MemoryFileSystem files(clock);
  DOHLE_CHECK(files.open("s", runtime::OpenMode::kCreateNew).value()->write_at(0, Bytes(bytes)));
  const auto reader = SnapshotReader::open(files, "s", {Offset(1), LeaderEpoch(1)});
  if (!reader) return 0;
  std::size_t batches = 0;
  for (auto batch = (*reader)->next(); batch && *batch; batch = (*reader)->next()) {
    DOHLE_CHECK(++batches <= size);
    for (const Bytes record : (*batch)->records) DOHLE_CHECK(record.size() <= (256U << 20U));
  }
  return 0;
}
