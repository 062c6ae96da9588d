#include "group_text.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "options.h"

namespace dohle::app {

namespace {

constexpr std::size_t kMinWidth = 15;
constexpr std::size_t kListGap = 10;
constexpr std::size_t kCoordinatorWidth = 25;
constexpr std::size_t kInstanceWidth = 17;
constexpr std::size_t kAssignmentWidth = 20;

template <typename T>
std::string shown(const std::optional<T>& value) {
  return value ? std::to_string(*value) : "-";
}

template <typename Rows, typename Field>
std::size_t width(const Rows& rows, Field field, std::size_t least = kMinWidth) {
  for (const auto& row : rows) least = std::max(least, std::invoke(field, row).size());
  return least;
}

// Cells of the same width a blank apart; a width of 0 is the cell's own.
std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ' ';
    out += cells[i];
    if (cells[i].size() < widths[i]) out.append(widths[i] - cells[i].size(), ' ');
  }
  return out;
}

// Jackson's rule: long values and those with anything below '-' are quoted.
std::string csv_field(const std::string& text) {
  constexpr std::size_t kLongestPlain = 24;
  if (text.size() <= kLongestPlain && std::ranges::none_of(text, [](char c) { return c < '-'; })) return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

std::vector<std::string> csv_fields(std::string_view text) {
  std::vector<std::string> out{""};
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      out.back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  for (auto& field : out) field = std::string(trim(field));
  return out;
}

// A run of digits of exactly `count`, taken off `text`.
std::optional<std::int64_t> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count || text.substr(0, count).find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  const auto value = parse_number(text.substr(0, count));
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;

// Of a day of the Gregorian calendar, since 1970-01-01.
std::int64_t days_since_1970(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::chrono::sys_days days =
      std::chrono::year(static_cast<int>(year)) / static_cast<int>(month) / static_cast<int>(day);
  return days.time_since_epoch().count();
}

// Milliseconds east of UTC, of what stands behind the time.
std::optional<std::int64_t> parse_zone(std::string_view text) {
  if (text.empty() || text == "Z") return 0;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  if (!take(text, "+") && !take(text, "-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  take(text, ":");
  const auto minutes = text.empty() ? std::optional<std::int64_t>(0) : take_digits(text, 2);
  if (!hours || !minutes || !text.empty()) return std::nullopt;
  return sign * (*hours * kHourMs + *minutes * kMinuteMs);
}

}  // namespace

std::optional<std::int64_t> OffsetRow::lag() const {
  if (!offset || *offset == -1 || !log_end) return std::nullopt;
  return *log_end - *offset;
}

std::string offsets_text(const std::vector<OffsetRow>& rows, bool verbose) {
  std::vector<std::size_t> widths = {width(rows, &OffsetRow::group),
                                     width(rows, [](const OffsetRow& row) { return row.partition.topic; }),
                                     10,
                                     15,
                                     15,
                                     15,
                                     15,
                                     width(rows, &OffsetRow::consumer_id),
                                     width(rows, &OffsetRow::host),
                                     0};
  std::vector<std::string> header = {"GROUP",          "TOPIC", "PARTITION",   "LEADER-EPOCH", "CURRENT-OFFSET",
                                     "LOG-END-OFFSET", "LAG",   "CONSUMER-ID", "HOST",         "CLIENT-ID"};
  const auto print = [&](std::vector<std::string> cells) {
    auto used = widths;
    if (!verbose) {
      cells.erase(cells.begin() + 3);
      used.erase(used.begin() + 3);
    }
    return "\n" + line(cells, used);
  };
  std::string out = print(header);
  for (const OffsetRow& row : rows) {
    out += print({row.group, row.partition.topic, std::to_string(row.partition.partition), shown(row.leader_epoch),
                  shown(row.offset), shown(row.log_end), shown(row.lag()), row.consumer_id, row.host, row.client_id});
  }
  return out + "\n";
}

std::string assignment_text(const std::vector<TopicPartition>& partitions) {
  std::map<std::string, std::vector<std::int32_t>> topics;
  for (const auto& partition : partitions) topics[partition.topic].push_back(partition.partition);
  std::vector<std::string> out;
  for (auto& [topic, indexes] : topics) {
    std::ranges::sort(indexes);
    out.push_back(fmt::format("{}:{}", topic, fmt::join(indexes, ",")));
  }
  return join(out, ";");
}

std::string members_text(const std::vector<MemberRow>& rows, bool verbose) {
  const auto assigned = [](const MemberRow& row) {
    return row.assignment.empty() ? std::string("-") : assignment_text(row.assignment);
  };
  const bool with_instance = std::ranges::any_of(rows, [](const MemberRow& row) { return !row.instance_id.empty(); });
  const std::vector<std::size_t> widths = {width(rows, &MemberRow::group),
                                           width(rows, &MemberRow::consumer_id),
                                           width(rows, &MemberRow::instance_id, kInstanceWidth),
                                           width(rows, &MemberRow::host),
                                           width(rows, &MemberRow::client_id),
                                           15};
  const std::vector<std::size_t> more_widths = {15, width(rows, assigned, kAssignmentWidth), 15, kAssignmentWidth};
  const auto print = [&](std::vector<std::string> cells, const std::vector<std::string>& more) {
    auto used = widths;
    if (!with_instance) {
      cells.erase(cells.begin() + 2);
      used.erase(used.begin() + 2);
    }
    return line(cells, used) + " " + (verbose ? line(more, more_widths) : "") + "\n";
  };
  std::string out = "\n" + print({"GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", "HOST", "CLIENT-ID", "#PARTITIONS"},
                                 {"CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT"});
  for (const MemberRow& row : rows) {
    out += print(
        {row.group, row.consumer_id, row.instance_id, row.host, row.client_id, std::to_string(row.assignment.size())},
        {"-", assigned(row), "-", "-"});
  }
  return out;
}

std::string state_text(const StateRow& row, bool verbose) {
  const std::string strategy = row.strategy.empty() ? "-" : row.strategy;
  const std::size_t group = std::max(kMinWidth, row.group.size());
  const std::size_t coordinator = std::max(kCoordinatorWidth, row.coordinator.size());
  const std::string members = std::to_string(row.members);
  if (!verbose) {
    const std::vector<std::size_t> widths = {group, coordinator, 20, 20, 0};
    return "\n" + line({"GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS"}, widths) + "\n" +
           line({row.group, row.coordinator, strategy, row.state, members}, widths) + "\n";
  }
  const std::vector<std::size_t> widths = {group, coordinator, 20, 20, 15, 25, 0};
  return "\n" +
         line({"GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH",
               "#MEMBERS"},
              widths) +
         "\n" + line({row.group, row.coordinator, strategy, row.state, "-", "-", members}, widths) + "\n";
}

std::string list_text(const std::vector<ListRow>& rows, bool with_type, bool with_state) {
  std::vector<std::size_t> widths = {width(rows, &ListRow::group) + kListGap};
  std::vector<std::string> header = {"GROUP"};
  if (with_type) header.emplace_back("TYPE");
  if (with_state) header.emplace_back("STATE");
  widths.resize(header.size(), 20);
  std::string out = line(header, widths) + "\n";
  for (const ListRow& row : rows) {
    std::vector<std::string> cells = {row.group};
    if (with_type) cells.push_back(row.type);
    if (with_state) cells.push_back(row.state);
    out += line(cells, widths) + "\n";
  }
  return out;
}

std::string reset_text(const ResetPlan& plan) {
  std::vector<std::size_t> widths = {kMinWidth, kMinWidth, 10, 0};
  for (const auto& [group, offsets] : plan) {
    widths[0] = std::max(widths[0], group.size());
    for (const auto& [partition, offset] : offsets) widths[1] = std::max(widths[1], partition.topic.size());
  }
  std::string out;
  if (!plan.empty()) out = "\n" + line({"GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"}, widths);
  for (const auto& [group, offsets] : plan) {
    for (const auto& [partition, offset] : offsets) {
      out += "\n" + line({group, partition.topic, std::to_string(partition.partition), std::to_string(offset)}, widths);
    }
  }
  return out + "\n";
}

std::string reset_csv(const ResetPlan& plan, bool single_group) {
  std::string out;
  for (const auto& [group, offsets] : plan) {
    for (const auto& [partition, offset] : offsets) {
      if (!single_group) out += csv_field(group) + ",";
      out += fmt::format("{},{},{}\n", csv_field(partition.topic), partition.partition, offset);
    }
  }
  return out;
}

std::optional<ResetPlan> parse_reset_csv(std::string_view text, const std::optional<std::string>& group) {
  ResetPlan out;
  for (const std::string& one : split(text, '\n')) {
    auto fields = csv_fields(one);
    if (fields.size() == 1 && fields[0].empty()) continue;
    if (fields.size() == 3 && group) fields.insert(fields.begin(), *group);
    if (fields.size() != 4) return std::nullopt;
    const auto partition = parse_number(fields[2]);
    const auto offset = parse_number(fields[3]);
    if (!partition || !std::in_range<std::int32_t>(*partition) || !offset) return std::nullopt;
    out[fields[0]][{fields[1], static_cast<std::int32_t>(*partition)}] = *offset;
  }
  return out;
}

std::optional<std::int64_t> parse_datetime_ms(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !take(text, "T")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || !take(text, ".")) return std::nullopt;
  const auto ms = take_digits(text, 3);
  const auto zone = parse_zone(text);
  if (!ms || !zone || *month < 1 || *month > 12 || *day < 1) return std::nullopt;
  return days_since_1970(*year, *month, *day) * kDayMs + *hour * kHourMs + *minute * kMinuteMs + *second * kSecondMs +
         *ms - *zone;
}

namespace {

// total += count * unit, unless that is more than 64 bits hold.
bool add_units(std::int64_t& total, std::int64_t count, std::int64_t unit_ms) {
  std::int64_t product = 0;
  return !__builtin_mul_overflow(count, unit_ms, &product) && !__builtin_add_overflow(total, product, &total);
}

// What a unit of a duration is worth; nothing for one that may not stand here.
std::optional<std::int64_t> unit_ms(char unit, bool time) {
  if (!time) return unit == 'D' ? std::optional(kDayMs) : std::nullopt;
  switch (unit) {
    case 'H':
      return kHourMs;
    case 'M':
      return kMinuteMs;
    case 'S':
      return kSecondMs;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  const std::int64_t sign = take(text, "-") ? -1 : 1;
  if (!take(text, "P") || text.empty()) return std::nullopt;
  std::int64_t total = 0;
  bool time = false;
  while (!text.empty()) {
    if (!time && take(text, "T")) {
      time = true;
      if (text.empty()) return std::nullopt;
    }
    const auto unit_at = text.find_first_not_of("+-0123456789.");
    if (unit_at == std::string_view::npos || unit_at == 0) return std::nullopt;
    const std::string_view digits = text.substr(0, unit_at);
    const char unit = text[unit_at];
    text.remove_prefix(unit_at + 1);
    const auto dot = digits.find('.');
    const auto whole = parse_number(digits.substr(0, dot));
    if (!whole || (dot != std::string_view::npos && unit != 'S')) return std::nullopt;
    const auto worth = unit_ms(unit, time);
    if (!worth || !add_units(total, *whole, *worth)) return std::nullopt;
    if (dot == std::string_view::npos) continue;
    std::string fraction(digits.substr(dot + 1));
    fraction.resize(3, '0');
    if (!add_units(total, parse_number(fraction).value_or(0), digits[0] == '-' ? -1 : 1)) return std::nullopt;
  }
  if (total == INT64_MIN && sign < 0) return std::nullopt;
  return sign * total;
}

}  // namespace dohle::app
