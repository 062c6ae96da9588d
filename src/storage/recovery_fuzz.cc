// A partition directory of arbitrary bytes: the first byte says which file the rest is, and whether the stop was clean.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <runtime/memory/memory_shards.h>
#include <storage/log_manager.h>

namespace {

using namespace dohle;

constexpr const char* kFiles[] = {
    "00000000000000000000.log",       "00000000000000000000.index",
    "00000000000000000000.timeindex", "00000000000000000000.txnindex",
    "00000000000000000000.snapshot",  "leader-epoch-checkpoint",
    "00000000000000000000.log.swap",  "partition.metadata",
};

void put(runtime::MemoryShards& shards, const std::string& path, Bytes content) {
  auto file = shards.files().open(path, runtime::OpenMode::kTruncate);
  if (!file || !(*file)->write_at(0, content)) std::abort();
}

runtime::Task<void> walk(storage::Log* log) {
  if (log->log_start() > log->log_end() || log->high_watermark() > log->log_end()) std::abort();
  static_cast<void>(co_await log->read_cold(log->log_start(), {}));
  static_cast<void>(co_await log->offset_for_timestamp_cold(0));
  static_cast<void>(co_await log->offset_for_timestamp_cold(storage::kMaxTimestamp));
  static_cast<void>(log->truncate_to(log->log_start()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool clean = (data[0] & 0x80) != 0;
  const std::string name = kFiles[data[0] % std::size(kFiles)];
  runtime::MemoryShards shards(1);
  if (!shards.files().create_directories("/d/t-0")) std::abort();
  if (clean) put(shards, "/d/.kafka_cleanshutdown", {});
  put(shards, "/d/t-0/partition.metadata", as_bytes("version: 0\ntopic_id: AAAAAAAAQACAAAAAAAAAAQ"));
  put(shards, "/d/t-0/" + name, Bytes(data + 1, size - 1));
  std::unique_ptr<storage::LogManager> manager;
  {
    const auto scope = shards.enter(0);
    auto opened = storage::LogManager::open(shards, {.log_dirs = {"/d"}, .reserve_bytes = 0});
    if (!opened) std::abort();
    manager = std::move(*opened);
  }
  const auto loaded = shards.run(0, [&] { return manager->load({}); });
  if (loaded) {
    if (auto* log = manager->on(0).find({"t", 0})) shards.run(0, [log] { return walk(log); });
  }
  static_cast<void>(shards.run(0, [&] { return manager->shutdown(1); }));
  return 0;
}
