#include <controller/topic_control.h>

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <base/hash_map.h>
#include <base/mutant.h>
#include <image/partition_records.h>
#include <protocol/messages/remove_topic_record.h>
#include <protocol/messages/topic_record.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

constexpr std::size_t kMaxTopicNameLength = 249;
constexpr std::string_view kClusterMetadataTopic = "__cluster_metadata";

// Names that differ only in . and _ collide in metric names. Finds one among `names` that collides with `name`, trying
// both characters from `from` on, and only as long as a topic begins like that.
std::optional<std::string> find_colliding(const PersistentMap<std::string, TopicRef>& names, std::string name,
                                          std::size_t from) {
  const std::size_t at = name.find_first_of("._", from);
  if (at == std::string::npos) return names.contains(name) ? std::optional(name) : std::nullopt;
  for (const char c : {'.', '_'}) {
    name[at] = c;
    const std::string_view prefix = std::string_view(name).substr(0, at + 1);
    const auto next = names.lower_bound(prefix);
    if (next == names.end() || !(*next).key.starts_with(prefix)) continue;
    if (auto found = find_colliding(names, name, at + 1)) return found;
  }
  return std::nullopt;
}

template <typename Topics>
std::set<std::string, std::less<>> duplicates_of(const Topics& topics) {
  std::set<std::string, std::less<>> seen;
  std::set<std::string, std::less<>> twice;
  for (const auto& topic : topics) {
    if (!seen.insert(topic.name.str()).second) twice.insert(topic.name.str());
  }
  return twice;
}

ReplicaIds active_of(const ControlView& view, const ReplicaIds& replicas) {
  ReplicaIds out;
  std::ranges::copy_if(replicas, std::back_inserter(out), [&](std::int32_t id) { return view.is_active(id); });
  return out;
}

ApiError all_inactive(std::size_t replication_factor) {
  return {ErrorCode::kInvalidReplicationFactor,
          fmt::format("Unable to replicate the partition {} time(s): All brokers are currently fenced or in controlled "
                      "shutdown.",
                      replication_factor)};
}

bool too_many(const RecordList& records) { return records.size() > kMaxRecordsPerBatch; }
ApiError too_many_error() {
  return {ErrorCode::kPolicyViolation, "Unable to perform excessively large batch operation."};
}

}  // namespace

std::optional<std::string> topic_name_problem(std::string_view name) {
  if (name.empty()) return "the empty string is not allowed";
  if (name == "." || name == "..") return fmt::format("'{}' is not allowed", name);
  if (name.size() > kMaxTopicNameLength) {
    return fmt::format("the length of '{}' is longer than the max allowed length {}", name, kMaxTopicNameLength);
  }
  const bool legal = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
  if (legal) return std::nullopt;
  return fmt::format("'{}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'", name);
}

ApiError TopicControl::check_name(const ControlView& view, std::string_view name) const {
  if (view.image.topics().find(name) != nullptr) {
    return {ErrorCode::kTopicAlreadyExists, fmt::format("Topic '{}' already exists.", name)};
  }
  const auto problem = topic_name_problem(name);
  if (name.find_first_of("._") != std::string_view::npos) {
    if (const auto other = find_colliding(view.image.topics().by_name(), std::string(name), 0)) {
      return {ErrorCode::kInvalidTopicException,
              fmt::format("Topic '{}' collides with existing topic: {}", name, *other)};
    }
  }
  if (problem) return {ErrorCode::kInvalidTopicException, fmt::format("Topic name is invalid: {}", *problem)};
  return {};
}

Decided<protocol::CreateTopicsResponse> TopicControl::create_topics(const ControlView& view,
                                                                    const protocol::CreateTopicsRequest& request,
                                                                    bool forwarded) const {
  std::int64_t partitions = 0;
  for (const CreatableTopic& topic : request.topics) {
    if (!topic.assignments.empty()) {
      partitions += static_cast<std::int64_t>(topic.assignments.size());
    } else if (topic.num_partitions == -1) {
      partitions += defaults_.partitions;
    } else if (topic.num_partitions > 0) {
      partitions += topic.num_partitions;
    }
  }
  if (std::cmp_greater(partitions, kMaxRecordsPerBatch)) {
    return std::unexpected(
        ApiError(ErrorCode::kPolicyViolation, "Excessively large number of partitions per request."));
  }
  const auto duplicates = duplicates_of(request.topics);
  Decision<protocol::CreateTopicsResponse> decision;
  std::vector<CreatableTopicResult> refused;
  std::set<std::string_view> reported;
  for (const CreatableTopic& topic : request.topics) {
    CreatableTopicResult result;
    result.name = topic.name.str();
    ApiError error;
    const bool duplicate = duplicates.contains(topic.name.get());
    const bool metadata = topic.name.get() == kClusterMetadataTopic;
    if (duplicate && !reported.insert(topic.name.get()).second) continue;
    if (duplicate) {
      error = {ErrorCode::kInvalidRequest, "Duplicate topic name."};
    } else if (metadata) {
      error = {ErrorCode::kInvalidRequest, "Creation of internal topic __cluster_metadata is prohibited."};
    } else {
      error = create_topic(view, topic, forwarded, decision.records, result);
    }
    result.error_code = error.number();
    result.error_message.reset();
    if (error.message) result.error_message = *error.message;
    auto& results = duplicate || metadata ? refused : decision.response.topics;
    results.push_back(std::move(result));
  }
  std::ranges::move(refused, std::back_inserter(decision.response.topics));
  if (too_many(decision.records)) return std::unexpected(too_many_error());
  if (request.validate_only) decision.records.clear();
  return decision;
}

