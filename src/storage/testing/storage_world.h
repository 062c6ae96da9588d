// StorageWorld: a node's storage in memory, to be stopped, killed and started again by tests.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <runtime/memory/memory_shards.h>
#include <storage/log_manager.h>

namespace dohle::storage {

struct BatchSpec {
  int records = 1;
  std::size_t value_bytes = 10;
  std::int64_t timestamp_ms = 1'767'225'600'000;
  ProducerId producer = kNoProducerId;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  Offset base_offset{0};
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  bool transactional = false;
};
// A batch as a producer, or with base_offset and leader_epoch a leader, sends it. In a buffer of its own.
[[nodiscard]] Slice make_batch(const BatchSpec& spec = {});

// All bytes of fragments, files included.
[[nodiscard]] std::string flatten(const runtime::Fragments& fragments);
// The offsets of the whole batches in `records`, base and last.
struct OffsetRange {
  std::int64_t base;
  std::int64_t last;
  friend bool operator==(const OffsetRange&, const OffsetRange&) = default;
};
[[nodiscard]] std::vector<OffsetRange> offsets_in(const runtime::Fragments& fragments);

class StorageWorld {
 public:
  explicit StorageWorld(std::size_t shard_count = 1, std::uint64_t seed = 1);
  ~StorageWorld();

  // Opens and loads; fails the test on an error.
  void start(LogManagerConfig config = {}, LoadOptions options = {});
  [[nodiscard]] Result<> try_start(LogManagerConfig config = {}, LoadOptions options = {});
  void stop_cleanly(std::int64_t broker_epoch = 1);
  void crash(runtime::CrashLoss loss);

  // On the shard that the partition belongs to: `partition` modulo the shards.
  [[nodiscard]] Log& log(const std::string& topic, std::int32_t partition, const LogConfig& config = {});
  [[nodiscard]] std::size_t shard_of(std::int32_t partition) const;
  // Runs on the partition's shard.
  [[nodiscard]] std::expected<AppendInfo, AppendFailure> append(Log& log, const BatchSpec& spec, int epoch = 0);
  [[nodiscard]] Result<> commit(Log& log);
  [[nodiscard]] Result<int> delete_old_segments(Log& log, std::int64_t now_ms);
  [[nodiscard]] Result<std::optional<TimestampOffset>> offset_for_timestamp(Log& log, std::int64_t timestamp);
  // The records are copies that live as long as the world, so that tests may hold them outside the shard.
  [[nodiscard]] Result<ReadInfo> read(Log& log, std::int64_t from, ReadLimits limits = {});
  [[nodiscard]] runtime::MemoryFileSystem& files() { return shards.files(); }

  static TopicId topic_id(const std::string& topic);

  runtime::MemoryShards shards;
  std::unique_ptr<LogManager> manager;

 private:
  std::deque<std::string> kept_;
  std::vector<std::unique_ptr<LogManager>> dead_;  // of earlier lives: their timers may still fire
};

}  // namespace dohle::storage
