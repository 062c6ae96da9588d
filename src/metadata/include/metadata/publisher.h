// How images reach the shards: the metadata loader (raft shard) publishes, each shard has a ShardMetadata of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include <base/ids.h>
#include <metadata/image.h>
#include <runtime/executor.h>
#include <runtime/future.h>
#include <runtime/task.h>

namespace dohle::metadata {

// What differs between two images. Who wants the details looks them up in both.
struct MetadataChanges {
  // Topics that were created, deleted or changed, with the partitions concerned (all of them when created or deleted).
  // A deleted topic is only in `previous`, a created one only in `image`; one created and deleted in between is absent.
  std::map<TopicId, std::set<std::int32_t>> topics;
  std::set<ConfigResource> configs;
  std::set<std::int32_t> brokers;
  bool controllers = false;
  bool features = false;
  bool producer_ids = false;
  bool security = false;  // scram, quotas, ACLs or tokens

  [[nodiscard]] bool empty() const {
    return topics.empty() && configs.empty() && brokers.empty() && !controllers && !features && !producer_ids &&
           !security;
  }
};

// The changes between any two images: cost is that of walking both. For snapshots; the log's own changes are counted
// as they are replayed.
[[nodiscard]] MetadataChanges compare(const MetadataImage& before, const MetadataImage& after);

struct MetadataUpdate {
  ImageRef previous;
  ImageRef image;
  std::shared_ptr<const MetadataChanges> changes;
};

// Told on its own shard, in order, once per update. Must not block; longer work is spawned.
class MetadataListener {
 public:
  virtual ~MetadataListener() = default;
  virtual void on_metadata_update(const MetadataUpdate& update) = 0;
};

// One shard's view of the metadata. Belongs to that shard.
class ShardMetadata {
 public:
  ShardMetadata() : image_(MetadataImage::empty()) {}
  ShardMetadata(const ShardMetadata&) = delete;
  ShardMetadata& operator=(const ShardMetadata&) = delete;

  // The newest image this shard was given. Keep a copy of the pointer across a co_await.
  [[nodiscard]] const ImageRef& image() const { return image_; }
  // Listeners are called in the order they were added; a new one first gets everything as one update from empty.
  void add_listener(MetadataListener* listener);
  void remove_listener(MetadataListener* listener);
  // Completes when this shard's image contains `offset`.
  [[nodiscard]] runtime::Task<void> wait_for(Offset offset);
  // For the publisher, on this shard.
  void accept(const MetadataUpdate& update);

 private:
  ImageRef image_;
  std::vector<MetadataListener*> listeners_;
  std::multimap<Offset, runtime::Promise<>> waiters_;
};

// Hands each image to every shard. Lives on the raft shard; `targets` must outlive it and all work it has posted.
class Publisher {
 public:
  struct Target {
    runtime::Executor* executor;
    ShardMetadata* metadata;
  };
  // Publishes may come from the raft shard only, the executor current at construction.
  explicit Publisher(std::vector<Target> targets);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Posts the update to all shards, in order of the calls.
  void publish(MetadataUpdate update);
  // The last image handed in.
  [[nodiscard]] const ImageRef& image() const { return image_; }
  // Every shard has accepted an image that contains this offset.
  [[nodiscard]] Offset published_offset() const { return published_; }
  // Completes when published_offset() has reached `offset`. On the publisher's shard.
  [[nodiscard]] runtime::Task<void> wait_published(Offset offset);
  // Lets all waiters go: shards may have stopped already.
  void close();

 private:
  struct Shared;
  void acknowledge(std::size_t target, Offset offset);
  std::vector<Target> targets_;
  std::vector<Offset> reached_;
  ImageRef image_;
  Offset published_ = kNoOffset;
  bool closed_ = false;
  std::multimap<Offset, runtime::Promise<>> waiters_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace dohle::metadata
