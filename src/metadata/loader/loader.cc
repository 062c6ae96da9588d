#include <metadata/loader.h>

#include <utility>

#include <fmt/format.h>

#include <base/log.h>

namespace dohle::metadata {
namespace {

constexpr std::string_view kModule = "metadata";

// On the I/O thread: the image is immutable and the writer is ours alone.
Result<> fill_snapshot(const MetadataImage& image, raft::SnapshotWriter& writer) {
  constexpr std::size_t kChunk = 1024;
  std::vector<EncodedRecord> chunk;
  const auto flush = [&]() -> Result<> {
    DOHLE_TRY(writer.append(chunk));
    chunk.clear();
    return {};
  };
  DOHLE_TRY(write_image(image, [&](EncodedRecord record) -> Result<> {
    chunk.push_back(std::move(record));
    return chunk.size() < kChunk ? Result<>{} : flush();
  }));
  return flush();
}

}  // namespace

MetadataLoader::MetadataLoader(runtime::Shard& shard, raft::RaftNode& raft, runtime::IoThread& io, Publisher& publisher,
                               SnapshotPolicy policy, std::function<void(Error)> fault)
    : shard_(shard),
      raft_(raft),
      io_(io),
      publisher_(publisher),
      policy_(policy),
      fault_(std::move(fault)),
      last_snapshot_(shard.clock().now()) {}

MetadataLoader::~MetadataLoader() = default;

runtime::Task<void> MetadataLoader::close() { co_await gate_.wait_empty(); }

void MetadataLoader::report(Error error) {
  faulted_ = true;
  log::error(kModule, "{}", error.message);
  fault_(std::move(error));
}

void MetadataLoader::on_commit(const raft::CommittedBatch& batch) {
  if (faulted_) return;
  const Provenance end{batch.last_offset, batch.epoch, batch.append_timestamp_ms, raft_.kraft_version()};
  auto update = replayer_.replay_batch(batch.base_offset, batch.records, end);
  if (!update) {
    report({update.error().code,
            fmt::format("The metadata log cannot be replayed at offsets {} to {}: {}", batch.base_offset.value(),
                        batch.last_offset.value(), update.error().message)});
    return;
  }
  bytes_since_snapshot_ += static_cast<std::int64_t>(batch.size_bytes);
  if (!*update) return;
  publisher_.publish(std::move(**update));
  maybe_snapshot();
}

Result<> MetadataLoader::load_bootstrap(raft::SnapshotReader& snapshot) {
  bootstrap_records_.clear();
  while (true) {
    DOHLE_ASSIGN(const auto batch, snapshot.next());
    if (!batch) return {};
    for (const Bytes record : batch->records) bootstrap_records_.emplace_back(record.begin(), record.end());
  }
}

Result<> MetadataLoader::load_snapshot(raft::SnapshotReader& snapshot) {
  replayer_.begin_snapshot();
  while (true) {
    DOHLE_ASSIGN(const auto batch, snapshot.next());
    if (!batch) break;
    DOHLE_TRY(replayer_.add_to_snapshot(batch->records));
  }
  const raft::SnapshotId id = snapshot.id();
  publisher_.publish(replayer_.finish_snapshot(
      {id.offset.prev(), id.epoch, snapshot.last_contained_log_timestamp_ms(), raft_.kraft_version()}));
  bytes_since_snapshot_ = 0;
  last_snapshot_ = shard_.clock().now();
  return {};
}

void MetadataLoader::on_load_snapshot(raft::SnapshotReader& snapshot) {
  if (faulted_) return;
  const bool bootstrap = snapshot.id() == raft::kBootstrapSnapshotId;
  if (auto loaded = bootstrap ? load_bootstrap(snapshot) : load_snapshot(snapshot); !loaded) {
    report({loaded.error().code, fmt::format("The metadata snapshot {} cannot be loaded: {}",
                                             raft::snapshot_name(snapshot.id()), loaded.error().message)});
  }
}

void MetadataLoader::on_leader_change(const raft::LeaderAndEpoch& leader) {
  if (!faulted_ && leadership_ != nullptr) leadership_->on_leader_change(leader);
}

void MetadataLoader::maybe_snapshot() {
  if (snapshotting_ || image()->features().metadata_version() == 0) return;
  const bool enough = bytes_since_snapshot_ >= policy_.max_new_bytes;
  const bool late = policy_.max_interval.count() > 0 && shard_.clock().now() - last_snapshot_ >= policy_.max_interval;
  if (!enough && !late) return;
  snapshotting_ = true;
  bytes_since_snapshot_ = 0;
  last_snapshot_ = shard_.clock().now();
  runtime::spawn(write_snapshot(gate_.enter(), image()));
}

runtime::Task<void> MetadataLoader::write_snapshot([[maybe_unused]] runtime::Gate::Pass pass, ImageRef image) {
  const Provenance& end = image->provenance();
  auto writer = raft_.create_snapshot({end.last_offset.next(), end.last_epoch}, end.last_append_ms);
  if (!writer) {
    log::warn(kModule, "No snapshot at offset {}: {}", end.last_offset.value(), writer.error().message);
  } else if (*writer != nullptr) {
    raft::SnapshotWriter& target = **writer;
    // Named first: gcc and clang differ on temporaries inside co_await.
    auto fill = runtime::run_on(io_, [&target, image] { return fill_snapshot(*image, target); });
    const Result<> filled = co_await std::move(fill);
    Result<> finished = filled;
    if (filled) finished = co_await raft_.finish_snapshot(std::move(*writer));
    if (finished) {
      log::info(kModule, "Wrote a metadata snapshot up to offset {}.", end.last_offset.value());
    } else {
      log::error(kModule, "The metadata snapshot up to offset {} failed: {}", end.last_offset.value(),
                 finished.error().message);
    }
  }
  snapshotting_ = false;
}

}  // namespace dohle::metadata
