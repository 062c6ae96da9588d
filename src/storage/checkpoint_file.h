// Kafka's text checkpoints: a version line, a count line, one entry a line. Replaced atomically.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <base/ids.h>
#include <base/result.h>
#include <runtime/file_system.h>
#include <storage/log_directory.h>

namespace dohle::storage {

inline constexpr std::string_view kRecoveryPointFile = "recovery-point-offset-checkpoint";
inline constexpr std::string_view kLogStartFile = "log-start-offset-checkpoint";
inline constexpr std::string_view kHighWatermarkFile = "replication-offset-checkpoint";

struct EpochEntry {
  LeaderEpoch epoch;
  Offset start;
  friend bool operator==(const EpochEntry&, const EpochEntry&) = default;
};

// An empty text is an empty checkpoint, as after a crash before its first sync. kMalformed names the line.
[[nodiscard]] Result<OffsetMap> parse_offset_checkpoint(std::string_view text);
[[nodiscard]] std::string format_offset_checkpoint(const OffsetMap& offsets);
[[nodiscard]] Result<std::vector<EpochEntry>> parse_epoch_checkpoint(std::string_view text);
[[nodiscard]] std::string format_epoch_checkpoint(const std::vector<EpochEntry>& entries);

// Empty when the file is absent.
[[nodiscard]] Result<OffsetMap> read_offset_checkpoint(runtime::FileSystem& fs, const std::string& path);

}  // namespace dohle::storage
