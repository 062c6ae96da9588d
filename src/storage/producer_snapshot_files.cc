#include "producer_snapshot_files.h"

#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>

#include "log_files.h"

namespace dohle::storage {

namespace {
constexpr std::uint64_t kMaxSnapshotBytes = 1U << 30U;
}

std::string ProducerSnapshotFiles::path(Offset offset) const {
  return runtime::join_path(directory_, file_name(offset, kSnapshotSuffix));
}

Result<> ProducerSnapshotFiles::remove(Offset offset) {
  offsets_.erase(offset);
  auto removed = fs_.remove_file(path(offset));
  if (!removed && removed.error().code != Errc::kNotFound) return removed;
  return {};
}

Result<> ProducerSnapshotFiles::remove_strays(const std::set<Offset>& segment_bases) {
  const std::set<Offset> all = offsets_;
  const bool newest_stays = !all.empty() && (segment_bases.empty() || *all.rbegin() > *segment_bases.rbegin());
  for (const Offset offset : all) {
    if (segment_bases.contains(offset) || (newest_stays && offset == *all.rbegin())) continue;
    DOHLE_TRY(remove(offset));
  }
  return {};
}

std::optional<WholeFile> ProducerSnapshotFiles::prepare(const ProducerState& state) const {
  if (!offsets_.empty() && *offsets_.rbegin() >= state.end()) return std::nullopt;
  return WholeFile{.path = path(state.end()),
                   .content = std::string(as_text(format_producer_snapshot(state.producers())))};
}

Result<runtime::FileRef> ProducerSnapshotFiles::write(const ProducerState& state) {
  auto snapshot = prepare(state);
  if (!snapshot) return runtime::FileRef{};
  if (auto written = snapshot->run(fs_); !written) {
    static_cast<void>(fs_.remove_file(snapshot->path));  // it may hold a part
    return std::unexpected(written.error());
  }
  offsets_.insert(state.end());
  return snapshot->file;
}

Result<bool> ProducerSnapshotFiles::load_newest(Offset upto, std::int64_t now_ms, ProducerState& state) {
  while (!offsets_.empty()) {
    auto at = offsets_.upper_bound(upto);
    if (at == offsets_.begin()) return false;
    const Offset offset = *std::prev(at);
    const bool stale = DOHLE_MUTANT("storage.producer_snapshot_stale") && std::prev(at) != offsets_.begin();
    auto content = runtime::read_file(fs_, path(stale ? *std::prev(at, 2) : offset), kMaxSnapshotBytes);
    if (content) {
      auto producers = parse_producer_snapshot(as_bytes(*content));
      if (producers) {
        state.load(*producers, offset, now_ms);
        return true;
      }
      DOHLE_MARK("storage.older_snapshot");
      log::warn("storage", "{}: {}; using an older one", path(offset), producers.error().message);
    } else if (content.error().code != Errc::kNotFound) {
      return fail(content.error());
    }
    DOHLE_TRY(remove(offset));
  }
  return false;
}

Result<> ProducerSnapshotFiles::remove_outside(Offset low, Offset high) {
  const std::set<Offset> all = offsets_;
  for (const Offset offset : all) {
    if (offset <= low || offset > high) DOHLE_TRY(remove(offset));
  }
  return {};
}

Result<std::string> ProducerSnapshotFiles::retire(Offset offset) {
  if (offsets_.erase(offset) == 0) return std::string{};
  std::string to = path(offset).append(kDeletedSuffix);
  auto renamed = fs_.rename(path(offset), to);
  if (!renamed && renamed.error().code == Errc::kNotFound) return std::string{};
  if (!renamed) return fail(renamed.error());
  return to;
}

}  // namespace dohle::storage
