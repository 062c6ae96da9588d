#include "scenario.h"

#include <charconv>
#include <cstdlib>

namespace dohle::scenarios {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::pair<double, double> range_of(const std::string& text) {
  const auto dots = text.find("..");
  if (dots == std::string::npos) return {std::strtod(text.c_str(), nullptr), std::strtod(text.c_str(), nullptr)};
  return {std::strtod(text.substr(0, dots).c_str(), nullptr), std::strtod(text.substr(dots + 2).c_str(), nullptr)};
}

}  // namespace

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(by), text.size());
    if (const auto word = trim(text.substr(0, end)); !word.empty()) out.emplace_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string Arguments::text(const std::string& key, std::string_view otherwise) const {
  const auto at = all.find(key);
  return at == all.end() ? std::string(otherwise) : at->second;
}

double Arguments::draw(runtime::Random& random, const std::string& key, std::string_view otherwise) const {
  const auto [low, high] = range_of(text(key, otherwise));
  constexpr std::uint64_t kSteps = 1'000'000;
  return low + (high - low) * static_cast<double>(random.below(kSteps)) / static_cast<double>(kSteps);
}

std::int64_t Arguments::draw_int(runtime::Random& random, const std::string& key, std::string_view otherwise) const {
  const auto [low, high] = range_of(text(key, otherwise));
  const auto first = static_cast<std::int64_t>(low);
  return first + static_cast<std::int64_t>(
                     random.below(static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1));
}

std::string Arguments::choose(runtime::Random& random, const std::string& key, std::string_view otherwise) const {
  const auto choices = split(text(key, otherwise), '|');
  return choices[random.below(choices.size())];
}

Result<Scenario> Scenario::parse(std::string_view text) {
  Scenario out;
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    line = trim(line.substr(0, std::min(line.find('#'), line.size())));
    if (line.empty()) continue;
    const auto words = split(line, ' ');
    if (words[0] == "check" || words[0] == "allow" || words[0] == "seeds") continue;  // the runner's
    if (words.size() < 2) return fail(Errc::kInvalidConfig, "line " + std::to_string(number) + " says too little");
    Line parsed{.kind = words[0], .name = words[1], .arguments = {}, .label = {}};
    for (std::size_t i = 2; i < words.size(); ++i) {
      const auto equals = words[i].find('=');
      if (equals == std::string::npos)
        return fail(Errc::kInvalidConfig, "line " + std::to_string(number) + ": what is " + words[i]);
      parsed.arguments.all[words[i].substr(0, equals)] = words[i].substr(equals + 1);
    }
    if (parsed.kind == "seconds") {
      out.seconds = std::strtoll(words[1].c_str(), nullptr, 10);
    } else if (parsed.kind == "shards") {
      out.shards = words[1];
    } else if (parsed.kind == "set") {
      const auto equals = words[1].find('=');
      out.settings[words[1].substr(0, equals)] = words[1].substr(equals + 1);
    } else if (parsed.kind == "topic") {
      out.topics.push_back(std::move(parsed));
    } else if (parsed.kind == "client") {
      parsed.label = "client:" + std::to_string(out.clients.size());
      out.clients.push_back(std::move(parsed));
    } else if (parsed.kind == "fault") {
      parsed.label = "fault:" + std::to_string(out.faults.size());
      out.faults.push_back(std::move(parsed));
    } else {
      return fail(Errc::kInvalidConfig, "line " + std::to_string(number) + ": what is " + parsed.kind);
    }
  }
  return out;
}

}  // namespace dohle::scenarios
