// The settings Kafka 4.4 knows, as a table: every key of server.properties, of topics, groups and client-metrics
// subscriptions. The rows come from settings/*.txt; see tools/settings.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace dohle::broker::config {

enum class Table : std::uint8_t { kServer, kTopic, kGroup, kClientMetrics };

// Numbers of the wire (DescribeConfigs); 0 is "unknown".
enum class ValueType : std::int8_t {
  kUnknown = 0,
  kBoolean = 1,
  kString = 2,
  kInt = 3,
  kShort = 4,
  kLong = 5,
  kDouble = 6,
  kList = 7,
  kClass = 8,
  kPassword = 9,
};

enum class Importance : std::uint8_t { kHigh, kMedium, kLow };

// How a server setting may change while the node runs.
enum class Change : std::uint8_t { kStatic, kPerBroker, kClusterWide };

// What a setting does in Dohle today.
enum class Effect : std::uint8_t {
  kWorks,
  kLater,  // accepted, without effect yet
  kMoot,   // accepted, without effect for good: it tunes something Dohle does not have (thread pools, the JVM)
};

// One condition on a value. A value must meet all rules of its setting.
struct Rule {
  enum class Kind : std::uint8_t {
    kRange,         // min <= value <= max
    kOneOf,         // one of words
    kOneOfAnyCase,  // the same, ignoring case; words are upper case
    kList,          // items non-empty and, if there are words, among them
    kNonEmpty,      // not the empty string
    kNonNull,
    kAtMostItems,    // at most max items
    kGzipLevel,      // 1..9 or -1
    kQuorumVoters,   // id@host:port,...
    kHostPorts,      // host:port,...
    kReplicaList,    // * or partition:broker,...
    kResetStrategy,  // earliest, latest or by_duration:PnDTnHnMn.nS
  };
  Kind kind = Kind::kRange;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool empty_allowed = true;
  bool null_allowed = false;
  std::span<const std::string_view> words = {};
};

// Another name for the same thing; one unit there is worth `factor` units here (hours to milliseconds and the like).
struct Synonym {
  std::string_view name;
  std::int64_t factor = 1;
};

struct Setting {
  std::string_view name;
  ValueType type = ValueType::kString;
  bool required = false;                                    // no default: must be set
  std::optional<std::string_view> fallback = std::nullopt;  // the default as text; none = null
  std::span<const Rule> rules = {};
  Importance importance = Importance::kLow;
  Change change = Change::kStatic;
  // Server: names that stand for the same thing, strongest first (itself included). Topic, group: the server settings
  // that give the default, strongest first.
  std::span<const Synonym> synonyms = {};
  bool internal = false;      // not shown unless it was set
  bool dynamic_only = false;  // no place in server.properties
  Effect effect = Effect::kWorks;
  std::string_view documentation;

  [[nodiscard]] bool sensitive() const { return type == ValueType::kPassword; }
};

// Sorted by name.
[[nodiscard]] std::span<const Setting> settings(Table table);
[[nodiscard]] const Setting* find_setting(Table table, std::string_view name);

}  // namespace dohle::broker::config
