#include <controller/feature_control.h>

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include <protocol/messages/feature_level_record.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

ApiError invalid(const FeatureUpdate& update, std::string_view why) {
  return {ErrorCode::kInvalidUpdateVersion,
          fmt::format("Invalid update version {} for feature {}. {}", update.level, update.name, why)};
}

// Why a node cannot run at `level`; nothing when it can. A node that does not name a feature has it at 0 only.
std::optional<std::string> reason_not_supported(std::int16_t level, std::string_view who, VersionRange range) {
  if (range.contains(level)) return std::nullopt;
  if (range.max == 0) return fmt::format("{} does not support this feature.", who);
  return fmt::format("{} only supports versions {}-{}", who, range.min, range.max);
}

VersionRange range_in(const std::map<std::string, VersionRange, std::less<>>& features, std::string_view name) {
  const auto at = features.find(name);
  return at == features.end() ? VersionRange{} : at->second;
}

std::optional<std::string> reason_not_supported(const ControlView& view, const QuorumSetting& quorum,
                                                const FeatureUpdate& update) {
  const auto own = supported_range(update.name);
  const VersionRange local = own ? VersionRange{own->min, own->max} : VersionRange{};
  if (auto why = reason_not_supported(update.level, fmt::format("Local controller {}", quorum.node_id), local))
    return why;
  for (const auto& [id, broker] : view.image.cluster().brokers) {
    const VersionRange range = range_in(broker->features, update.name);
    if (auto why = reason_not_supported(update.level, fmt::format("Broker {}", id), range)) return why;
  }
  if (!view.version().has_controller_registration()) return std::nullopt;
  std::set<std::int32_t> found{quorum.node_id};
  for (const auto& [id, controller] : view.image.cluster().controllers) {
    if (id == quorum.node_id) continue;
    const VersionRange range = range_in(controller->features, update.name);
    if (auto why = reason_not_supported(update.level, fmt::format("Controller {}", id), range)) return why;
    found.insert(id);
  }
  for (const std::int32_t id : quorum.voters) {
    if (!found.contains(id))
      return fmt::format("controller {} has not registered, and may not support this feature", id);
  }
  return std::nullopt;
}

ApiError check_metadata_version(MetadataVersion current, const FeatureUpdate& update) {
  const MetadataVersion next(update.level);
  if (!next.is_known()) {
    return {ErrorCode::kInvalidUpdateVersion,
            fmt::format("Invalid metadata.version {}. Valid versions are from {} to {}.", update.level,
                        kMinMetadataVersion.level(), kNewestMetadataVersion.level())};
  }
  if (next >= current || !MetadataVersion::metadata_changed_between(current, next)) return {};
  return {ErrorCode::kInvalidUpdateVersion,
          fmt::format("Unsupported metadata.version downgrade from {} to {}. {}", current.level(), next.level(),
                      update.type == UpgradeType::kUnsafeDowngrade
                          ? "Unsafe metadata downgrade is not supported in this version."
                          : "The downgrade is refused because records may get lost.")};
}

ApiError check_update(const ControlView& view, const QuorumSetting& quorum, const FeatureUpdate& update,
                      const FeatureLevels& proposed) {
  if (update.type < UpgradeType::kUpgrade || update.type > UpgradeType::kUnsafeDowngrade) {
    return invalid(update, "The controller does not support the given upgrade type.");
  }
  const bool is_kraft = update.name == kKRaftVersionFeature;
  const std::int16_t current = is_kraft ? quorum.kraft_version : view.image.features().level(update.name);
  if (update.level < 0) return invalid(update, "A feature version cannot be less than 0.");
  if (const auto why = reason_not_supported(view, quorum, update)) return invalid(update, *why);
  if (update.level < current && update.type == UpgradeType::kUpgrade) {
    return invalid(update,
                   "Can't downgrade the version of this feature without setting the upgrade type to either safe or "
                   "unsafe downgrade.");
  }
  if (update.level > current && update.type != UpgradeType::kUpgrade) {
    return invalid(update, "Can't downgrade to a newer version.");
  }
  if (update.name == kMetadataVersionFeature) return check_metadata_version(view.version(), update);
  if (is_kraft) {
    if (update.level == current) return {};
    return invalid(update, update.level < current ? "Can't downgrade the version of this feature."
                                                  : "The quorum cannot be upgraded by this controller yet.");
  }
  const Feature* feature = find_feature(update.name);
  if (feature == nullptr) return invalid(update, "The feature is unknown.");
  if (const auto depends = check_feature_dependencies(*feature, update.level, proposed); !depends) {
    return invalid(update, depends.error().message);
  }
  return {};
}

}  // namespace

Decision<ApiError> update_features(const ControlView& view, const QuorumSetting& quorum,
                                   const std::vector<FeatureUpdate>& updates) {
  FeatureLevels proposed = view.image.features().finalized;
  for (const FeatureUpdate& update : updates) proposed[update.name] = update.level;
  Decision<ApiError> decision;
  for (const FeatureUpdate& update : updates) {
    if (ApiError error = check_update(view, quorum, update, proposed); error.failed()) {
      decision.records.clear();
      decision.response = std::move(error);
      return decision;
    }
    if (update.name == kKRaftVersionFeature) continue;
    protocol::FeatureLevelRecord record;
    record.name = update.name;
    record.feature_level = update.level;
    decision.records.add(record, 0);
  }
  return decision;
}

}  // namespace dohle::metadata
