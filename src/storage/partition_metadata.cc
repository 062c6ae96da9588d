#include "partition_metadata.h"

#include <fmt/format.h>

#include "log_files.h"

namespace dohle::storage {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<TopicId> parse_partition_metadata(std::string_view text) {
  std::optional<TopicId> id;
  bool versioned = false;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      if (trimmed(line).empty()) continue;
      return fail(Errc::kMalformed, "partition.metadata: a line without ':'");
    }
    const auto key = trimmed(line.substr(0, colon));
    const auto value = trimmed(line.substr(colon + 1));
    if (key == "version") {
      if (value != "0")
        return fail(Errc::kMalformed, fmt::format("partition.metadata: version {} is not known", value));
      versioned = true;
    } else if (key == "topic_id") {
      const auto uuid = Uuid::parse(value);
      if (!uuid) return fail(Errc::kMalformed, fmt::format("partition.metadata: {}", uuid.error().message));
      if (uuid->is_zero()) return fail(Errc::kMalformed, "partition.metadata: the topic id is zero");
      id = TopicId{*uuid};
    }
  }
  if (!versioned || !id) return fail(Errc::kMalformed, "partition.metadata lacks version or topic_id");
  return *id;
}

std::string format_partition_metadata(TopicId id) {
  return fmt::format("version: 0\ntopic_id: {}", id.uuid.to_string());
}

Result<std::optional<TopicId>> read_partition_metadata(runtime::FileSystem& fs, const std::string& directory) {
  const auto text = runtime::read_file(fs, runtime::join_path(directory, kPartitionMetadataFile), 4096);
  if (!text) {
    if (text.error().code == Errc::kNotFound) return std::optional<TopicId>{};
    return fail(text.error());
  }
  DOHLE_ASSIGN(const TopicId id, parse_partition_metadata(*text));
  return std::optional(id);
}

}  // namespace dohle::storage
