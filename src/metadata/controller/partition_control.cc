#include <controller/partition_control.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

bool contains(const ReplicaIds& ids, std::int32_t id) { return std::ranges::find(ids, id) != ids.end(); }

void set_message(std::optional<Text>& to, const ApiError& error) {
  if (error.message) {
    to = *error.message;
  } else {
    to.reset();
  }
}

}  // namespace

PartitionChange PartitionControl::change(const ControlView& view, const TopicImage& topic, std::int32_t id,
                                         const PartitionRegistration& partition,
                                         std::function<bool(std::int32_t)> is_acceptable) const {
  const ClusterImage& cluster = view.image.cluster();
  if (!is_acceptable) is_acceptable = [&cluster](std::int32_t broker) { return cluster.is_active(broker); };
  return PartitionChange(
      {.partition = partition,
       .topic = topic.id,
       .id = id,
       .version = view.version(),
       .min_isr = configs_.effective_min_isr(view.image, topic),
       .elr_enabled = view.elr_enabled(),
       .may_lead =
           [&cluster, &partition, is_acceptable = std::move(is_acceptable)](std::int32_t broker) {
             if (!is_acceptable(broker)) return false;
             const BrokerRegistration* registration = cluster.broker(broker);
             return registration != nullptr && registration->has_online_directory(partition.directory(broker));
           },
       .default_directory = [&view](std::int32_t broker) { return view.default_directory(broker); }});
}

void PartitionControl::add_change(const ControlView& view, PartitionChange& change, RecordList& out) {
  if (auto record = change.build()) out.add(*record, view.version().partition_change_record());
}

void PartitionControl::update_one(const ControlView& view, const Update& update, const TopicImage& topic,
                                  std::int32_t id, const PartitionRegistration& partition, RecordList& out) const {
  // While the records of an unfencing are made the broker still counts as fenced, hence `add`; one that is about to be
  // fenced still counts as active, hence `remove`.
  PartitionChange builder = change(view, topic, id, partition, [&view, update](std::int32_t broker) {
    if (broker == update.remove || broker == update.lost_data) return false;
    return broker == update.add || view.is_active(broker);
  });
  if (configs_.unclean_leader_election(view.image, topic.name)) builder.election(Election::kUnclean);
  if (update.lost_data != kNoLeader) builder.unclean_shutdown(update.lost_data);
  ReplicaIds isr = partition.isr;
  std::erase_if(isr, [&](std::int32_t broker) { return broker == update.remove || broker == update.lost_data; });
  builder.isr(std::move(isr));
  add_change(view, builder, out);
}

void PartitionControl::update_leaders_and_isrs(const ControlView& view, const Update& update, const Filter& concerned,
                                               RecordList& out) const {
  for (auto [id, topic] : view.image.topics().by_id()) {
    for (auto [index, partition] : topic->partitions) {
      if (concerned(*partition)) update_one(view, update, *topic, index, *partition, out);
    }
  }
}

void PartitionControl::broker_stops_leading(const ControlView& view, std::int32_t broker, RecordList& out) const {
  update_leaders_and_isrs(
      view, {.remove = broker}, [broker](const PartitionRegistration& p) { return p.is_in_sync(broker); }, out);
}

void PartitionControl::broker_may_lead(const ControlView& view, std::int32_t broker, RecordList& out) const {
  update_leaders_and_isrs(view, {.add = broker}, [](const PartitionRegistration& p) { return !p.has_leader(); }, out);
}

void PartitionControl::broker_lost_data(const ControlView& view, std::int32_t broker, RecordList& out) const {
  update_leaders_and_isrs(
      view, {.lost_data = broker},
      [broker](const PartitionRegistration& p) { return p.is_in_sync(broker) || contains(p.elr, broker); }, out);
}

void PartitionControl::broker_is_gone(const ControlView& view, std::int32_t broker, RecordList& out) const {
  update_leaders_and_isrs(
      view, {.remove = broker},
      [broker](const PartitionRegistration& p) { return p.is_in_sync(broker) || contains(p.elr, broker); }, out);
}

void PartitionControl::directory_goes_offline(const ControlView& view, std::int32_t broker, const Uuid& directory,
                                              RecordList& out) const {
  update_leaders_and_isrs(
      view, {.remove = broker},
      [&](const PartitionRegistration& p) { return p.is_replica(broker) && p.directory(broker) == directory; }, out);
}

