#include "storage_world.h"

#include <base/check.h>
#include <base/hash_map.h>
#include <records/batch.h>
#include <records/builder.h>

namespace dohle::storage {

Slice make_batch(const BatchSpec& spec) {
  records::BatchBuilder builder({.base_offset = spec.base_offset,
                                 .producer_id = spec.producer,
                                 .producer_epoch = spec.producer_epoch,
                                 .base_sequence = spec.base_sequence,
                                 .transactional = spec.transactional,
                                 .leader_epoch = spec.leader_epoch});
  for (int i = 0; i < spec.records; ++i) {
    const std::string value(spec.value_bytes, static_cast<char>('a' + i % 26));
    builder.append(spec.timestamp_ms + i, std::nullopt, as_bytes(value));
  }
  return builder.build();
}

std::string flatten(const runtime::Fragments& fragments) {
  std::string out;
  for (const auto& fragment : fragments) {
    if (const auto* slice = std::get_if<Slice>(&fragment)) {
      out.append(as_text(slice->bytes()));
      continue;
    }
    const auto& range = std::get<runtime::FileRange>(fragment);
    std::string part(range.length, '\0');
    const auto got = range.file->read_at(range.offset, {reinterpret_cast<std::uint8_t*>(part.data()), part.size()});
    DOHLE_CHECK(got && *got == range.length);
    out += part;
  }
  return out;
}

std::vector<OffsetRange> offsets_in(const runtime::Fragments& fragments) {
  const std::string bytes = flatten(fragments);
  records::BatchCursor cursor(as_bytes(bytes));
  std::vector<OffsetRange> out;
  for (;;) {
    const auto batch = cursor.next();
    DOHLE_CHECK(batch.has_value());
    if (!*batch) return out;
    DOHLE_CHECK((*batch)->crc_ok());
    out.push_back({(*batch)->base_offset().value(), (*batch)->last_offset().value()});
  }
}

StorageWorld::StorageWorld(std::size_t shard_count, std::uint64_t seed) : shards(shard_count, seed) {}

StorageWorld::~StorageWorld() {
  if (manager) crash(runtime::CrashLoss::kNothing);
}

std::size_t StorageWorld::shard_of(std::int32_t partition) const {
  return static_cast<std::size_t>(partition) % const_cast<StorageWorld*>(this)->shards.size();
}

TopicId StorageWorld::topic_id(const std::string& topic) { return {Uuid{1, fixed_hash(topic)}}; }

Result<> StorageWorld::try_start(LogManagerConfig config, LoadOptions options) {
  if (config.log_dirs.empty()) config.log_dirs = {"/data"};
  config.reserve_bytes = 0;
  config.shard_of = [count = shards.size()](const TopicIdPartition& partition) {
    return static_cast<std::size_t>(partition.partition) % count;
  };
  {
    const auto scope = shards.enter(0);
    auto opened = LogManager::open(shards, std::move(config));
    if (!opened) return fail(opened.error());
    manager = std::move(*opened);
    DOHLE_TRY(manager->check_and_complete_meta("test-cluster", 1));
  }
  return shards.run(0, [this, &options] { return manager->load(options); });
}

void StorageWorld::start(LogManagerConfig config, LoadOptions options) {
  const auto started = try_start(std::move(config), std::move(options));
  if (!started) fprintf(stderr, "start: %s\n", started.error().message.c_str());
  DOHLE_CHECK(started.has_value());
}

void StorageWorld::stop_cleanly(std::int64_t broker_epoch) {
  const auto stopped = shards.run(0, [this, broker_epoch] { return manager->shutdown(broker_epoch); });
  if (!stopped) fprintf(stderr, "stop: %s\n", stopped.error().message.c_str());
  DOHLE_CHECK(stopped.has_value());
  dead_.push_back(std::move(manager));
}

void StorageWorld::crash(runtime::CrashLoss loss) {
  // Nothing of this life may reach the files of the next: its directories are offline before its logs go.
  for (const auto& directory : manager->directories()) {
    directory->commit_log().report_failure({Errc::kIo, "the test ends this life"});
  }
  files().crash(loss);
  static_cast<void>(shards.run(0, [this] { return manager->shutdown(-1); }));
  dead_.push_back(std::move(manager));
}

Log& StorageWorld::log(const std::string& topic, std::int32_t partition, const LogConfig& config) {
  const std::size_t shard = shard_of(partition);
  auto log = shards.run(
      shard, [&, shard] { return manager->on(shard).get_or_create({topic, partition}, topic_id(topic), config); });
  if (!log) fprintf(stderr, "log: %s\n", log.error().message.c_str());
  DOHLE_CHECK(log.has_value());
  return **log;
}

std::expected<AppendInfo, AppendFailure> StorageWorld::append(Log& log, const BatchSpec& spec, int epoch) {
  const auto scope = shards.enter(shard_of(log.partition().partition));
  return log.append_as_leader(make_batch(spec), LeaderEpoch(epoch));
}

Result<> StorageWorld::commit(Log& log) {
  return shards.run(shard_of(log.partition().partition), [&] { return log.commit(log.log_end()); });
}

Result<int> StorageWorld::delete_old_segments(Log& log, std::int64_t now_ms) {
  return shards.run(shard_of(log.partition().partition), [&] { return log.delete_old_segments_waiting(now_ms); });
}

Result<std::optional<TimestampOffset>> StorageWorld::offset_for_timestamp(Log& log, std::int64_t timestamp) {
  return shards.run(shard_of(log.partition().partition), [&] { return log.offset_for_timestamp_cold(timestamp); });
}

Result<ReadInfo> StorageWorld::read(Log& log, std::int64_t from, ReadLimits limits) {
  const std::size_t shard = shard_of(log.partition().partition);
  auto info = shards.run(shard, [&] { return log.read_cold(Offset(from), limits); });
  const auto scope = shards.enter(shard);
  if (!info || info->records.empty()) return info;
  kept_.push_back(flatten(info->records));
  info->records.clear();
  info->records.emplace_back(Slice::unowned(as_bytes(kept_.back())));
  return info;
}

}  // namespace dohle::storage
