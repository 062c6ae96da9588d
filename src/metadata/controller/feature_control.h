// FeatureControl: which feature levels the cluster may move to. Sans-I/O.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <controller/control_view.h>
#include <controller/record_list.h>

namespace dohle::metadata {

// FeatureUpdate.UpgradeType.
enum class UpgradeType : std::int8_t { kUnknown = 0, kUpgrade = 1, kSafeDowngrade = 2, kUnsafeDowngrade = 3 };

struct FeatureUpdate {
  std::string name;
  std::int16_t level = 0;
  UpgradeType type = UpgradeType::kUpgrade;
};

struct QuorumSetting {
  std::int32_t node_id = -1;
  std::vector<std::int32_t> voters;  // all of them must support a new level
  std::int16_t kraft_version = 0;
};

// All updates or none. `response` is the error, if any; changes of kraft.version are refused here: raft writes them.
[[nodiscard]] Decision<ApiError> update_features(const ControlView& view, const QuorumSetting& quorum,
                                                 const std::vector<FeatureUpdate>& updates);

}  // namespace dohle::metadata
