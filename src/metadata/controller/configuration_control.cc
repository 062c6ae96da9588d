#include <controller/configuration_control.h>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <protocol/messages/clear_elr_record.h>
#include <protocol/messages/config_record.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

constexpr std::string_view kMinInSyncReplicas = "min.insync.replicas";
constexpr std::string_view kUncleanElection = "unclean.leader.election.enable";
constexpr std::string_view kCordonedLogDirs = "cordoned.log.dirs";
constexpr std::size_t kMaxValueLength = 32767;

protocol::ConfigRecord config_record(const ConfigResource& resource, std::string_view name,
                                     const std::optional<std::string>& value) {
  protocol::ConfigRecord record;
  record.resource_type = static_cast<std::int8_t>(resource.type);
  record.resource_name = resource.name;
  record.name = name;
  if (value) {
    record.value = *value;
  } else {
    record.value.reset();
  }
  return record;
}

// Like Java's split: empty parts at the end do not count.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  std::size_t from = 0;
  while (true) {
    const std::size_t comma = text.find(',', from);
    out.emplace_back(text.substr(from, comma == std::string_view::npos ? comma : comma - from));
    if (comma == std::string_view::npos) break;
    from = comma + 1;
  }
  while (out.size() > 1 && out.back().empty()) out.pop_back();
  return out;
}

std::vector<std::string> split_trimmed(std::string_view text) {
  std::vector<std::string> out = split(text);
  for (std::string& part : out) {
    part.erase(0, part.find_first_not_of(" \t"));
    part.erase(part.find_last_not_of(" \t") + 1);
  }
  return out;
}

std::string_view operation_name(ConfigOperation operation) {
  switch (operation) {
    case ConfigOperation::kSet:
      return "SET";
    case ConfigOperation::kDelete:
      return "DELETE";
    case ConfigOperation::kAppend:
      return "APPEND";
    case ConfigOperation::kSubtract:
      return "SUBTRACT";
  }
  return "UNKNOWN";
}

bool is_broker(const ConfigResource& resource) { return resource.type == ConfigResourceType::kBroker; }

}  // namespace

ConfigurationControl::ConfigurationControl(const ConfigValidator& validator, std::int32_t node_id)
    : validator_(validator), node_name_(std::to_string(node_id)) {}

ApiError ConfigurationControl::alter_incrementally(const ControlView& view, const ConfigResource& resource,
                                                   const ConfigChanges& changes, bool new_resource, bool forwarded,
                                                   RecordList& out) const {
  const ConfigMap& current = view.image.configs().of(resource);
  std::vector<Edit> edits;
  for (const auto& [name, change] : changes) {
    const auto at = current.find(name);
    const std::optional<std::string> before = at == current.end() ? std::nullopt : std::optional(at->second);
    std::optional<std::string> after = before;
    switch (change.operation) {
      case ConfigOperation::kSet:
        after = change.value;
        break;
      case ConfigOperation::kDelete:
        after.reset();
        break;
      case ConfigOperation::kAppend:
      case ConfigOperation::kSubtract: {
        if (!validator_.is_list(resource.type, name)) {
          return {ErrorCode::kInvalidConfig, fmt::format("Can't {} to key {} because its type is not LIST.",
                                                         operation_name(change.operation), name)};
        }
        if (!change.value) return {ErrorCode::kInvalidRequest, fmt::format("No value to change key {} with.", name)};
        std::vector<std::string> parts =
            split(before ? *before : validator_.default_value(resource.type, name).value_or(""));
        std::erase(parts, "");
        for (std::string& part : split(*change.value)) {
          if (change.operation == ConfigOperation::kSubtract) {
            if (const auto found = std::ranges::find(parts, part); found != parts.end()) parts.erase(found);
          } else if (std::ranges::find(parts, part) == parts.end()) {
            parts.push_back(std::move(part));
          }
        }
        after = fmt::format("{}", fmt::join(parts, ","));
        break;
      }
      default:
        return {ErrorCode::kInvalidRequest, fmt::format("Unknown operation on key {}.", name)};
    }
    // Brokers reload what a file holds when a setting is written again, so theirs is always written (KAFKA-14136).
    if (after != before || is_broker(resource)) edits.push_back({name, std::move(after), false});
  }
  if (ApiError error = check(view, resource, edits, new_resource, forwarded); error.failed()) return error;
  write(view, resource, edits, out);
  return {};
}

ApiError ConfigurationControl::alter_legacy(
    const ControlView& view, const ConfigResource& resource,
    const std::map<std::string, std::optional<std::string>, std::less<>>& values, bool forwarded,
    RecordList& out) const {
  const ConfigMap& current = view.image.configs().of(resource);
  std::vector<Edit> edits;
  for (const auto& [name, value] : values) {
    const auto at = current.find(name);
    const bool same = at == current.end() ? !value : value && *value == at->second;
    if (!same || is_broker(resource)) edits.push_back({name, value, false});
  }
  for (const auto& [name, value] : current) {
    if (!values.contains(name)) edits.push_back({name, std::nullopt, true});
  }
  if (ApiError error = check(view, resource, edits, false, forwarded); error.failed()) return error;
  write(view, resource, edits, out);
  return {};
}

