// meta.properties: which node and cluster a log directory belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <base/result.h>
#include <base/uuid.h>
#include <runtime/file_system.h>

namespace dohle::storage {

inline constexpr std::string_view kMetaPropertiesFile = "meta.properties";

struct MetaProperties {
  std::int32_t version = 1;  // 0: of the ZooKeeper age (broker.id in place of node.id)
  std::optional<std::string> cluster_id;
  std::optional<std::int32_t> node_id;
  std::optional<Uuid> directory_id;  // absent in directories of older releases: generated at start
};

// Java's properties format; kMalformed names the key.
[[nodiscard]] Result<MetaProperties> parse_meta_properties(std::string_view text);
[[nodiscard]] std::string format_meta_properties(const MetaProperties& meta);
// kNotFound when the directory has none.
[[nodiscard]] Result<MetaProperties> read_meta_properties(runtime::FileSystem& fs, const std::string& directory);
[[nodiscard]] Result<> write_meta_properties(runtime::FileSystem& fs, const std::string& directory,
                                             const MetaProperties& meta);

}  // namespace dohle::storage
