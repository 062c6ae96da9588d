#include "log_files.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace dohle::storage {

namespace {

constexpr std::size_t kDigits = 20;
constexpr std::size_t kMaxName = 255;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

std::optional<Offset> parse_digits(std::string_view digits) {
  if (digits.size() != kDigits || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return Offset(value);
}

std::string_view suffix_of(DirectoryKind kind) {
  switch (kind) {
    case DirectoryKind::kLive:
      return "";
    case DirectoryKind::kDelete:
      return "-delete";
    case DirectoryKind::kFuture:
      return "-future";
    case DirectoryKind::kStray:
      return "-stray";
  }
  return "";
}

std::unexpected<Error> not_a_partition(std::string_view name) {
  return fail(Errc::kMalformed,
              fmt::format("directory {} is not <topic>-<partition>; move it out of the log directory", name));
}

}  // namespace

std::string parent_of(std::string_view path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<std::size_t>(slash, 1)));
}

std::string file_name(Offset base, std::string_view suffix) { return fmt::format("{:020}{}", base.value(), suffix); }

std::optional<Offset> offset_in_name(std::string_view name, std::string_view suffix) {
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  return parse_digits(name.substr(0, kDigits));
}

std::optional<Offset> leading_offset(std::string_view name) {
  if (name.size() <= kDigits || name[kDigits] != '.') return std::nullopt;
  return parse_digits(name.substr(0, kDigits));
}

Result<PartitionDirectory> parse_partition_directory(std::string_view name) {
  PartitionDirectory out;
  std::string_view rest = name;
  for (const auto kind : {DirectoryKind::kDelete, DirectoryKind::kFuture, DirectoryKind::kStray}) {
    if (!name.ends_with(suffix_of(kind))) continue;
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return not_a_partition(name);
    const auto unique = name.substr(dot + 1, name.size() - dot - 1 - suffix_of(kind).size());
    if (unique.empty() || !std::ranges::all_of(unique, is_hex)) return not_a_partition(name);
    out.kind = kind;
    rest = name.substr(0, dot);
  }
  const auto dash = rest.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == rest.size()) return not_a_partition(name);
  const auto number = rest.substr(dash + 1);
  std::int32_t partition = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), partition);
  if (error != std::errc{} || end != number.data() + number.size() || partition < 0) return not_a_partition(name);
  out.partition = {std::string(rest.substr(0, dash)), partition};
  return out;
}

std::string partition_directory_name(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition);
}

std::string retired_directory_name(const TopicPartition& partition, DirectoryKind kind, const Uuid& unique) {
  const std::string tail =
      fmt::format("-{}.{:016x}{:016x}{}", partition.partition, unique.high, unique.low, suffix_of(kind));
  return partition.topic.substr(0, kMaxName - tail.size()) + tail;
}

}  // namespace dohle::storage
