#include <metadata/image.h>

#include <algorithm>

namespace dohle::metadata {

const TopicImage* TopicsImage::find(std::string_view name) const {
  const TopicRef* topic = by_name_.find(name);
  return topic == nullptr ? nullptr : topic->get();
}

const TopicImage* TopicsImage::find(const TopicId& id) const {
  const TopicRef* topic = by_id_.find(id);
  return topic == nullptr ? nullptr : topic->get();
}

const PartitionRegistration* TopicsImage::find(std::string_view name, std::int32_t partition) const {
  const TopicImage* topic = find(name);
  return topic == nullptr ? nullptr : topic->find(partition);
}

const PartitionRegistration* TopicsImage::find(const TopicIdPartition& partition) const {
  const TopicImage* topic = find(partition.topic);
  return topic == nullptr ? nullptr : topic->find(partition.partition);
}

void TopicsImage::put(TopicRef topic) {
  by_name_.set(topic->name, topic);
  by_id_.set(topic->id, topic);
}

void TopicsImage::remove(const TopicId& id) {
  const TopicRef* found = by_id_.find(id);
  if (found == nullptr) return;
  const TopicRef topic = *found;
  by_id_.erase(id);
  // A topic of the same name but another id may have taken its place already.
  if (const TopicRef* named = by_name_.find(topic->name); named != nullptr && (*named)->id == id)
    by_name_.erase(topic->name);
}

const EndpointImage* BrokerRegistration::endpoint(std::string_view listener) const {
  const auto at = std::ranges::find(endpoints, listener, &EndpointImage::listener);
  return at == endpoints.end() ? nullptr : &*at;
}

bool BrokerRegistration::has_online_directory(const Uuid& directory) const {
  // Reserved ids name no directory: not known yet counts as online, lost does not.
  if (directory == kDirectoryUnassigned || directory == kDirectoryMigrating) return true;
  if (directory == kDirectoryLost) return false;
  if (directories.empty()) return true;  // registered before directories were known
  return std::ranges::binary_search(directories, directory);
}

bool BrokerRegistration::has_uncordoned_directory() const {
  if (directories.empty() || !cordoned_directories) return true;
  return std::ranges::any_of(directories, [this](const Uuid& directory) {
    return !std::ranges::binary_search(*cordoned_directories, directory);
  });
}

const BrokerRegistration* ClusterImage::broker(std::int32_t id) const {
  const auto at = brokers.find(id);
  return at == brokers.end() ? nullptr : at->second.get();
}

bool ClusterImage::is_active(std::int32_t broker_id) const {
  const BrokerRegistration* registration = broker(broker_id);
  return registration != nullptr && registration->is_active();
}

const ConfigMap& ConfigsImage::of(const ConfigResource& resource) const {
  static const ConfigMap kNone;
  const auto* values = all_.find(resource);
  return values == nullptr ? kNone : **values;
}

void ConfigsImage::put(const ConfigResource& resource, ConfigMap values) {
  if (values.empty()) {
    all_.erase(resource);
  } else {
    all_.set(resource, std::make_shared<const ConfigMap>(std::move(values)));
  }
}

std::int16_t FeaturesImage::level(std::string_view feature) const {
  const auto at = finalized.find(feature);
  return at == finalized.end() ? std::int16_t{0} : at->second;
}

MetadataImage::MetadataImage()
    : features_(std::make_shared<const FeaturesImage>()), cluster_(std::make_shared<const ClusterImage>()) {}

bool MetadataImage::is_empty() const {
  return features_->finalized.empty() && cluster_->brokers.empty() && cluster_->controllers.empty() &&
         topics_.size() == 0 && configs_.all().empty() && producer_ids_.next_producer_id < 0 &&
         security_.scram.empty() && security_.client_quotas.empty() && security_.acls.empty() &&
         security_.delegation_tokens.empty();
}

const std::shared_ptr<const MetadataImage>& MetadataImage::empty() {
  static const auto kEmpty = std::make_shared<const MetadataImage>();
  return kEmpty;
}

}  // namespace dohle::metadata
