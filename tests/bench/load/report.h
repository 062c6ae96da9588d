// What a load measured, as one line of JSON; CPU and time count from ready().
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wires.h"

namespace dohle::load {

class Report {
 public:
  // Says `ready` on a line of its own: everything is connected and prepared, and the load begins.
  void ready();
  void add_latency(Duration latency) { latencies_ns_.push_back(latency.count()); }
  void add_bytes(std::uint64_t bytes) { bytes_ += bytes; }
  // A figure of this load alone.
  void note(const std::string& name, double value) { notes_.emplace_back(name, value); }
  [[nodiscard]] std::size_t requests() const { return latencies_ns_.size(); }
  // requests, bytes, seconds, the percentiles of latency, this process's own CPU seconds, the notes.
  void print(Duration elapsed);

 private:
  [[nodiscard]] double percentile_us(double share) const;
  double cpu_s_before_ = 0;
  std::vector<std::int64_t> latencies_ns_;
  std::uint64_t bytes_ = 0;
  std::vector<std::pair<std::string, double>> notes_;
};

}  // namespace dohle::load
