// partition.metadata: the topic id of a partition directory, written before its first byte of data.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <base/ids.h>
#include <base/result.h>
#include <runtime/file_system.h>

namespace dohle::storage {

[[nodiscard]] Result<TopicId> parse_partition_metadata(std::string_view text);
[[nodiscard]] std::string format_partition_metadata(TopicId id);
// Nothing when the directory has no such file.
[[nodiscard]] Result<std::optional<TopicId>> read_partition_metadata(runtime::FileSystem& fs,
                                                                     const std::string& directory);

}  // namespace dohle::storage
