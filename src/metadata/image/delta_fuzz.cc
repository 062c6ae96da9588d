// Arbitrary records, each with two bytes of length before it, replayed as log batches and as a snapshot.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <base/bytes.h>
#include <base/check.h>
#include <base/reader.h>
#include <metadata/delta.h>

using namespace dohle;            // NOLINT: a program of one page
using namespace dohle::metadata;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader reader({data, size});
  std::vector<Bytes> records;
  while (reader.remaining() >= 2) {
    const std::size_t length = reader.read<std::uint16_t>();
    records.push_back(reader.read_bytes(std::min(length, reader.remaining())));
  }
  MetadataReplayer log;
  Offset next{0};
  for (const Bytes record : records) {
    if (!log.replay_batch(next, {&record, 1}, {next, LeaderEpoch(1), 0})) break;
    next = next.next();
  }
  // What was understood can be written and read again, and is the same then.
  std::vector<EncodedRecord> written;
  const auto collect = [&written](EncodedRecord record) -> Result<> {
    written.push_back(std::move(record));
    return {};
  };
  if (log.image()->features().metadata_version() >= 33) {
    DOHLE_CHECK(write_image(*log.image(), collect).has_value());
    MetadataReplayer snapshot;
    snapshot.begin_snapshot();
    const std::vector<Bytes> views(written.begin(), written.end());
    DOHLE_CHECK(snapshot.add_to_snapshot(views).has_value());
    const auto update = snapshot.finish_snapshot(log.image()->provenance());
    const MetadataChanges left = compare(*log.image(), *update.image);
    DOHLE_CHECK(left.topics.empty() && left.configs.empty() && left.brokers.empty() && !left.controllers);
  }
  MetadataReplayer direct;
  direct.begin_snapshot();
  static_cast<void>(direct.add_to_snapshot(records));
  return 0;
}
