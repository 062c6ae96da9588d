// Creates topics that clients name before they exist (auto.create.topics.enable), and the internal topics on first use.
// One per shard; asks the controller in the background, once per name at a time.
#pragma once

#include <functional>
#include <set>
#include <string>

#include <metadata/controller_channel.h>
#include <protocol/messages/create_topics_request.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::broker {

struct InternalTopicShape {
  std::int32_t partitions = -1;
  std::int16_t replication_factor = -1;
  std::vector<std::pair<std::string, std::string>> configs;
};

class AutoTopicCreator {
 public:
  // `shape` says how a topic of that name is to be made; ordinary topics get the controller's defaults.
  AutoTopicCreator(metadata::ControllerChannel& controller, std::function<InternalTopicShape(std::string_view)> shape,
                   std::int32_t timeout_ms)
      : controller_(controller), shape_(std::move(shape)), timeout_ms_(timeout_ms) {}

  void create(std::string name);
  [[nodiscard]] runtime::Task<void> close();

 private:
  runtime::Task<void> run(std::string name);

  metadata::ControllerChannel& controller_;
  std::function<InternalTopicShape(std::string_view)> shape_;
  std::int32_t timeout_ms_;
  std::set<std::string> in_flight_;
  runtime::Gate gate_;
};

}  // namespace dohle::broker
