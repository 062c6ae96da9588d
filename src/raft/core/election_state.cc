#include "core/election_state.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

namespace dohle::raft {

namespace {

// Reads the little of JSON that a quorum-state file holds: one object of numbers, strings, and arrays of such objects.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(char c) {
    skip_space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<std::string_view> string() {
    if (!take('"')) return std::nullopt;
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos || rest_.substr(0, end).contains('\\')) return std::nullopt;
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return out;
  }
  std::optional<std::int64_t> number() {
    skip_space();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  bool null() {
    skip_space();
    if (!rest_.starts_with("null")) return false;
    rest_.remove_prefix(4);
    return true;
  }
  [[nodiscard]] bool next_is(char c) {
    skip_space();
    return rest_.starts_with(c);
  }
  [[nodiscard]] bool at_end() {
    skip_space();
    return rest_.empty();
  }

 private:
  void skip_space() {
    while (!rest_.empty() && std::string_view(" \t\r\n").contains(rest_.front())) rest_.remove_prefix(1);
  }
  std::string_view rest_;
};

struct Fields {
  std::map<std::string, std::int64_t, std::less<>> numbers;
  std::map<std::string, std::string, std::less<>> strings;
  std::vector<std::int32_t> voters;
};

bool read_object(Scanner& scan, Fields& out, bool inner);

bool read_value(Scanner& scan, std::string_view key, Fields& out, bool inner) {
  if (scan.next_is('"')) {
    const auto text = scan.string();
    if (text) out.strings[std::string(key)] = *text;
    return text.has_value();
  }
  if (scan.null()) return true;
  if (!inner && scan.take('[')) {
    if (scan.take(']')) return true;
    do {
      Fields element;
      if (!read_object(scan, element, true)) return false;
      const auto id = element.numbers.find("voterId");
      if (id == element.numbers.end()) return false;
      out.voters.push_back(static_cast<std::int32_t>(id->second));
    } while (scan.take(','));
    return scan.take(']');
  }
  const auto value = scan.number();
  if (value) out.numbers[std::string(key)] = *value;
  return value.has_value();
}

bool read_object(Scanner& scan, Fields& out, bool inner) {
  if (!scan.take('{')) return false;
  if (scan.take('}')) return true;
  do {
    const auto key = scan.string();
    if (!key || !scan.take(':') || !read_value(scan, *key, out, inner)) return false;
  } while (scan.take(','));
  return scan.take('}');
}

std::unexpected<Error> malformed(std::string_view what) {
  return fail(Errc::kMalformed, fmt::format("the quorum-state file is damaged: {}", what));
}

}  // namespace

std::string encode_quorum_state(const ElectionState& state, std::int16_t data_version) {
  const std::int32_t leader = state.leader.value_or(-1);
  const std::int32_t voted = state.voted ? state.voted->id : -1;
  if (data_version == 0) {
    std::string voters;
    for (const std::int32_t id : state.voters)
      voters += fmt::format("{}{{\"voterId\":{}}}", voters.empty() ? "" : ",", id);
    return fmt::format(R"({{"clusterId":"","leaderId":{},"leaderEpoch":{},"votedId":{},"appliedOffset":0,)"
                       R"("currentVoters":[{}],"data_version":0}})",
                       leader, state.epoch.value(), voted, voters);
  }
  const Uuid directory = state.voted ? state.voted->directory_or_zero() : kZeroUuid;
  return fmt::format(R"({{"leaderId":{},"leaderEpoch":{},"votedId":{},"votedDirectoryId":"{}","data_version":1}})",
                     leader, state.epoch.value(), voted, directory.to_string());
}

Result<ElectionState> decode_quorum_state(std::string_view text) {
  Scanner scan(text);
  Fields fields;
  if (!read_object(scan, fields, false)) return malformed("it is not one line of JSON");
  const auto number = [&fields](std::string_view key) -> std::optional<std::int64_t> {
    const auto at = fields.numbers.find(key);
    return at == fields.numbers.end() ? std::nullopt : std::optional(at->second);
  };
  const auto version = number("data_version");
  if (!version) return malformed("it has no data_version");
  if (*version != 0 && *version != 1) {
    return fail(Errc::kUnsupported,
                fmt::format("the quorum-state file has data_version {}, 0 and 1 are known", *version));
  }
  const auto epoch = number("leaderEpoch");
  const auto leader = number("leaderId");
  const auto voted = number("votedId");
  const auto fits = [](std::optional<std::int64_t> n, std::int64_t least) {
    return n && *n >= least && *n <= INT32_MAX;
  };
  if (!fits(epoch, 0) || !fits(leader, -1) || !fits(voted, -1)) {
    return malformed("leaderEpoch, leaderId or votedId is missing or out of range");
  }
  ElectionState out{.epoch = LeaderEpoch(static_cast<std::int32_t>(*epoch)), .voters = std::move(fields.voters)};
  std::ranges::sort(out.voters);
  if (*leader >= 0) out.leader = static_cast<std::int32_t>(*leader);
  if (*voted < 0) return out;
  Uuid directory;
  if (*version == 1) {
    const auto at = fields.strings.find("votedDirectoryId");
    if (at == fields.strings.end()) return malformed("votedDirectoryId is missing");
    auto parsed = Uuid::parse(at->second);
    if (!parsed) return malformed("votedDirectoryId is no id");
    directory = *parsed;
  }
  out.voted = ReplicaKey::of(static_cast<std::int32_t>(*voted), directory);
  return out;
}

}  // namespace dohle::raft
