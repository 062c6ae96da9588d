#include <metadata/features.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace dohle::metadata {
namespace {

struct VersionRow {
  std::int16_t level;
  std::string_view name;
  std::string_view release;
  bool metadata_changed;  // against the level before
};

constexpr auto kVersions = std::to_array<VersionRow>({
    {7, "3.3-IV3", "3.3", true},   {8, "3.4-IV0", "3.4", true},   {9, "3.5-IV0", "3.5", false},
    {10, "3.5-IV1", "3.5", false}, {11, "3.5-IV2", "3.5", true},  {12, "3.6-IV0", "3.6", false},
    {13, "3.6-IV1", "3.6", true},  {14, "3.6-IV2", "3.6", true},  {15, "3.7-IV0", "3.7", true},
    {16, "3.7-IV1", "3.7", false}, {17, "3.7-IV2", "3.7", true},  {18, "3.7-IV3", "3.7", false},
    {19, "3.7-IV4", "3.7", false}, {20, "3.8-IV0", "3.8", false}, {21, "3.9-IV0", "3.9", false},
    {22, "4.0-IV0", "4.0", false}, {23, "4.0-IV1", "4.0", true},  {24, "4.0-IV2", "4.0", false},
    {25, "4.0-IV3", "4.0", false}, {26, "4.1-IV0", "4.1", false}, {27, "4.1-IV1", "4.1", false},
    {28, "4.2-IV0", "4.2", false}, {29, "4.2-IV1", "4.2", false}, {30, "4.3-IV0", "4.3", true},
    {31, "4.4-IV0", "4.4", false}, {32, "4.4-IV1", "4.4", true},  {33, "4.4-IV2", "4.4", true},
    {34, "4.5-IV0", "4.5", false},
});

const VersionRow* find_version(std::int16_t level) {
  const auto at = std::ranges::find(kVersions, level, &VersionRow::level);
  return at == kVersions.end() ? nullptr : &*at;
}

constexpr MetadataVersion mv(std::int16_t level) { return MetadataVersion(level); }

constexpr std::array<FeatureDependency, 1> kElrNeeds{{{kMetadataVersionFeature, 23}}};
constexpr std::array<FeatureLevel, 2> kKRaft{{{0, mv(7), {}}, {1, mv(21), {}}}};
constexpr std::array<FeatureLevel, 3> kTransaction{{{0, mv(7), {}}, {1, mv(24), {}}, {2, mv(24), {}}}};
constexpr std::array<FeatureLevel, 2> kGroup{{{0, mv(7), {}}, {1, mv(22), {}}}};
constexpr std::array<FeatureLevel, 2> kElr{{{0, mv(7), {}}, {1, mv(26), kElrNeeds}}};
constexpr std::array<FeatureLevel, 3> kShare{{{0, mv(7), {}}, {1, mv(28), {}}, {2, mv(31), {}}}};
constexpr std::array<FeatureLevel, 2> kStreams{{{0, mv(7), {}}, {1, mv(29), {}}}};

constexpr std::array<Feature, 6> kFeatures{{
    {kKRaftVersionFeature, kKRaft},
    {kTransactionFeature, kTransaction},
    {kGroupFeature, kGroup},
    {kElrFeature, kElr},
    {kShareFeature, kShare},
    {kStreamsFeature, kStreams},
}};

}  // namespace

std::string_view MetadataVersion::name() const {
  const VersionRow* row = find_version(level_);
  return row == nullptr ? std::string_view{} : row->name;
}

std::string_view MetadataVersion::release() const {
  const VersionRow* row = find_version(level_);
  return row == nullptr ? std::string_view{} : row->release;
}

std::int16_t MetadataVersion::register_broker_record() const {
  if (has_cordoned_directories()) return 4;
  if (has_directory_assignment()) return 3;
  return level_ >= 8 ? 2 : 1;
}

