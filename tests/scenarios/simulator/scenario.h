// Scenario: a text that says who does what to a node, what disturbs them, and what must hold. See
// tests/scenarios/README.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>
#include <runtime/random.h>

namespace dohle::scenarios {

// What stands behind a word of a line: key=value. A value may be a range, `5..20`, from which each seed draws.
class Arguments {
 public:
  std::map<std::string, std::string> all;

  [[nodiscard]] bool has(const std::string& key) const { return all.contains(key); }
  [[nodiscard]] std::string text(const std::string& key, std::string_view otherwise) const;
  // Drawn anew with each call.
  [[nodiscard]] double draw(runtime::Random& random, const std::string& key, std::string_view otherwise) const;
  [[nodiscard]] std::int64_t draw_int(runtime::Random& random, const std::string& key,
                                      std::string_view otherwise) const;
  // One of `a|b|c`.
  [[nodiscard]] std::string choose(runtime::Random& random, const std::string& key, std::string_view otherwise) const;
};

// `client producer ...`, `fault kill ...`, `topic t ...`.
struct Line {
  std::string kind;
  std::string name;
  Arguments arguments;
  std::string label;  // kind:number, by which the shrinker leaves it out
};

struct Scenario {
  std::int64_t seconds = 20;
  std::string shards = "1..4";
  std::map<std::string, std::string> settings;  // of server.properties
  std::vector<Line> topics;
  std::vector<Line> clients;
  std::vector<Line> faults;

  [[nodiscard]] static Result<Scenario> parse(std::string_view text);
};

[[nodiscard]] std::vector<std::string> split(std::string_view text, char by);

}  // namespace dohle::scenarios
