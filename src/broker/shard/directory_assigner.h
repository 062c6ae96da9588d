// Tells the controller which log directory a replica was placed in, where the controller had not chosen one (KIP-858).
// One per shard; what comes up while a request is out goes with the next.
#pragma once

#include <map>

#include <base/ids.h>
#include <base/uuid.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::broker {

class Broker;

class DirectoryAssigner {
 public:
  explicit DirectoryAssigner(Broker& broker) : broker_(broker) {}
  void assigned(const TopicIdPartition& partition, const Uuid& directory);
  [[nodiscard]] runtime::Task<void> close();

 private:
  runtime::Task<void> send_all();
  runtime::Task<bool> send(const std::map<TopicIdPartition, Uuid>& batch);

  Broker& broker_;
  std::map<TopicIdPartition, Uuid> waiting_;
  bool sending_ = false;
  runtime::StopSource stop_;
  runtime::Gate gate_;
};

}  // namespace dohle::broker
