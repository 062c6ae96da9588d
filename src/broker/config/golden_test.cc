// Replays tests/oracle/settings: the same changes, and the same answers to them and to DescribeConfigs as Apache
// Kafka 4.4.0.
#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <broker/config/alter.h>
#include <broker/config/describe.h>
#include <broker/config/properties.h>

namespace dohle::broker::config {
namespace {

const std::string kFolder = "tests/oracle/settings/";
const std::string kLargestLong = "9223372036854775807";

std::string read(const std::string& name) {
  std::ifstream file(kFolder + name);
  EXPECT_TRUE(file) << name;
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == '\t') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

std::string_view source_name(Source source) {
  switch (source) {
    case Source::kTopic:
      return "DYNAMIC_TOPIC_CONFIG";
    case Source::kDynamicBroker:
      return "DYNAMIC_BROKER_CONFIG";
    case Source::kDynamicDefaultBroker:
      return "DYNAMIC_DEFAULT_BROKER_CONFIG";
    case Source::kStaticBroker:
      return "STATIC_BROKER_CONFIG";
    case Source::kDefault:
      return "DEFAULT_CONFIG";
    case Source::kClientMetrics:
      return "DYNAMIC_CLIENT_METRICS_CONFIG";
    case Source::kGroup:
      return "DYNAMIC_GROUP_CONFIG";
    default:
      return "UNKNOWN";
  }
}

std::string_view type_name(ValueType type) {
  constexpr std::string_view kNames[] = {"UNKNOWN", "BOOLEAN", "STRING", "INT",   "SHORT",
                                         "LONG",    "DOUBLE",  "LIST",   "CLASS", "PASSWORD"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string shown(std::string_view name, const std::optional<std::string>& value) {
  // The one default that differs, and is meant to.
  if ((name == "flush.messages" || name == "log.flush.interval.messages") && value == "1") return kLargestLong;
  return value.value_or("(null)");
}

std::string row(const std::vector<std::string>& head, const DescribedConfig& config) {
  std::vector<std::string> synonyms;
  for (const auto& s : config.synonyms)
    synonyms.push_back(
        fmt::format("{}={}@{}", s.name, s.value ? shown(s.name, s.value) : "null", source_name(s.source)));
  return fmt::format("describe\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", head[1], head[2], head[3], config.name,
                     shown(config.name, config.value), source_name(config.source), type_name(config.type),
                     config.sensitive ? "sensitive" : "", config.read_only ? "read-only" : "",
                     fmt::join(synonyms, " ; "));
}

// The stored configuration of a cluster of one, and the checks of broker and controller before a change is stored.
class Cluster {
 public:
  Cluster() : node_(load()) {
    stored_[{"BROKER", ""}] = {{"min.insync.replicas", "1"}};  // what formatting with eligible leader replicas stores
    refresh();
  }

  std::string alter(const std::string& type, const std::string& name, const Alteration& alteration) {
    TextMap values = stored_[{type, name}];
    const TextMap before = values;
    auto result = apply_alterations(table(type), std::span(&alteration, 1), values);
    if (result) result = validate(type, name, values, before);
    if (!result) return result.error().code == Errc::kInvalidConfig ? "INVALID_CONFIG" : "INVALID_REQUEST";
    stored_[{type, name}] = values;
    refresh();
    return "NONE";
  }

  Result<std::vector<DescribedConfig>> describe(const std::string& type, const std::string& name) {
    if (type == "TOPIC") {
      expect_same_values(stored_[{type, name}]);
      return describe_topic(node_, stored_[{type, name}]);
    }
    if (type == "GROUP") return describe_group(node_, stored_[{type, name}]);
    if (type == "CLIENT_METRICS") return describe_client_metrics(stored_[{type, name}]);
    return name.empty() ? describe_cluster_default(node_) : describe_broker(node_);
  }

 private:
  static NodeConfig load() {
    auto map = parse_properties(read("server.properties"));
    auto config = ServerConfig::from(std::move(*map));
    EXPECT_TRUE(config) << config.error().message;
    return NodeConfig(std::move(*config));
  }
  static Table table(const std::string& type) {
    return type == "TOPIC"    ? Table::kTopic
           : type == "GROUP"  ? Table::kGroup
           : type == "BROKER" ? Table::kServer
                              : Table::kClientMetrics;
  }
  Result<> validate(const std::string& type, const std::string& name, const TextMap& values, const TextMap& before) {
    if (type == "TOPIC") return validate_topic(node_.from_file(), values, before);
    if (type == "GROUP") return validate_group(node_.from_file(), values);
    if (type == "CLIENT_METRICS") return validate_client_metrics(name, values);
    return validate_broker(node_, values, !name.empty());
  }
  // The short way to a topic's values comes to the same.
  void expect_same_values(const TextMap& overrides) {
    const NodeConfig file(node_.from_file());
    const auto quick = file.topic_under(stored_[{"BROKER", ""}], stored_[{"BROKER", "1"}], overrides);
    const auto full = node_.topic(overrides);
    ASSERT_TRUE(quick && full);
    for (const Setting& setting : settings(Table::kTopic))
      EXPECT_EQ(quick->get(setting.name), full->get(setting.name)) << setting.name;
  }
  void refresh() { node_ = node_.with_dynamic(stored_[{"BROKER", ""}], stored_[{"BROKER", "1"}]); }

  std::map<std::pair<std::string, std::string>, TextMap> stored_;
  NodeConfig node_;
};

// Answered by the controller or by looking at the cluster's topics, not by the rules of settings.
bool elsewhere(const std::vector<std::string>& alter) {
  return alter[4] == "min.insync.replicas" || alter[2] == "absent" ||
         (alter[2].empty() && (alter[1] == "TOPIC" || alter[1] == "GROUP"));
}

TEST(SettingsGolden, SameChangesSameAnswersAsKafka) {
  constexpr std::string_view kOperations[] = {"SET", "DELETE", "APPEND", "SUBTRACT"};
  Cluster cluster;
  std::istringstream lines(read("golden.txt"));
  std::string line;
  std::map<std::string, std::vector<std::string>> kafka;  // "when type name" -> rows
  std::map<std::string, std::vector<std::string>> ours;
  int alterations = 0;
  while (std::getline(lines, line)) {
    const auto row_cells = cells(line);
    if (row_cells[0] == "alter") {
      if (elsewhere(row_cells)) continue;
      const auto* operation = std::ranges::find(kOperations, row_cells[3]);
      Alteration alteration{.name = row_cells[4], .operation = static_cast<AlterOperation>(operation - kOperations)};
      if (row_cells[5] != "(null)") alteration.value = row_cells[5];
      EXPECT_EQ(cluster.alter(row_cells[1], row_cells[2], alteration), row_cells[6]) << line;
      ++alterations;
      continue;
    }
    if (row_cells[1] == "errors") continue;
    const std::string key = fmt::format("{} {} {}", row_cells[1], row_cells[2], row_cells[3]);
    kafka[key].push_back(line);
    if (ours.contains(key)) continue;
    const auto described = cluster.describe(row_cells[2], row_cells[3]);
    ASSERT_TRUE(described);
    for (const auto& config : *described) ours[key].push_back(row(row_cells, config));
  }
  EXPECT_GT(alterations, 50);
  EXPECT_EQ(kafka.size(), 9U);
  for (const auto& [key, rows] : kafka) {
    const auto& mine = ours[key];
    for (const auto& expected : rows) {
      if (std::ranges::find(mine, expected) == mine.end()) {
        const auto name = cells(expected)[4];
        const auto at = std::ranges::find_if(mine, [&](const std::string& r) { return cells(r)[4] == name; });
        ADD_FAILURE() << "Kafka: " << expected << "\nours:  " << (at == mine.end() ? "(nothing)" : *at);
      }
    }
    EXPECT_EQ(mine.size(), rows.size()) << key;
  }
}

}  // namespace
}  // namespace dohle::broker::config
