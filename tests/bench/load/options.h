// What a load is told: `key=value` arguments. A key that nobody asked for, or a number that is none, ends the program.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace dohle::load {

// Prints why to standard error and ends the program with 1: a run with an error has no result.
[[noreturn]] void give_up(const std::string& why);

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};

class Options {
 public:
  explicit Options(const std::vector<std::string>& arguments);
  [[nodiscard]] std::string text(const std::string& key, const std::string& otherwise = "") const;
  [[nodiscard]] std::string required(const std::string& key) const;
  [[nodiscard]] std::int64_t number(const std::string& key, std::int64_t otherwise) const;
  // In seconds, with a fraction.
  [[nodiscard]] std::chrono::nanoseconds duration(const std::string& key, double otherwise_s) const;
  // broker=HOST:PORT
  [[nodiscard]] Endpoint broker() const;
  // Settings of a topic: every key with a dot in it.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> topic_configs() const;
  // Gives up when there are keys that nobody has asked for.
  void check_all_used() const;

 private:
  std::map<std::string, std::string> values_;
  mutable std::set<std::string> used_;
};

}  // namespace dohle::load
