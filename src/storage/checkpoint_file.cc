#include "checkpoint_file.h"

#include <charconv>
#include <functional>
#include <optional>

#include <fmt/format.h>

namespace dohle::storage {

namespace {

constexpr int kVersion = 0;

template <typename T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

// Takes the next line off `text`, without its end.
std::optional<std::string_view> take_line(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::unexpected<Error> bad_line(std::string_view line) {
  return fail(Errc::kMalformed, fmt::format("malformed checkpoint line '{}'", line.substr(0, 100)));
}

// Calls `entry` for each entry line; checks version and count. Every line ends: a number that was cut short is another.
Result<> parse(std::string_view text, const std::function<bool(std::string_view)>& entry) {
  if (!text.empty() && !text.ends_with('\n')) return fail(Errc::kMalformed, "checkpoint ends within a line");
  const auto version_line = take_line(text);
  if (!version_line) return {};
  int version = -1;
  if (!parse_number(*version_line, version)) return bad_line(*version_line);
  if (version != kVersion) return fail(Errc::kMalformed, fmt::format("checkpoint version {} is not known", version));
  const auto count_line = take_line(text);
  if (!count_line) return fail(Errc::kMalformed, "checkpoint ends after its version");
  std::int64_t expected = -1;
  if (!parse_number(*count_line, expected)) return bad_line(*count_line);
  std::int64_t got = 0;
  while (const auto line = take_line(text)) {
    if (!entry(*line)) return bad_line(*line);
    ++got;
  }
  if (got != expected) return fail(Errc::kMalformed, fmt::format("checkpoint has {} entries, not {}", got, expected));
  return {};
}

// Splits off what follows the last space.
std::optional<std::string_view> take_last_word(std::string_view& line) {
  const auto space = line.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto word = line.substr(space + 1);
  line = line.substr(0, space);
  return word;
}

}  // namespace

Result<OffsetMap> parse_offset_checkpoint(std::string_view text) {
  OffsetMap out;
  DOHLE_TRY(parse(text, [&out](std::string_view line) {
    const auto offset_word = take_last_word(line);
    if (!offset_word) return false;
    const auto partition_word = take_last_word(line);
    if (!partition_word || line.empty() || line.find(' ') != std::string_view::npos) return false;
    std::int64_t offset = 0;
    std::int32_t partition = 0;
    if (!parse_number(*offset_word, offset) || !parse_number(*partition_word, partition)) return false;
    out[{std::string(line), partition}] = Offset(offset);
    return true;
  }));
  return out;
}

std::string format_offset_checkpoint(const OffsetMap& offsets) {
  std::string out = fmt::format("{}\n{}\n", kVersion, offsets.size());
  for (const auto& [partition, offset] : offsets) {
    fmt::format_to(std::back_inserter(out), "{} {} {}\n", partition.topic, partition.partition, offset.value());
  }
  return out;
}

Result<std::vector<EpochEntry>> parse_epoch_checkpoint(std::string_view text) {
  std::vector<EpochEntry> out;
  DOHLE_TRY(parse(text, [&out](std::string_view line) {
    const auto start_word = take_last_word(line);
    std::int64_t start = -1;
    std::int32_t epoch = -1;
    if (!start_word || !parse_number(*start_word, start) || !parse_number(line, epoch)) return false;
    if (start < 0 || epoch < 0) return false;
    out.push_back({LeaderEpoch(epoch), Offset(start)});
    return true;
  }));
  return out;
}

std::string format_epoch_checkpoint(const std::vector<EpochEntry>& entries) {
  std::string out = fmt::format("{}\n{}\n", kVersion, entries.size());
  for (const auto& entry : entries) {
    fmt::format_to(std::back_inserter(out), "{} {}\n", entry.epoch.value(), entry.start.value());
  }
  return out;
}

Result<OffsetMap> read_offset_checkpoint(runtime::FileSystem& fs, const std::string& path) {
  auto text = runtime::read_file(fs, path);
  if (!text) {
    if (text.error().code == Errc::kNotFound) return OffsetMap{};
    return fail(text.error());
  }
  auto parsed = parse_offset_checkpoint(*text);
  if (!parsed) return fail(Errc::kMalformed, fmt::format("{}: {}", path, parsed.error().message));
  return parsed;
}

}  // namespace dohle::storage