Result<MetadataVersion> MetadataVersion::parse(std::string_view text, bool allow_unstable) {
  // Only the first two segments count: 4.4.1 is 4.4. A level such as 4.4-IV2 has no third one.
  std::string_view key = text;
  if (const auto first = text.find('.'); first != std::string_view::npos) {
    if (const auto second = text.find('.', first + 1); second != std::string_view::npos) key = text.substr(0, second);
  }
  const MetadataVersion newest = allow_unstable ? kNewestMetadataVersion : kProductionMetadataVersion;
  std::optional<MetadataVersion> found;
  for (const VersionRow& row : kVersions) {
    if (row.level > newest.level()) break;
    if (row.name == key) return MetadataVersion(row.level);
    if (row.release == key && row.level <= kProductionMetadataVersion.level()) found = MetadataVersion(row.level);
  }
  if (found) return *found;
  return fail(Errc::kInvalidConfig, fmt::format("Unknown metadata.version '{}'. Supported metadata.version are: {}",
                                                text, metadata_versions_text(kMinMetadataVersion, newest)));
}

bool MetadataVersion::metadata_changed_between(MetadataVersion a, MetadataVersion b) {
  const auto [low, high] = std::minmax(a, b);
  return std::ranges::any_of(kVersions, [low, high](const VersionRow& row) {
    return row.level > low.level() && row.level <= high.level() && row.metadata_changed;
  });
}

std::string metadata_versions_text(MetadataVersion first, MetadataVersion last) {
  std::string out;
  for (const VersionRow& row : kVersions) {
    if (row.level < first.level() || row.level > last.level()) continue;
    if (!out.empty()) out += ", ";
    out += row.name;
  }
  return out;
}

std::int16_t Feature::default_level(MetadataVersion version) const {
  std::int16_t out = levels.front().level;
  for (const FeatureLevel& candidate : levels) {
    if (candidate.default_from > version) break;
    out = candidate.level;
  }
  return out;
}

const FeatureLevel* Feature::find(std::int16_t level) const {
  const auto at = std::ranges::find(levels, level, &FeatureLevel::level);
  return at == levels.end() ? nullptr : &*at;
}

std::span<const Feature> features() { return kFeatures; }

const Feature* find_feature(std::string_view name) {
  const auto at = std::ranges::find(kFeatures, name, &Feature::name);
  return at == kFeatures.end() ? nullptr : &*at;
}

Result<> check_feature_dependencies(const Feature& feature, std::int16_t level, const FeatureLevels& all) {
  const FeatureLevel* wanted = feature.find(level);
  if (wanted == nullptr) {
    return fail(Errc::kInvalidConfig, fmt::format("No feature:{} with feature level {}", feature.name, level));
  }
  const auto level_of = [&all](std::string_view name) {
    const auto at = all.find(name);
    return at == all.end() ? std::int16_t{-1} : at->second;
  };
  if (level >= 1 && level_of(kMetadataVersionFeature) < kMinMetadataVersion.level()) {
    return fail(Errc::kInvalidConfig,
                fmt::format("{} could not be set to {} because it depends on metadata.version={} ({})", feature.name,
                            level, kMinMetadataVersion.level(), kMinMetadataVersion.name()));
  }
  for (const FeatureDependency& need : wanted->dependencies) {
    if (level_of(need.feature) >= need.level) continue;
    return fail(Errc::kInvalidConfig, fmt::format("{} could not be set to {} because it depends on {} level {}",
                                                  feature.name, level, need.feature, need.level));
  }
  return {};
}

std::optional<SupportedRange> supported_range(std::string_view feature) {
  if (feature == kMetadataVersionFeature)
    return SupportedRange{kMinMetadataVersion.level(), kProductionMetadataVersion.level()};
  const Feature* found = find_feature(feature);
  if (found == nullptr) return std::nullopt;
  return SupportedRange{found->min_level(), found->max_level()};
}

}  // namespace dohle::metadata
