// Files of any content before kafka-dump-log. The first byte chooses the kind of file, the second how it is read, two
// more say how much of the rest is the log beside an index. What is printed goes where the caller sends standard
// output.
#include "log_dump.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <base/check.h>
#include <base/crc32c.h>
#include <records/batch.h>
#include <runtime/memory/manual_clock.h>
#include <runtime/memory/memory_file_system.h>

using namespace dohle;       // NOLINT
using namespace dohle::app;  // NOLINT

namespace {

RecordDecoder decoder(unsigned which) {
  switch (which % 6) {
    case 0:
      return offsets_decoder();
    case 1:
      return transaction_log_decoder();
    case 2:
      return share_group_state_decoder();
    case 3:
      return cluster_metadata_decoder();
    case 4:
      return remote_log_metadata_decoder();
    default:
      return *decoder_of_classes("org.apache.kafka.tools.api.IntegerDecoder",
                                 "org.apache.kafka.tools.api.StringDecoder");
  }
}

// Damage is to get past the checksums.
void make_checksums_right(std::vector<std::uint8_t>& bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto batch = records::BatchView::parse(Bytes(bytes).subspan(at));
    if (!batch || !batch->is_v2()) return;
    store_be(bytes.data() + at + records::layout::kCrc, batch->computed_crc());
    at += batch->size_bytes();
  }
}

void put(runtime::MemoryFileSystem& files, const char* path, Bytes content) {
  DOHLE_CHECK(files.open(path, runtime::OpenMode::kTruncate).value()->write_at(0, content));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const Bytes rest(data + 4, size - 4);
  const Bytes beside = rest.first(std::min<std::size_t>(rest.size(), load_be<std::uint16_t>(data + 2)));
  const Bytes other = rest.subspan(beside.size());
  std::vector<std::uint8_t> log(beside.begin(), beside.end());
  make_checksums_right(log);
  runtime::ManualClock clock;
  runtime::MemoryFileSystem files(clock);
  put(files, "00000000000000000000.log", log);
  for (const char* name : {"00000000000000000000.index", "00000000000000000000.timeindex",
                           "00000000000000000000.txnindex", "00000000000000000000.snapshot"}) {
    put(files, name, other);
  }
  LogDumper dumper(files, {.deep = (data[1] & 1) != 0,
                           .contents = (data[1] & 2) != 0,
                           .skip_metadata = (data[1] & 4) != 0,
                           .verify_only = (data[1] & 8) != 0,
                           .sanity_only = (data[1] & 16) != 0});
  switch (data[0] % 5) {
    case 0:
      static_cast<void>(dumper.dump_log("00000000000000000000.log", decoder(data[1] >> 5)));
      break;
    case 1:
      static_cast<void>(dumper.dump_offset_index("00000000000000000000.index"));
      break;
    case 2:
      static_cast<void>(dumper.dump_time_index("00000000000000000000.timeindex"));
      break;
    case 3:
      static_cast<void>(dumper.dump_transaction_index("00000000000000000000.txnindex"));
      break;
    default:
      static_cast<void>(dumper.dump_producer_snapshot("00000000000000000000.snapshot"));
      break;
  }
  return 0;
}
