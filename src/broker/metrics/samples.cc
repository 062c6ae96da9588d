#include "metrics/samples.h"

#include <iterator>

#include <fmt/format.h>

namespace dohle::broker {
namespace {

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
}

template <typename T>
void append_line(std::string& out, std::string_view name, std::string_view labels, T value) {
  if (labels.empty()) {
    fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
  } else {
    fmt::format_to(std::back_inserter(out), "{}{{{}}} {}\n", name, labels, value);
  }
}

}  // namespace

std::string label_text(std::initializer_list<Label> labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out.append(name).append("=\"");
    append_escaped(out, value);
    out += '"';
  }
  return out;
}

void Samples::add(Metric metric, std::string labels, double value) { family(metric).sums[std::move(labels)] += value; }

void Samples::put(Metric metric, std::string_view labels, std::int64_t value) {
  append_line(family(metric).lines, row_of(metric).name, labels, value);
}

void Samples::merge(Samples other) {
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    for (auto& [labels, value] : other.families_[i].sums) families_[i].sums[labels] += value;
    families_[i].lines += other.families_[i].lines;
  }
}

std::vector<Slice> Samples::text() const {
  std::vector<Slice> out;
  for (const MetricRow& row : metric_table()) {
    const Family& family = families_[static_cast<std::size_t>(row.metric)];
    if (family.sums.empty() && family.lines.empty()) continue;
    std::string text = fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", row.name, row.help, to_string(row.kind));
    for (const auto& [labels, value] : family.sums) append_line(text, row.name, labels, value);
    out.push_back(Slice::copy_of(as_bytes(text)));
    if (!family.lines.empty()) out.push_back(Slice::copy_of(as_bytes(family.lines)));
  }
  return out;
}

}  // namespace dohle::broker
