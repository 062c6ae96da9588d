#include <charconv>

#include <fmt/format.h>

#include <raft/snapshot_reader.h>
#include <runtime/file_system.h>

namespace dohle::raft {

namespace {

constexpr std::size_t kOffsetDigits = 20;
constexpr std::size_t kEpochDigits = 10;
constexpr std::size_t kNameChars = kOffsetDigits + 1 + kEpochDigits;

template <typename T>
std::optional<T> parse_digits(std::string_view text) {
  T value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string snapshot_name(SnapshotId id) { return fmt::format("{:020}-{:010}", id.offset.value(), id.epoch.value()); }

std::string snapshot_path(std::string_view directory, SnapshotId id) {
  return runtime::join_path(directory, snapshot_name(id) + ".checkpoint");
}

std::optional<SnapshotFile> parse_snapshot_file_name(std::string_view name) {
  SnapshotFile out;
  if (name.ends_with(".checkpoint.part")) {
    out.kind = SnapshotFileKind::kPartial;
  } else if (name.ends_with(".checkpoint.deleted")) {
    out.kind = SnapshotFileKind::kDeleted;
  } else if (!name.ends_with(".checkpoint")) {
    return std::nullopt;
  }
  if (name.size() < kNameChars || name[kOffsetDigits] != '-') return std::nullopt;
  const auto offset = parse_digits<std::int64_t>(name.substr(0, kOffsetDigits));
  const auto epoch = parse_digits<std::int32_t>(name.substr(kOffsetDigits + 1, kEpochDigits));
  if (!offset || !epoch) return std::nullopt;
  // Partial names carry something random between the id and the suffix.
  if (out.kind != SnapshotFileKind::kPartial && name[kNameChars] != '.') return std::nullopt;
  out.id = {Offset(*offset), LeaderEpoch(*epoch)};
  return out;
}

}  // namespace dohle::raft
