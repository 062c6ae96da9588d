// MetadataImage: everything the metadata log says up to one offset, immutable, shared by all shards.
//
// A new image shares with the one before it all that did not change (see persistent_map.h), so it may be kept and
// compared at will. Pointers that its functions return live as long as the image.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <base/ids.h>
#include <metadata/partition_registration.h>
#include <metadata/persistent_map.h>

namespace dohle::metadata {

// Where an image ends in the metadata log.
struct Provenance {
  Offset last_offset = kNoOffset;  // of the last record in it
  LeaderEpoch last_epoch{0};
  std::int64_t last_append_ms = 0;  // wall clock of the controller
  std::int16_t kraft_version = 0;   // of the quorum then; it stands in raft's own records
};

// ---- topics -------------------------------------------------------------------------------------------------------

struct TopicImage {
  std::string name;
  TopicId id;
  PersistentMap<std::int32_t, PartitionRef> partitions;  // by partition id

  // Null when there is no such partition.
  [[nodiscard]] const PartitionRegistration* find(std::int32_t partition) const {
    const PartitionRef* found = partitions.find(partition);
    return found == nullptr ? nullptr : found->get();
  }
};
using TopicRef = std::shared_ptr<const TopicImage>;

class TopicsImage {
 public:
  [[nodiscard]] const TopicImage* find(std::string_view name) const;
  [[nodiscard]] const TopicImage* find(const TopicId& id) const;
  [[nodiscard]] const PartitionRegistration* find(std::string_view name, std::int32_t partition) const;
  [[nodiscard]] const PartitionRegistration* find(const TopicIdPartition& partition) const;
  // Both maps hold the same topics; iterate by name where an order shows.
  [[nodiscard]] const PersistentMap<std::string, TopicRef>& by_name() const { return by_name_; }
  [[nodiscard]] const PersistentMap<TopicId, TopicRef>& by_id() const { return by_id_; }
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  void put(TopicRef topic);
  void remove(const TopicId& id);

 private:
  PersistentMap<std::string, TopicRef> by_name_;
  PersistentMap<TopicId, TopicRef> by_id_;
};

// ---- brokers and controllers --------------------------------------------------------------------------------------

struct EndpointImage {
  std::string listener;
  std::string host;
  std::uint16_t port = 0;
  std::int16_t security_protocol = 0;  // Kafka's ids: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL
  friend bool operator==(const EndpointImage&, const EndpointImage&) = default;
};

struct VersionRange {
  std::int16_t min = 0;
  std::int16_t max = 0;
  [[nodiscard]] bool contains(std::int16_t level) const { return min <= level && level <= max; }
  friend bool operator==(const VersionRange&, const VersionRange&) = default;
};

struct BrokerRegistration {
  std::int32_t id = -1;
  std::int64_t epoch = -1;  // offset of the registration record of this incarnation
  Uuid incarnation_id;
  std::vector<EndpointImage> endpoints;
  std::map<std::string, VersionRange, std::less<>> features;
  std::optional<std::string> rack;
  bool fenced = true;
  bool in_controlled_shutdown = false;
  bool is_migrating_zk_broker = false;
  std::vector<Uuid> directories;                          // online ones, sorted
  std::optional<std::vector<Uuid>> cordoned_directories;  // sorted (KIP-1066); absent until the broker has said it

  // May lead and be in an ISR: neither fenced nor shutting down.
  [[nodiscard]] bool is_active() const { return !fenced && !in_controlled_shutdown; }
  // Null when it has no listener of that name.
  [[nodiscard]] const EndpointImage* endpoint(std::string_view listener) const;
  [[nodiscard]] bool has_online_directory(const Uuid& directory) const;
  [[nodiscard]] bool has_uncordoned_directory() const;
  friend bool operator==(const BrokerRegistration&, const BrokerRegistration&) = default;
};
using BrokerRef = std::shared_ptr<const BrokerRegistration>;

struct ControllerRegistration {
  std::int32_t id = -1;
  Uuid incarnation_id;
  bool zk_migration_ready = false;
  std::vector<EndpointImage> endpoints;
  std::map<std::string, VersionRange, std::less<>> features;
  friend bool operator==(const ControllerRegistration&, const ControllerRegistration&) = default;
};
using ControllerRef = std::shared_ptr<const ControllerRegistration>;

struct ClusterImage {
  std::map<std::int32_t, BrokerRef> brokers;
  std::map<std::int32_t, ControllerRef> controllers;

