// Samples: what a scrape has gathered, on its way to Prometheus' text format. Gathered on every shard, and merged.
#pragma once

#include <array>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <base/buffer.h>

#include "metrics/metric_table.h"

namespace dohle::broker {

using Label = std::pair<std::string_view, std::string_view>;

// As it stands between braces, escaped.
[[nodiscard]] std::string label_text(std::initializer_list<Label> labels);

class Samples {
 public:
  // Adds to the sample with these labels.
  void add(Metric metric, double value) { add(metric, std::string(), value); }
  void add(Metric metric, std::string labels, double value);
  // A sample that nobody else has: for what there is a lot of.
  void put(Metric metric, std::string_view labels, std::int64_t value);
  void merge(Samples other);
  // On the shard that will send it. Metrics without a sample are left out.
  [[nodiscard]] std::vector<Slice> text() const;

 private:
  struct Family {
    std::map<std::string, double> sums;  // by labels
    std::string lines;
  };
  [[nodiscard]] Family& family(Metric metric) { return families_[static_cast<std::size_t>(metric)]; }
  std::array<Family, kMetricCount> families_;
};

}  // namespace dohle::broker
