// docs/METRICS.md lists what a node tells: this table, no more and no less.
#include "metrics/metric_table.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace dohle::broker {
namespace {

TEST(MetricTable, IsTheOneInTheDocumentation) {
  std::string expected;
  for (const auto& row : metric_table()) {
    expected += fmt::format("| `{}` | {} | {} | {} |\n", row.name, to_string(row.kind), row.labels, row.help);
  }
  std::ifstream file("docs/METRICS.md");
  std::string described;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| `")) described += line + "\n";
  }
  EXPECT_EQ(described, expected);
}

// What Prometheus' linter asks for.
TEST(MetricTable, NamesSayWhatTheyAre) {
  std::set<std::string_view> names;
  for (const auto& row : metric_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.name.ends_with("_total"), row.kind == MetricKind::kCounter) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << row.name;
    EXPECT_TRUE(row.help.ends_with('.')) << row.name;
    EXPECT_EQ(row.help.find('\\'), std::string_view::npos) << row.name;
  }
}

}  // namespace
}  // namespace dohle::broker
