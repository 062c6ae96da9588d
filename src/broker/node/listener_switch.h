// Sends a request to the broker or to the controller, by the listener it came in by. One per shard.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <runtime/task.h>
#include <transport/request.h>

namespace dohle::broker {

class ListenerSwitch final : public transport::RequestSink {
 public:
  ListenerSwitch(std::vector<std::string> controller_listeners, transport::RequestSink& broker,
                 transport::RequestSink& controller)
      : controller_listeners_(std::move(controller_listeners)), broker_(broker), controller_(controller) {}

  runtime::Task<void> handle(std::unique_ptr<transport::Request> request) override {
    const auto& listener = request->connection().listener();
    const bool for_controller = std::ranges::find(controller_listeners_, listener) != controller_listeners_.end();
    return (for_controller ? controller_ : broker_).handle(std::move(request));
  }

 private:
  std::vector<std::string> controller_listeners_;
  transport::RequestSink& broker_;
  transport::RequestSink& controller_;
};

}  // namespace dohle::broker
