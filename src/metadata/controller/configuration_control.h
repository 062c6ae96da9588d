// ConfigurationControl: what AlterConfigs and IncrementalAlterConfigs do to the settings of topics, brokers, client
// metrics and groups. Sans-I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <controller/control_view.h>
#include <controller/record_list.h>

namespace dohle::metadata {

// Kafka's AlterConfigOp.OpType.
enum class ConfigOperation : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct ConfigChange {
  ConfigOperation operation = ConfigOperation::kSet;
  std::optional<std::string> value;
};
using ConfigChanges = std::map<std::string, ConfigChange, std::less<>>;  // by setting

class ConfigurationControl {
 public:
  ConfigurationControl(const ConfigValidator& validator, std::int32_t node_id);

  // Appends the records of one resource to `out`, or appends nothing and fails. A resource that is `new_resource` need
  // not exist; `forwarded` requests have been checked by the broker already.
  [[nodiscard]] ApiError alter_incrementally(const ControlView& view, const ConfigResource& resource,
                                             const ConfigChanges& changes, bool new_resource, bool forwarded,
                                             RecordList& out) const;
  // Replaces all settings of the resource.
  [[nodiscard]] ApiError alter_legacy(const ControlView& view, const ConfigResource& resource,
                                      const std::map<std::string, std::optional<std::string>, std::less<>>& values,
                                      bool forwarded, RecordList& out) const;

  [[nodiscard]] EffectiveConfig topic_config(const MetadataImage& image, std::string_view topic,
                                             std::string_view name) const;
  // As a topic that is created with `values` would have them.
  [[nodiscard]] std::vector<EffectiveConfig> new_topic_configs(const MetadataImage& image,
                                                               const ConfigMap& values) const;
  [[nodiscard]] bool unclean_leader_election(const MetadataImage& image, std::string_view topic) const;
  // min.insync.replicas, capped by the number of replicas.
  [[nodiscard]] std::int32_t effective_min_isr(const MetadataImage& image, const TopicImage& topic) const;
  // Under the ELR min.insync.replicas is a matter of the cluster: what has to be written when the feature is switched
  // on.
  void add_elr_safety_records(const ControlView& view, RecordList& out) const;
  [[nodiscard]] std::int32_t static_min_insync_replicas() const { return validator_.static_min_insync_replicas(); }

 private:
  struct Edit {
    std::string name;
    std::optional<std::string> value;
    bool implicit = false;  // deleted by not being named
  };
  [[nodiscard]] ApiError check(const ControlView& view, const ConfigResource& resource, const std::vector<Edit>& edits,
                               bool new_resource, bool forwarded) const;
  [[nodiscard]] ApiError check_edit(const ControlView& view, const ConfigResource& resource, const Edit& edit,
                                    const ConfigMap& existing, bool forwarded) const;
  [[nodiscard]] ApiError check_exists(const ControlView& view, const ConfigResource& resource) const;
  static void write(const ControlView& view, const ConfigResource& resource, const std::vector<Edit>& edits,
                    RecordList& out);

  const ConfigValidator& validator_;
  std::string node_name_;
};

}  // namespace dohle::metadata
