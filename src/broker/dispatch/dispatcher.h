// Dispatcher: finds the handler of each request on the broker's listeners. One per shard.
#pragma once

#include <memory>

#include <runtime/sync.h>
#include <runtime/task.h>
#include <transport/request.h>

namespace dohle::broker {

class BrokerShard;

class Dispatcher final : public transport::RequestSink {
 public:
  explicit Dispatcher(BrokerShard& here) : here_(here) {}
  [[nodiscard]] runtime::Task<void> handle(std::unique_ptr<transport::Request> request) override;
  // Until then requests wait: a port may be open while the logs are still being recovered.
  void open() { open_.set(); }

 private:
  [[nodiscard]] runtime::Task<void> handle_once_open(std::unique_ptr<transport::Request> request);
  BrokerShard& here_;
  runtime::Event open_;
};

}  // namespace dohle::broker