ApiError ConfigurationControl::check_edit(const ControlView& view, const ConfigResource& resource, const Edit& edit,
                                          const ConfigMap& existing, bool forwarded) const {
  if (!is_broker(resource)) return {};
  if (edit.name == kMinInSyncReplicas && view.elr_enabled()) {
    if (!resource.name.empty()) {
      return {ErrorCode::kInvalidConfig, "Broker-level min.insync.replicas cannot be altered while ELR is enabled."};
    }
    if (!edit.value) {
      return {ErrorCode::kInvalidConfig, "Cluster-level min.insync.replicas cannot be removed while ELR is enabled."};
    }
  }
  if (edit.name != kCordonedLogDirs) return {};
  if (!view.version().has_cordoned_directories()) {
    return {ErrorCode::kInvalidConfig,
            "The cordoned.log.dirs configuration value cannot be set because it requires metadata.version >= 4.3-IV0"};
  }
  if (forwarded || !edit.value || edit.value->find_first_not_of(" \t") == std::string::npos) return {};
  const auto at = existing.find(kCordonedLogDirs);
  const auto known = at == existing.end() ? std::vector<std::string>{} : split_trimmed(at->second);
  const bool subset = std::ranges::all_of(split_trimmed(*edit.value), [&](const std::string& directory) {
    return std::ranges::find(known, directory) != known.end();
  });
  if (subset) return {};
  return {ErrorCode::kInvalidConfig,
          "When updating cordoned.log.dirs via controllers, the new value must be a subset of the current value."};
}

ApiError ConfigurationControl::check(const ControlView& view, const ConfigResource& resource,
                                     const std::vector<Edit>& edits, bool new_resource, bool forwarded) const {
  const ConfigMap& existing = view.image.configs().of(resource);
  ConfigMap values = existing;
  for (const Edit& edit : edits) {
    if (ApiError error = check_edit(view, resource, edit, existing, forwarded); error.failed()) return error;
    if (!edit.value) {
      values.erase(edit.name);
    } else if (edit.value->size() > kMaxValueLength) {
      return {
          ErrorCode::kInvalidConfig,
          fmt::format("The configuration value cannot be added because it exceeds the maximum value size of {} bytes.",
                      kMaxValueLength)};
    } else {
      values[edit.name] = *edit.value;
    }
  }
  if (ApiError error = validator_.validate(resource, values, existing); error.failed()) return error;
  return new_resource ? ApiError{} : check_exists(view, resource);
}

ApiError ConfigurationControl::check_exists(const ControlView& view, const ConfigResource& resource) const {
  if (resource.type == ConfigResourceType::kTopic && view.image.topics().find(resource.name) == nullptr) {
    return {ErrorCode::kUnknownTopicOrPartition, fmt::format("The topic '{}' does not exist.", resource.name)};
  }
  if (!is_broker(resource) || resource.name.empty()) return {};
  std::int32_t id = -1;
  const auto [end, parsed] = std::from_chars(resource.name.data(), resource.name.data() + resource.name.size(), id);
  const bool is_number = parsed == std::errc{} && end == resource.name.data() + resource.name.size();
  const ClusterImage& cluster = view.image.cluster();
  if (is_number && (cluster.brokers.contains(id) || cluster.controllers.contains(id) || resource.name == node_name_))
    return {};
  return {ErrorCode::kBrokerIdNotRegistered, fmt::format("No node with id {} found.", resource.name)};
}

void ConfigurationControl::write(const ControlView& view, const ConfigResource& resource,
                                 const std::vector<Edit>& edits, RecordList& out) {
  for (const Edit& edit : edits) out.add(config_record(resource, edit.name, edit.value), 0);
  if (!view.elr_enabled()) return;
  // Who is eligible depends on min.insync.replicas: it is counted anew after any change of it.
  for (const Edit& edit : edits) {
    if (edit.name != kMinInSyncReplicas) continue;
    protocol::ClearElrRecord record;
    if (resource.type == ConfigResourceType::kTopic) record.topic_name = resource.name;
    out.add(record, 0);
  }
}

EffectiveConfig ConfigurationControl::topic_config(const MetadataImage& image, std::string_view topic,
                                                   std::string_view name) const {
  const ConfigsImage& configs = image.configs();
  return validator_.effective(
      name, {configs.of(ConfigResourceType::kTopic, topic), configs.of(ConfigResourceType::kBroker, node_name_),
             configs.of(ConfigResourceType::kBroker, "")});
}

std::vector<EffectiveConfig> ConfigurationControl::new_topic_configs(const MetadataImage& image,
                                                                     const ConfigMap& values) const {
  const ConfigsImage& configs = image.configs();
  return validator_.effective_all(
      {values, configs.of(ConfigResourceType::kBroker, node_name_), configs.of(ConfigResourceType::kBroker, "")});
}

bool ConfigurationControl::unclean_leader_election(const MetadataImage& image, std::string_view topic) const {
  const auto value = topic_config(image, topic, kUncleanElection).value.value_or("false");
  return std::ranges::equal(value, std::string_view("true"),
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

std::int32_t ConfigurationControl::effective_min_isr(const MetadataImage& image, const TopicImage& topic) const {
  const auto text = topic_config(image, topic.name, kMinInSyncReplicas).value.value_or("1");
  std::int32_t value = 1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  const PartitionRegistration* first = topic.find(0);
  return first == nullptr ? value : std::min(value, static_cast<std::int32_t>(first->replicas.size()));
}

void ConfigurationControl::add_elr_safety_records(const ControlView& view, RecordList& out) const {
  const ConfigResource everywhere{ConfigResourceType::kBroker, ""};
  if (!view.image.configs().of(everywhere).contains(kMinInSyncReplicas)) {
    out.add(config_record(everywhere, kMinInSyncReplicas, std::to_string(static_min_insync_replicas())), 0);
  }
  for (auto [resource, values] : view.image.configs().all()) {
    if (!is_broker(resource) || resource.name.empty() || !values->contains(kMinInSyncReplicas)) continue;
    out.add(config_record(resource, kMinInSyncReplicas, std::nullopt), 0);
  }
}

}  // namespace dohle::metadata