ApiError TopicControl::create_topic(const ControlView& view, const CreatableTopic& topic, bool forwarded,
                                    RecordList& out, CreatableTopicResult& result) const {
  if (ApiError error = check_name(view, topic.name.get()); error.failed()) return error;
  ConfigChanges changes;
  ConfigMap values;
  std::vector<std::string> nulls;
  for (const auto& config : topic.configs) {
    if (!config.value) {
      nulls.push_back(config.name.str());
      continue;
    }
    changes[config.name.str()] = {ConfigOperation::kSet, config.value->str()};
    values[config.name.str()] = config.value->str();
  }
  if (!nulls.empty()) {
    return {ErrorCode::kInvalidConfig,
            fmt::format("Null value not supported for topic configs: {}", fmt::join(nulls, ","))};
  }
  RecordList config_records;
  if (!changes.empty()) {
    const ConfigResource resource{ConfigResourceType::kTopic, topic.name.str()};
    ApiError error = configs_.alter_incrementally(view, resource, changes, true, forwarded, config_records);
    if (error.failed()) return error;
  }
  Placements placements;
  ApiError error = topic.assignments.empty()
                       ? place(view, topic.num_partitions, topic.replication_factor, true, placements)
                       : place_by_hand(view, topic, placements);
  if (error.failed()) return error;

  const TopicId id{DOHLE_MUTANT("metadata.topic_id_reused") ? Uuid{1, fixed_hash(topic.name)} : random_.uuid()};
  result.topic_id = id.uuid;
  result.num_partitions = static_cast<std::int32_t>(placements.size());
  result.replication_factor = static_cast<std::int16_t>(placements.front().replicas.size());
  result.configs.emplace();
  for (EffectiveConfig& config : configs_.new_topic_configs(view.image, values)) {
    auto& entry = result.configs->emplace_back();
    entry.name = std::move(config.name);
    entry.value.reset();
    if (config.value && !config.is_sensitive) entry.value = std::move(*config.value);
    entry.read_only = config.is_read_only;
    entry.config_source = config.source;
    entry.is_sensitive = config.is_sensitive;
  }
  protocol::TopicRecord record;
  record.name = topic.name.str();
  record.topic_id = id.uuid;
  out.add(record, 0);
  out.append(std::move(config_records));
  for (std::size_t i = 0; i < placements.size(); ++i) {
    add_partition(view, id, static_cast<std::int32_t>(i), placements[i], out);
  }
  return {};
}

void TopicControl::add_partition(const ControlView& view, const TopicId& topic, std::int32_t id,
                                 const Placement& placement, RecordList& out) const {
  PartitionRegistration partition;
  partition.replicas = placement.replicas;
  for (const std::int32_t broker : placement.replicas) partition.directories.push_back(view.default_directory(broker));
  partition.isr = placement.isr;
  partition.leader = placement.isr.front();
  out.add(to_record(partition, topic, id, view.version(), view.elr_enabled()), view.version().partition_record());
}

ApiError TopicControl::place_by_hand(const ControlView& view, const CreatableTopic& topic, Placements& out) const {
  if (topic.replication_factor != -1) {
    return {ErrorCode::kInvalidRequest,
            "A manual partition assignment was specified, but replication factor was not set to -1."};
  }
  if (topic.num_partitions != -1) {
    return {ErrorCode::kInvalidRequest,
            "A manual partition assignment was specified, but numPartitions was not set to -1."};
  }
  std::map<std::int32_t, Placement> placements;
  std::size_t replication_factor = 0;
  for (const auto& assignment : topic.assignments) {
    const std::int32_t index = assignment.partition_index;
    if (placements.contains(index)) {
      return {ErrorCode::kInvalidReplicaAssignment,
              fmt::format("Found multiple manual partition assignments for partition {}", index)};
    }
    ApiError error = PartitionControl::check_manual_assignment(view, assignment.broker_ids, replication_factor);
    if (error.failed()) return error;
    replication_factor = assignment.broker_ids.size();
    Placement placement{assignment.broker_ids, active_of(view, assignment.broker_ids)};
    if (placement.isr.empty()) {
      return {ErrorCode::kInvalidReplicaAssignment,
              fmt::format("All brokers specified in the manual partition assignment for partition {} are fenced or in "
                          "controlled shutdown.",
                          index)};
    }
    placements.emplace(index, std::move(placement));
  }
  std::int32_t expected = 0;
  for (auto& [index, placement] : placements) {
    if (index != expected++) {
      return {ErrorCode::kInvalidReplicaAssignment, "partitions should be a consecutive 0-based integer sequence"};
    }
    out.push_back(std::move(placement));
  }
  return {};
}

