#include <metadata/publisher.h>

#include <algorithm>
#include <utility>

#include <base/check.h>

namespace dohle::metadata {
namespace {

std::set<std::int32_t> partitions_of(const TopicImage& topic) {
  std::set<std::int32_t> out;
  for (auto [id, partition] : topic.partitions) out.insert(out.end(), id);
  return out;
}

void compare_topic(const TopicImage& before, const TopicImage& after, MetadataChanges& changes) {
  if (before.partitions.same_as(after.partitions)) return;
  std::set<std::int32_t> differing;
  for (auto [id, partition] : after.partitions) {
    const PartitionRef* old = before.partitions.find(id);
    if (old == nullptr || (*old != partition && **old != *partition)) differing.insert(id);
  }
  for (auto [id, partition] : before.partitions) {
    if (!after.partitions.contains(id)) differing.insert(id);
  }
  if (!differing.empty()) changes.topics[after.id] = std::move(differing);
}

void compare_topics(const TopicsImage& before, const TopicsImage& after, MetadataChanges& changes) {
  if (before.by_id().same_as(after.by_id())) return;
  for (auto [id, topic] : after.by_id()) {
    const TopicImage* old = before.find(id);
    if (old == nullptr) {
      changes.topics[id] = partitions_of(*topic);
    } else if (old != topic.get()) {
      compare_topic(*old, *topic, changes);
    }
  }
  for (auto [id, topic] : before.by_id()) {
    if (after.find(id) == nullptr) changes.topics[id] = partitions_of(*topic);
  }
}

void compare_configs(const ConfigsImage& before, const ConfigsImage& after, MetadataChanges& changes) {
  if (before.all().same_as(after.all())) return;
  for (auto [resource, values] : after.all()) {
    if (before.of(resource) != *values) changes.configs.insert(resource);
  }
  for (auto [resource, values] : before.all()) {
    if (!after.all().contains(resource)) changes.configs.insert(resource);
  }
}

void compare_brokers(const ClusterImage& before, const ClusterImage& after, MetadataChanges& changes) {
  for (const auto& [id, broker] : after.brokers) {
    const BrokerRegistration* old = before.broker(id);
    if (old == nullptr || (old != broker.get() && *old != *broker)) changes.brokers.insert(id);
  }
  for (const auto& [id, broker] : before.brokers) {
    if (!after.brokers.contains(id)) changes.brokers.insert(id);
  }
}

}  // namespace

MetadataChanges compare(const MetadataImage& before, const MetadataImage& after) {
  MetadataChanges changes;
  compare_topics(before.topics(), after.topics(), changes);
  compare_configs(before.configs(), after.configs(), changes);
  compare_brokers(before.cluster(), after.cluster(), changes);
  changes.controllers =
      !std::ranges::equal(before.cluster().controllers, after.cluster().controllers,
                          [](const auto& a, const auto& b) { return a.first == b.first && *a.second == *b.second; });
  changes.features = before.features().finalized != after.features().finalized;
  changes.producer_ids = before.producer_ids().next_producer_id != after.producer_ids().next_producer_id;
  const SecurityImage& a = before.security();
  const SecurityImage& b = after.security();
  changes.security = !a.scram.same_as(b.scram) || !a.client_quotas.same_as(b.client_quotas) ||
                     !a.acls.same_as(b.acls) || !a.delegation_tokens.same_as(b.delegation_tokens);
  return changes;
}

void ShardMetadata::add_listener(MetadataListener* listener) {
  listeners_.push_back(listener);
  const ImageRef& nothing = MetadataImage::empty();
  if (image_ == nothing) return;
  listener->on_metadata_update({nothing, image_, std::make_shared<const MetadataChanges>(compare(*nothing, *image_))});
}

void ShardMetadata::remove_listener(MetadataListener* listener) { std::erase(listeners_, listener); }

runtime::Task<void> ShardMetadata::wait_for(Offset offset) {
  if (image_->last_offset() >= offset) co_return;
  runtime::Promise<> promise;
  auto future = promise.future();
  waiters_.emplace(offset, std::move(promise));
  co_await future;
}

void ShardMetadata::accept(const MetadataUpdate& update) {
  image_ = update.image;
  const auto listeners = listeners_;
  for (MetadataListener* listener : listeners) listener->on_metadata_update(update);
  while (!waiters_.empty() && waiters_.begin()->first <= image_->last_offset()) {
    waiters_.begin()->second.set();
    waiters_.erase(waiters_.begin());
  }
}

struct Publisher::Shared {
  Publisher* publisher = nullptr;
  runtime::Executor* home = nullptr;
};

Publisher::Publisher(std::vector<Target> targets)
    : targets_(std::move(targets)),
      reached_(targets_.size(), kNoOffset),
      image_(MetadataImage::empty()),
      shared_(std::make_shared<Shared>(this, runtime::Executor::current())) {}

Publisher::~Publisher() { shared_->publisher = nullptr; }

void Publisher::publish(MetadataUpdate update) {
  DOHLE_CHECK(update.image != nullptr && update.previous != nullptr);
  image_ = update.image;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const Target target = targets_[i];
    if (target.executor == shared_->home) {
      target.metadata->accept(update);
      acknowledge(i, update.image->last_offset());
      continue;
    }
    target.executor->post([target, i, update, shared = shared_]() mutable {
      target.metadata->accept(update);
      runtime::Executor* home = shared->home;
      home->post([i, offset = update.image->last_offset(), shared = std::move(shared)] {
        if (shared->publisher != nullptr) shared->publisher->acknowledge(i, offset);
      });
    });
  }
  if (targets_.empty()) acknowledge(0, update.image->last_offset());
}

void Publisher::acknowledge(std::size_t target, Offset offset) {
  if (!reached_.empty()) reached_[target] = offset;
  published_ = reached_.empty() ? offset : *std::ranges::min_element(reached_);
  while (!waiters_.empty() && waiters_.begin()->first <= published_) {
    waiters_.begin()->second.set();
    waiters_.erase(waiters_.begin());
  }
}

void Publisher::close() {
  closed_ = true;
  auto waiters = std::exchange(waiters_, {});
  for (auto& [offset, promise] : waiters) promise.set();
}

runtime::Task<void> Publisher::wait_published(Offset offset) {
  if (published_ >= offset || closed_) co_return;
  runtime::Promise<> promise;
  auto future = promise.future();
  waiters_.emplace(offset, std::move(promise));
  co_await future;
}

}  // namespace dohle::metadata