  [[nodiscard]] const BrokerRegistration* broker(std::int32_t id) const;  // null when not registered
  [[nodiscard]] bool is_active(std::int32_t broker_id) const;
};

// ---- configurations -----------------------------------------------------------------------------------------------

// Kafka's ConfigResource.Type.
enum class ConfigResourceType : std::int8_t {
  kUnknown = 0,
  kTopic = 2,
  kBroker = 4,
  kBrokerLogger = 8,
  kClientMetrics = 16,
  kGroup = 32,
};

struct ConfigResource {
  ConfigResourceType type = ConfigResourceType::kUnknown;
  std::string name;  // broker id in decimal; empty for the default of all brokers
  friend auto operator<=>(const ConfigResource&, const ConfigResource&) = default;
};

using ConfigMap = std::map<std::string, std::string, std::less<>>;

class ConfigsImage {
 public:
  // What was set on the resource itself; empty when nothing was.
  [[nodiscard]] const ConfigMap& of(const ConfigResource& resource) const;
  [[nodiscard]] const ConfigMap& of(ConfigResourceType type, std::string_view name) const {
    return of(ConfigResource{type, std::string(name)});
  }
  [[nodiscard]] const PersistentMap<ConfigResource, std::shared_ptr<const ConfigMap>>& all() const { return all_; }
  void put(const ConfigResource& resource, ConfigMap values);  // an empty map removes the resource

 private:
  PersistentMap<ConfigResource, std::shared_ptr<const ConfigMap>> all_;
};

// ---- features, producer ids, and what is only kept -----------------------------------------------------------------

struct FeaturesImage {
  // Finalized levels, "metadata.version" among them; a feature at level 0 is absent.
  std::map<std::string, std::int16_t, std::less<>> finalized;

  [[nodiscard]] std::int16_t level(std::string_view feature) const;  // 0 when absent
  [[nodiscard]] std::int16_t metadata_version() const { return level("metadata.version"); }
};

struct ProducerIdsImage {
  std::int64_t next_producer_id = -1;  // first id of the next block; -1 before the first allocation
};

// A record's body as it was in the log, for kinds of records this program keeps but does not act on yet.
struct RetainedRecord {
  std::int16_t type = 0;
  std::int16_t version = 0;
  std::vector<std::uint8_t> body;
};
using RetainedRef = std::shared_ptr<const RetainedRecord>;

struct QuotaKey {
  // (entity type, entity name or nothing for the default), sorted by type.
  std::vector<std::pair<std::string, std::optional<std::string>>> entity;
  std::string key;
  friend auto operator<=>(const QuotaKey&, const QuotaKey&) = default;
};
struct ScramKey {
  std::int8_t mechanism = 0;
  std::string user;
  friend auto operator<=>(const ScramKey&, const ScramKey&) = default;
};

struct SecurityImage {
  PersistentMap<ScramKey, RetainedRef> scram;
  PersistentMap<QuotaKey, RetainedRef> client_quotas;
  PersistentMap<Uuid, RetainedRef> acls;
  PersistentMap<std::string, RetainedRef> delegation_tokens;  // by token id
};

// ---- the whole ----------------------------------------------------------------------------------------------------

class MetadataImage {
 public:
  [[nodiscard]] const Provenance& provenance() const { return provenance_; }
  [[nodiscard]] Offset last_offset() const { return provenance_.last_offset; }
  [[nodiscard]] const FeaturesImage& features() const { return *features_; }
  [[nodiscard]] const ClusterImage& cluster() const { return *cluster_; }
  [[nodiscard]] const TopicsImage& topics() const { return topics_; }
  [[nodiscard]] const ConfigsImage& configs() const { return configs_; }
  [[nodiscard]] const ProducerIdsImage& producer_ids() const { return producer_ids_; }
  [[nodiscard]] const SecurityImage& security() const { return security_; }
  [[nodiscard]] bool is_empty() const;

  [[nodiscard]] static const std::shared_ptr<const MetadataImage>& empty();
  MetadataImage();

 private:
  friend class MetadataDelta;
  Provenance provenance_;
  std::shared_ptr<const FeaturesImage> features_;
  std::shared_ptr<const ClusterImage> cluster_;
  TopicsImage topics_;
  ConfigsImage configs_;
  ProducerIdsImage producer_ids_;
  SecurityImage security_;
};
using ImageRef = std::shared_ptr<const MetadataImage>;

}  // namespace dohle::metadata