ApiError TopicControl::place(const ControlView& view, std::int32_t partitions, std::int16_t replication_factor,
                             bool creates_topic, Placements& out) const {
  if (creates_topic) {
    if (replication_factor < -1 || replication_factor == 0) {
      return {ErrorCode::kInvalidReplicationFactor,
              "Replication factor must be larger than 0, or -1 to use the default value."};
    }
    if (partitions < -1 || partitions == 0) {
      return {ErrorCode::kInvalidPartitions, "Number of partitions was set to an invalid non-positive value."};
    }
    if (partitions == -1) partitions = defaults_.partitions;
    if (replication_factor == -1) replication_factor = defaults_.replication_factor;
  }
  const std::vector<UsableBroker> brokers = view.usable_brokers();
  auto placed = place_replicas(brokers, partitions, replication_factor, random_);
  if (!placed) {
    if (!creates_topic) return {ErrorCode::kInvalidReplicationFactor, placed.error().message};
    return {ErrorCode::kInvalidReplicationFactor, fmt::format("Unable to replicate the partition {} time(s): {}",
                                                              replication_factor, placed.error().message)};
  }
  for (ReplicaIds& replicas : *placed) {
    ReplicaIds isr = active_of(view, replicas);
    if (isr.empty()) return all_inactive(replicas.size());
    out.push_back({std::move(replicas), std::move(isr)});
  }
  return {};
}

ApiError TopicControl::grow_topic(const ControlView& view,
                                  const protocol::CreatePartitionsRequest::CreatePartitionsTopic& wanted,
                                  RecordList& out) const {
  const TopicImage* topic = view.image.topics().find(wanted.name.get());
  if (topic == nullptr) return ApiError::without_message(ErrorCode::kUnknownTopicOrPartition);
  const auto existing = static_cast<std::int32_t>(topic->partitions.size());
  if (wanted.count == existing) {
    return {ErrorCode::kInvalidPartitions, fmt::format("Topic already has {} partition(s).", existing)};
  }
  if (wanted.count < existing) {
    return {ErrorCode::kInvalidPartitions,
            fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.", topic->name,
                        existing, wanted.count)};
  }
  const std::int32_t additional = wanted.count - existing;
  if (std::cmp_greater(out.size() + static_cast<std::size_t>(additional), kMaxRecordsPerBatch)) return too_many_error();
  if (wanted.assignments && std::cmp_not_equal(wanted.assignments->size(), additional)) {
    return {ErrorCode::kInvalidReplicaAssignment,
            fmt::format("Attempted to add {} additional partition(s), but only {} assignment(s) were specified.",
                        additional, wanted.assignments->size())};
  }
  if (topic->partitions.empty()) {
    return {ErrorCode::kUnknownServerError, fmt::format("Topic {} appears to have no partitions.", topic->name)};
  }
  const std::size_t replication_factor = (*topic->partitions.begin()).value->replicas.size();
  Placements placements;
  if (wanted.assignments) {
    for (const auto& assignment : *wanted.assignments) {
      ApiError error = PartitionControl::check_manual_assignment(view, assignment.broker_ids, replication_factor);
      if (error.failed()) return error;
      Placement placement{assignment.broker_ids, active_of(view, assignment.broker_ids)};
      if (placement.isr.empty()) {
        return {
            ErrorCode::kInvalidReplicaAssignment,
            fmt::format("All brokers specified in the manual partition assignment for partition {} are fenced or in "
                        "controlled shutdown.",
                        existing + static_cast<std::int32_t>(placements.size()))};
      }
      placements.push_back(std::move(placement));
    }
  } else {
    ApiError error = place(view, additional, static_cast<std::int16_t>(replication_factor), false, placements);
    if (error.failed()) return error;
  }
  for (std::size_t i = 0; i < placements.size(); ++i) {
    add_partition(view, topic->id, existing + static_cast<std::int32_t>(i), placements[i], out);
  }
  return {};
}

Decided<protocol::CreatePartitionsResponse> TopicControl::create_partitions(
    const ControlView& view, const protocol::CreatePartitionsRequest& request) const {
  const auto duplicates = duplicates_of(request.topics);
  Decision<protocol::CreatePartitionsResponse> decision;
  std::set<std::string_view> reported;
  for (const auto& topic : request.topics) {
    const bool duplicate = duplicates.contains(topic.name.get());
    if (duplicate && !reported.insert(topic.name.get()).second) continue;
    const ApiError error = duplicate ? ApiError(ErrorCode::kInvalidRequest, "Duplicate topic name.")
                                     : grow_topic(view, topic, decision.records);
    auto& result = decision.response.results.emplace_back();
    result.name = topic.name.str();
    result.error_code = error.number();
    result.error_message.reset();
    if (error.message) result.error_message = *error.message;
  }
  if (request.validate_only) decision.records.clear();
  return decision;
}

}  // namespace dohle::metadata