bool PartitionControl::has_leaderships(const MetadataImage& image, std::int32_t broker) const {
  for (auto [id, topic] : image.topics().by_id()) {
    for (auto [index, partition] : topic->partitions) {
      if (partition->leader == broker) return true;
    }
  }
  return false;
}

ApiError PartitionControl::elect_one(const ControlView& view, std::string_view name, std::int32_t id, ElectionType type,
                                     RecordList& out) const {
  const TopicImage* topic = view.image.topics().find(name);
  if (topic == nullptr) return {ErrorCode::kUnknownTopicOrPartition, fmt::format("No such topic as {}", name)};
  const PartitionRegistration* partition = topic->find(id);
  if (partition == nullptr) {
    return {ErrorCode::kUnknownTopicOrPartition, fmt::format("No such partition as {}-{}", name, id)};
  }
  const bool preferred = type == ElectionType::kPreferred;
  if (preferred ? partition->has_preferred_leader() : partition->has_leader()) return ErrorCode::kElectionNotNeeded;
  PartitionChange builder = change(view, *topic, id, *partition);
  builder.election(preferred ? Election::kPreferred : Election::kUnclean);
  const auto record = builder.build();
  if (!record) return preferred ? ErrorCode::kPreferredLeaderNotAvailable : ErrorCode::kEligibleLeadersNotAvailable;
  out.add(*record, view.version().partition_change_record());
  return {};
}

Decided<protocol::ElectLeadersResponse> PartitionControl::elect_leaders(
    const ControlView& view, const protocol::ElectLeadersRequest& request) const {
  if (request.election_type != 0 && request.election_type != 1) {
    return std::unexpected(
        ApiError(ErrorCode::kInvalidRequest, fmt::format("Unknown election type {}", request.election_type)));
  }
  const auto type = static_cast<ElectionType>(request.election_type);
  Decision<protocol::ElectLeadersResponse> decision{.records = {}, .response = {}, .atomic = false};
  using TopicResult = protocol::ElectLeadersResponse::ReplicaElectionResult;
  const auto elect = [&](TopicResult& result, std::string_view name, std::int32_t id, bool all) {
    const ApiError error = elect_one(view, name, id, type, decision.records);
    // Who asks for all partitions hears of those only that something was done or tried for.
    if (all && error.code == ErrorCode::kElectionNotNeeded) return;
    auto& partition = result.partition_result.emplace_back();
    partition.partition_id = id;
    partition.error_code = error.number();
    set_message(partition.error_message, error);
  };
  if (request.topic_partitions) {
    for (const auto& topic : *request.topic_partitions) {
      auto& result = decision.response.replica_election_results.emplace_back();
      result.topic = topic.topic.str();
      for (const std::int32_t id : topic.partitions) elect(result, topic.topic.get(), id, false);
    }
    return decision;
  }
  for (auto [name, topic] : view.image.topics().by_name()) {
    auto& result = decision.response.replica_election_results.emplace_back();
    result.topic = name;
    for (auto [id, partition] : topic->partitions) elect(result, name, id, true);
  }
  return decision;
}

bool PartitionControl::elect_preferred(const ControlView& view, std::size_t limit, RecordList& out) const {
  for (auto [id, topic] : view.image.topics().by_id()) {
    for (auto [index, partition] : topic->partitions) {
      if (partition->has_preferred_leader()) continue;
      if (out.size() >= limit) return true;
      PartitionChange builder = change(view, *topic, index, *partition);
      builder.election(Election::kPreferred);
      add_change(view, builder, out);
    }
  }
  return false;
}

bool PartitionControl::elect_unclean(const ControlView& view, std::size_t limit, RecordList& out) const {
  for (auto [id, topic] : view.image.topics().by_id()) {
    for (auto [index, partition] : topic->partitions) {
      if (partition->has_leader() || !configs_.unclean_leader_election(view.image, topic->name)) continue;
      if (out.size() >= limit) return true;
      static_cast<void>(elect_one(view, topic->name, index, ElectionType::kUnclean, out));
    }
  }
  return false;
}

}  // namespace dohle::metadata
