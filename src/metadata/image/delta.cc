#include <metadata/delta.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <base/check.h>
#include <image/partition_records.h>
#include <image/record_codec.h>
#include <metadata/features.h>
#include <protocol/messages/access_control_entry_record.h>
#include <protocol/messages/broker_registration_change_record.h>
#include <protocol/messages/clear_elr_record.h>
#include <protocol/messages/client_quota_record.h>
#include <protocol/messages/config_record.h>
#include <protocol/messages/delegation_token_record.h>
#include <protocol/messages/feature_level_record.h>
#include <protocol/messages/fence_broker_record.h>
#include <protocol/messages/producer_ids_record.h>
#include <protocol/messages/register_broker_record.h>
#include <protocol/messages/register_controller_record.h>
#include <protocol/messages/remove_access_control_entry_record.h>
#include <protocol/messages/remove_delegation_token_record.h>
#include <protocol/messages/remove_topic_record.h>
#include <protocol/messages/remove_user_scram_credential_record.h>
#include <protocol/messages/topic_record.h>
#include <protocol/messages/unfence_broker_record.h>
#include <protocol/messages/unregister_broker_record.h>
#include <protocol/messages/unregister_controller_record.h>
#include <protocol/messages/user_scram_credential_record.h>

namespace dohle::metadata {
namespace {

std::vector<Uuid> sorted(std::vector<Uuid> ids) {
  std::ranges::sort(ids);
  return ids;
}

template <typename Endpoints>
std::vector<EndpointImage> endpoints_of(const Endpoints& endpoints) {
  std::vector<EndpointImage> out;
  out.reserve(endpoints.size());
  for (const auto& e : endpoints) out.push_back({e.name.str(), e.host.str(), e.port, e.security_protocol});
  return out;
}

template <typename Features>
std::map<std::string, VersionRange, std::less<>> ranges_of(const Features& features) {
  std::map<std::string, VersionRange, std::less<>> out;
  for (const auto& f : features) out[f.name.str()] = {f.min_supported_version, f.max_supported_version};
  return out;
}

RetainedRef retain(const RecordFrame& frame) {
  return std::make_shared<const RetainedRecord>(frame.type, frame.version,
                                                std::vector<std::uint8_t>(frame.body.begin(), frame.body.end()));
}

template <typename... Args>
std::unexpected<Error> misfit(fmt::format_string<Args...> format, Args&&... args) {
  return fail(Errc::kCorrupt, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace

Result<RecordFrame> parse_frame(Bytes framed_record) {
  Reader reader(framed_record);
  const std::uint32_t frame_version = reader.read_uvarint();
  const std::uint32_t type = reader.read_uvarint();
  const std::uint32_t version = reader.read_uvarint();
  if (!reader.ok() || type > INT16_MAX || version > INT16_MAX) {
    return fail(Errc::kMalformed, "A metadata record has no whole frame.");
  }
  if (frame_version != 1) {
    return fail(Errc::kUnsupported,
                fmt::format("A metadata record has frame version {}; only 1 is supported.", frame_version));
  }
  return RecordFrame{static_cast<std::int16_t>(type), static_cast<std::int16_t>(version), reader.rest()};
}

std::unexpected<Error> trailing_bytes(const RecordFrame& frame, std::size_t count) {
  return fail(Errc::kMalformed, fmt::format("A metadata record of type {} ends {} bytes early.", frame.type, count));
}

EncodedRecord frame_body(std::int16_t type, std::int16_t version, Bytes body) {
  EncodedRecord out;
  out.reserve(body.size() + 5);
  const auto put = [&out](std::uint32_t value) {
    for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<std::uint8_t>(value | 0x80U));
    out.push_back(static_cast<std::uint8_t>(value));
  };
  put(1);
  put(static_cast<std::uint32_t>(type));
  put(static_cast<std::uint32_t>(version));
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

MetadataDelta::MetadataDelta(ImageRef base) : base_(std::move(base)), image_(*base_) {}

ClusterImage& MetadataDelta::cluster() {
  if (!cluster_) {
    cluster_ = std::make_shared<ClusterImage>(*image_.cluster_);
    image_.cluster_ = cluster_;
  }
  return *cluster_;
}

TopicImage* MetadataDelta::touch_topic(const TopicId& id) {
  if (const auto at = touched_.find(id); at != touched_.end()) return at->second.get();
  const TopicImage* known = image_.topics_.find(id);
  if (known == nullptr) return nullptr;
  return touched_.emplace(id, std::make_shared<TopicImage>(*known)).first->second.get();
}

const TopicImage* MetadataDelta::topic_named(std::string_view name) const { return image_.topics_.find(name); }

void MetadataDelta::create_topic(TopicRef topic) {
  changes_.topics.try_emplace(topic->id);
  image_.topics_.put(std::move(topic));
}

bool MetadataDelta::remove_topic(const TopicId& id) {
  const TopicImage* topic = touch_topic(id);
  if (topic == nullptr) return false;
  const ConfigResource resource{ConfigResourceType::kTopic, topic->name};
  if (image_.configs_.all().contains(resource)) {
    image_.configs_.put(resource, {});
    changes_.configs.insert(resource);
  }
  if (base_->topics().find(id) == nullptr) {
    changes_.topics.erase(id);
  } else {
    auto& partitions = changes_.topics[id];
    for (auto [partition, registration] : topic->partitions) partitions.insert(partition);
  }
  touched_.erase(id);
  image_.topics_.remove(id);
  return true;
}

void MetadataDelta::put_partition(TopicImage& topic, std::int32_t id, PartitionRef partition) {
  changes_.topics[topic.id].insert(id);
  topic.partitions.set(id, std::move(partition));
}

void MetadataDelta::clear_elr(TopicImage& topic) {
  const auto partitions = topic.partitions;  // a cheap copy: the loop changes the original
  for (auto [id, partition] : partitions) {
    if (partition->elr.empty() && partition->last_known_elr.empty()) continue;
    PartitionRegistration next = *partition;
    next.elr.clear();
    next.last_known_elr.clear();
    ++next.partition_epoch;
    put_partition(topic, id, std::make_shared<const PartitionRegistration>(std::move(next)));
  }
}

ImageRef MetadataDelta::apply(const Provenance& provenance) {
  for (auto& [id, topic] : touched_) image_.topics_.put(std::move(topic));
  touched_.clear();
  cluster_.reset();
  image_.provenance_ = provenance;
  return std::make_shared<const MetadataImage>(image_);
}

// One overload per record type.
struct MetadataDelta::Replay {
  MetadataDelta& delta;
  const RecordFrame& frame;

  MetadataImage& image() const { return delta.image_; }
  MetadataChanges& changes() const { return delta.changes_; }

  Result<> on(const protocol::FeatureLevelRecord& record) const {
    const std::string name = record.name.str();
    // Written by mistake by some versions of Kafka; kraft.version lives in raft's own control records.
    if (name == kKRaftVersionFeature) return {};
    auto next = std::make_shared<FeaturesImage>(*image().features_);
    if (record.feature_level == 0) {
      next->finalized.erase(name);
    } else {
      const auto range = supported_range(name);
      if (!range || record.feature_level < range->min || record.feature_level > kNewestLevelOf(name, *range)) {
        return fail(Errc::kUnsupported,
                    fmt::format("The metadata log needs feature {} at level {}, which this program does not support.",
                                name, record.feature_level));
      }
      next->finalized[name] = record.feature_level;
    }
    image().features_ = std::move(next);
    changes().features = true;
    return {};
  }
  static std::int16_t kNewestLevelOf(std::string_view name, const SupportedRange& range) {
    return name == kMetadataVersionFeature ? kNewestMetadataVersion.level() : range.max;
  }

  Result<> on(const protocol::RegisterBrokerRecord& record) const {
    BrokerRegistration broker;
    broker.id = record.broker_id;
    broker.epoch = record.broker_epoch;
    broker.incarnation_id = record.incarnation_id;
    broker.endpoints = endpoints_of(record.end_points);
    broker.features = ranges_of(record.features);
    if (record.rack) broker.rack = record.rack->str();
    broker.fenced = record.fenced;
    broker.in_controlled_shutdown = record.in_controlled_shutdown;
    broker.is_migrating_zk_broker = record.is_migrating_zk_broker;
    broker.directories = sorted(record.log_dirs);
    if (record.cordoned_log_dirs) broker.cordoned_directories = sorted(*record.cordoned_log_dirs);
    delta.cluster().brokers[broker.id] = std::make_shared<const BrokerRegistration>(std::move(broker));
    changes().brokers.insert(record.broker_id);
    return {};
  }

  // The registration that a record speaks of, for change.
  Result<std::shared_ptr<BrokerRegistration>> registration(std::int32_t id, std::int64_t epoch) const {
    const BrokerRegistration* known = image().cluster().broker(id);
    if (known == nullptr) return misfit("Record type {} names broker {}, which is not registered.", frame.type, id);
    if (known->epoch != epoch) {
      return misfit("Record type {} names broker {} at epoch {}, but its epoch is {}.", frame.type, id, epoch,
                    known->epoch);
    }
    return std::make_shared<BrokerRegistration>(*known);
  }
  void put(std::shared_ptr<BrokerRegistration> broker) const {
    changes().brokers.insert(broker->id);
    const std::int32_t id = broker->id;
    delta.cluster().brokers[id] = std::move(broker);
  }

  Result<> on(const protocol::UnregisterBrokerRecord& record) const {
    DOHLE_TRY(registration(record.broker_id, record.broker_epoch));
    delta.cluster().brokers.erase(record.broker_id);
    changes().brokers.insert(record.broker_id);
    return {};
  }
  Result<> on(const protocol::FenceBrokerRecord& record) const {
    DOHLE_ASSIGN(auto broker, registration(record.id, record.epoch));
    broker->fenced = true;
    put(std::move(broker));
    return {};
  }
  Result<> on(const protocol::UnfenceBrokerRecord& record) const {
    DOHLE_ASSIGN(auto broker, registration(record.id, record.epoch));
    broker->fenced = false;
    put(std::move(broker));
    return {};
  }
  Result<> on(const protocol::BrokerRegistrationChangeRecord& record) const {
    DOHLE_ASSIGN(auto broker, registration(record.broker_id, record.broker_epoch));
    if (record.fenced < -1 || record.fenced > 1 || record.in_controlled_shutdown < 0 ||
        record.in_controlled_shutdown > 1) {
      return misfit("A change of broker {} has an unknown fencing ({}) or shutdown ({}) value.", record.broker_id,
                    record.fenced, record.in_controlled_shutdown);
    }
    if (record.fenced != 0) broker->fenced = record.fenced > 0;
    if (record.in_controlled_shutdown != 0) broker->in_controlled_shutdown = true;
    if (!record.log_dirs.empty()) broker->directories = sorted(record.log_dirs);
    if (record.cordoned_log_dirs) broker->cordoned_directories = sorted(*record.cordoned_log_dirs);
    put(std::move(broker));
    return {};
  }
  Result<> on(const protocol::RegisterControllerRecord& record) const {
    ControllerRegistration controller;
    controller.id = record.controller_id;
    controller.incarnation_id = record.incarnation_id;
    controller.zk_migration_ready = record.zk_migration_ready;
    controller.endpoints = endpoints_of(record.end_points);
    controller.features = ranges_of(record.features);
    delta.cluster().controllers[controller.id] = std::make_shared<const ControllerRegistration>(std::move(controller));
    changes().controllers = true;
    return {};
  }
  Result<> on(const protocol::UnregisterControllerRecord& record) const {
    if (delta.cluster().controllers.erase(record.controller_id) == 0) {
      return misfit("Controller {} is to be unregistered, but is not registered.", record.controller_id);
    }
    changes().controllers = true;
    return {};
  }

  Result<> on(const protocol::TopicRecord& record) const {
    const TopicId id{record.topic_id};
    if (const TopicImage* known = delta.topic_named(record.name.get()); known != nullptr) {
      return misfit("Topic {} is created twice, as {} and {}.", record.name.get(), known->id.uuid.to_string(),
                    record.topic_id.to_string());
    }
    if (image().topics_.find(id) != nullptr)
      return misfit("Topic id {} is created twice.", record.topic_id.to_string());
    auto topic = std::make_shared<TopicImage>();
    topic->name = record.name.str();
    topic->id = id;
    delta.create_topic(std::move(topic));
    return {};
  }
  Result<> on(const protocol::RemoveTopicRecord& record) const {
    if (!delta.remove_topic(TopicId{record.topic_id})) {
      return misfit("Topic id {} is to be removed, but does not exist.", record.topic_id.to_string());
    }
    return {};
  }
  Result<> on(const protocol::PartitionRecord& record) const {
    TopicImage* topic = delta.touch_topic(TopicId{record.topic_id});
    if (topic == nullptr) return misfit("A partition is added to unknown topic id {}.", record.topic_id.to_string());
    DOHLE_ASSIGN(PartitionRegistration partition, partition_from_record(record));
    delta.put_partition(*topic, record.partition_id,
                        std::make_shared<const PartitionRegistration>(std::move(partition)));
    return {};
  }
  Result<> on(const protocol::PartitionChangeRecord& record) const {
    TopicImage* topic = delta.touch_topic(TopicId{record.topic_id});
    if (topic == nullptr) return misfit("A partition of unknown topic id {} is changed.", record.topic_id.to_string());
    const PartitionRegistration* known = topic->find(record.partition_id);
    if (known == nullptr) return misfit("Unknown partition {}-{} is changed.", topic->name, record.partition_id);
    DOHLE_ASSIGN(PartitionRegistration partition, merge_partition(*known, record));
    delta.put_partition(*topic, record.partition_id,
                        std::make_shared<const PartitionRegistration>(std::move(partition)));
    return {};
  }
  Result<> on(const protocol::ClearElrRecord& record) const {
    if (!record.topic_name.empty()) {
      const TopicImage* topic = delta.topic_named(record.topic_name.get());
      if (topic == nullptr) return misfit("The ELR of unknown topic {} is cleared.", record.topic_name.get());
      delta.clear_elr(*delta.touch_topic(topic->id));
      return {};
    }
    const auto topics = image().topics_.by_id();
    for (auto [id, topic] : topics) delta.clear_elr(*delta.touch_topic(id));
    return {};
  }

  Result<> on(const protocol::ConfigRecord& record) const {
    ConfigResource resource{static_cast<ConfigResourceType>(record.resource_type), record.resource_name.str()};
    ConfigMap values = image().configs_.of(resource);
    if (record.value) {
      values[record.name.str()] = record.value->str();
    } else {
      values.erase(record.name.str());
    }
    image().configs_.put(resource, std::move(values));
    changes().configs.insert(std::move(resource));
    return {};
  }
  Result<> on(const protocol::ProducerIdsRecord& record) const {
    if (record.next_producer_id < 0 || record.next_producer_id <= image().producer_ids_.next_producer_id) {
      return misfit("The next producer id goes from {} to {}.", image().producer_ids_.next_producer_id,
                    record.next_producer_id);
    }
    image().producer_ids_.next_producer_id = record.next_producer_id;
    changes().producer_ids = true;
    return {};
  }

  Result<> on(const protocol::ClientQuotaRecord& record) const {
    QuotaKey key;
    for (const auto& part : record.entity) {
      key.entity.emplace_back(part.entity_type.str(),
                              part.entity_name ? std::optional(part.entity_name->str()) : std::nullopt);
    }
    std::ranges::sort(key.entity);
    key.key = record.key.str();
    if (record.remove) {
      image().security_.client_quotas.erase(key);
    } else {
      image().security_.client_quotas.set(std::move(key), retain(frame));
    }
    changes().security = true;
    return {};
  }
  Result<> on(const protocol::UserScramCredentialRecord& record) const {
    image().security_.scram.set({record.mechanism, record.name.str()}, retain(frame));
    changes().security = true;
    return {};
  }
  Result<> on(const protocol::RemoveUserScramCredentialRecord& record) const {
    image().security_.scram.erase(ScramKey{record.mechanism, record.name.str()});
    changes().security = true;
    return {};
  }
  Result<> on(const protocol::AccessControlEntryRecord& record) const {
    image().security_.acls.set(record.id, retain(frame));
    changes().security = true;
    return {};
  }
  Result<> on(const protocol::RemoveAccessControlEntryRecord& record) const {
    image().security_.acls.erase(record.id);
    changes().security = true;
    return {};
  }
  Result<> on(const protocol::DelegationTokenRecord& record) const {
    image().security_.delegation_tokens.set(record.token_id.str(), retain(frame));
    changes().security = true;
    return {};
  }
  Result<> on(const protocol::RemoveDelegationTokenRecord& record) const {
    image().security_.delegation_tokens.erase(record.token_id.str());
    changes().security = true;
    return {};
  }

  template <typename T>
  Result<> decode_and_replay() const {
    DOHLE_ASSIGN(const T record, decode_record<T>(frame));
    return on(record);
  }

  // Tries the types one after the other; false when none matches.
  template <typename... Ts>
  bool dispatch(Result<>& result) const {
    return ((frame.type == Ts::kType && (result = decode_and_replay<Ts>(), true)) || ...);
  }
};

Result<> MetadataDelta::replay(Bytes framed_record) {
  DOHLE_ASSIGN(const RecordFrame frame, parse_frame(framed_record));
  using namespace protocol;  // NOLINT: the list below
  Result<> result;
  const Replay replay{*this, frame};
  const bool known =
      replay.dispatch<PartitionChangeRecord, PartitionRecord, TopicRecord, RemoveTopicRecord, ConfigRecord,
                      ClearElrRecord, RegisterBrokerRecord, UnregisterBrokerRecord, FenceBrokerRecord,
                      UnfenceBrokerRecord, BrokerRegistrationChangeRecord, RegisterControllerRecord,
                      UnregisterControllerRecord, FeatureLevelRecord, ProducerIdsRecord, ClientQuotaRecord,
                      UserScramCredentialRecord, RemoveUserScramCredentialRecord, AccessControlEntryRecord,
                      RemoveAccessControlEntryRecord, DelegationTokenRecord, RemoveDelegationTokenRecord>(result);
  if (known) return result;
  // NoOp (20), ZkMigrationState (21) and the transaction markers (23 to 25) leave the image as it is.
  if (frame.type == 20 || frame.type == 21 || (frame.type >= 23 && frame.type <= 25)) return {};
  return fail(Errc::kUnsupported, fmt::format("The metadata log has a record of unknown type {}.", frame.type));
}

}  // namespace dohle::metadata
