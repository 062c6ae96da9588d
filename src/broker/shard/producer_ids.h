// Producer ids, handed out from blocks that the controller grants. One per shard, each with blocks of its own.
#pragma once

#include <cstdint>
#include <expected>

#include <base/ids.h>
#include <metadata/controller_channel.h>
#include <protocol/error_code.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::broker {

class Broker;

class ProducerIds {
 public:
  explicit ProducerIds(Broker& broker) : broker_(broker) {}
  [[nodiscard]] runtime::Task<std::expected<ProducerId, protocol::ErrorCode>> next();

 private:
  Broker& broker_;
  runtime::Mutex mutex_;  // one request for a block at a time
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;
};

}  // namespace dohle::broker
