// The feature levels of Apache Kafka 4.4: what this program supports, what each metadata.version allows, what depends
// on what (KIP-584, KIP-1022).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <base/result.h>

namespace dohle::metadata {

inline constexpr std::string_view kMetadataVersionFeature = "metadata.version";
inline constexpr std::string_view kKRaftVersionFeature = "kraft.version";
inline constexpr std::string_view kElrFeature = "eligible.leader.replicas.version";
inline constexpr std::string_view kTransactionFeature = "transaction.version";
inline constexpr std::string_view kGroupFeature = "group.version";
inline constexpr std::string_view kShareFeature = "share.version";
inline constexpr std::string_view kStreamsFeature = "streams.version";

// A level of metadata.version, and what it decides.
class MetadataVersion {
 public:
  constexpr MetadataVersion() = default;
  constexpr explicit MetadataVersion(std::int16_t level) : level_(level) {}
  [[nodiscard]] constexpr std::int16_t level() const { return level_; }
  friend constexpr auto operator<=>(MetadataVersion, MetadataVersion) = default;

  [[nodiscard]] std::string_view name() const;     // "4.4-IV2"; empty for an unknown level
  [[nodiscard]] std::string_view release() const;  // "4.4"
  [[nodiscard]] bool is_known() const { return !name().empty(); }

  [[nodiscard]] constexpr bool bumps_leader_epoch_on_isr_shrink() const { return level_ < 12; }  // before 3.6-IV0
  [[nodiscard]] constexpr bool has_transactions() const { return level_ >= 13; }                 // 3.6-IV1
  [[nodiscard]] constexpr bool has_controller_registration() const { return level_ >= 15; }      // 3.7-IV0
  [[nodiscard]] constexpr bool has_directory_assignment() const { return level_ >= 17; }         // 3.7-IV2
  [[nodiscard]] constexpr bool has_elr() const { return level_ >= 23; }                          // 4.0-IV1
  [[nodiscard]] constexpr bool has_cordoned_directories() const { return level_ >= 30; }         // 4.3-IV0
  [[nodiscard]] constexpr bool has_controller_unregistration() const { return level_ >= 33; }    // 4.4-IV2
  [[nodiscard]] constexpr bool has_scram() const { return level_ >= 11; }                        // 3.5-IV2

  // Versions of records to write.
  [[nodiscard]] std::int16_t register_broker_record() const;
  [[nodiscard]] std::int16_t partition_record() const { return has_elr() ? 2 : has_directory_assignment() ? 1 : 0; }
  [[nodiscard]] std::int16_t partition_change_record() const { return partition_record(); }

  // "4.4-IV2", "4.4" (its newest production level) or "4.4.1"; the error names what is supported.
  [[nodiscard]] static Result<MetadataVersion> parse(std::string_view text, bool allow_unstable);
  // True when records of the higher of both levels may be missing in the lower one.
  [[nodiscard]] static bool metadata_changed_between(MetadataVersion a, MetadataVersion b);

 private:
  std::int16_t level_ = 0;
};

inline constexpr MetadataVersion kMinMetadataVersion{7};          // 3.3-IV3
inline constexpr MetadataVersion kProductionMetadataVersion{33};  // 4.4-IV2
inline constexpr MetadataVersion kNewestMetadataVersion{34};      // 4.5-IV0, unstable

// "3.3-IV3, 3.4-IV0, ...", both ends included.
[[nodiscard]] std::string metadata_versions_text(MetadataVersion first, MetadataVersion last);

struct FeatureDependency {
  std::string_view feature;
  std::int16_t level;
};

struct FeatureLevel {
  std::int16_t level;
  MetadataVersion default_from;  // new clusters of this metadata.version or later get this level
  std::span<const FeatureDependency> dependencies;
};

// A feature other than metadata.version.
struct Feature {
  std::string_view name;
  std::span<const FeatureLevel> levels;  // ascending, from the minimum on

  [[nodiscard]] std::int16_t min_level() const { return levels.front().level; }
  [[nodiscard]] std::int16_t max_level() const { return levels.back().level; }
  [[nodiscard]] std::int16_t default_level(MetadataVersion version) const;
  // Null when there is no such level.
  [[nodiscard]] const FeatureLevel* find(std::int16_t level) const;
};

// In Kafka's order.
[[nodiscard]] std::span<const Feature> features();
[[nodiscard]] const Feature* find_feature(std::string_view name);  // null for metadata.version and unknown names

using FeatureLevels = std::map<std::string, std::int16_t, std::less<>>;

// Fails with one sentence when `feature` may not be set to `level` beside `all` (which holds metadata.version too).
[[nodiscard]] Result<> check_feature_dependencies(const Feature& feature, std::int16_t level, const FeatureLevels& all);

struct SupportedRange {
  std::int16_t min = 0;
  std::int16_t max = 0;
};
// What this program supports (without unstable levels), metadata.version included; nothing for unknown names.
[[nodiscard]] std::optional<SupportedRange> supported_range(std::string_view feature);

}  // namespace dohle::metadata
