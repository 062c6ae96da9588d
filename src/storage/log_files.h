// Names: of the files of a partition, and of partition directories. The names say what survives a crash half done.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <base/ids.h>
#include <base/result.h>
#include <base/uuid.h>

namespace dohle::storage {

inline constexpr std::string_view kLogSuffix = ".log";
inline constexpr std::string_view kIndexSuffix = ".index";
inline constexpr std::string_view kTimeIndexSuffix = ".timeindex";
inline constexpr std::string_view kTxnIndexSuffix = ".txnindex";
inline constexpr std::string_view kSnapshotSuffix = ".snapshot";
inline constexpr std::string_view kDeletedSuffix = ".deleted";  // to be removed after file.delete.delay.ms
inline constexpr std::string_view kCleanedSuffix = ".cleaned";  // compaction output not yet valid
inline constexpr std::string_view kSwapSuffix = ".swap";        // compaction output to be renamed into place

inline constexpr std::string_view kLeaderEpochFile = "leader-epoch-checkpoint";
inline constexpr std::string_view kPartitionMetadataFile = "partition.metadata";
inline constexpr std::string_view kMetadataTopic = "__cluster_metadata";

// The directory that holds `path`.
[[nodiscard]] std::string parent_of(std::string_view path);
// 20 digits and the suffix.
[[nodiscard]] std::string file_name(Offset base, std::string_view suffix);
// The offset in `name` when it is 20 digits and exactly this suffix.
[[nodiscard]] std::optional<Offset> offset_in_name(std::string_view name, std::string_view suffix);
// The offset at the start of `name` whatever follows its dot.
[[nodiscard]] std::optional<Offset> leading_offset(std::string_view name);

enum class DirectoryKind : std::uint8_t { kLive, kDelete, kFuture, kStray };

struct PartitionDirectory {
  TopicPartition partition;  // of delete, future and stray directories: possibly a topic name cut short
  DirectoryKind kind = DirectoryKind::kLive;
};

// kMalformed when `name` is no partition directory: Kafka does not start over one.
[[nodiscard]] Result<PartitionDirectory> parse_partition_directory(std::string_view name);
[[nodiscard]] std::string partition_directory_name(const TopicPartition& partition);
// `<topic>-<partition>.<32 hex digits>-delete` or `-stray`, at most 255 bytes.
[[nodiscard]] std::string retired_directory_name(const TopicPartition& partition, DirectoryKind kind,
                                                 const Uuid& unique);

}  // namespace dohle::storage
