#include "shard/auto_topic_creator.h"

#include <utility>

#include <base/log.h>
#include <protocol/error_code.h>
#include <protocol/messages/create_topics_response.h>

namespace dohle::broker {

void AutoTopicCreator::create(std::string name) {
  if (!in_flight_.insert(name).second) return;
  runtime::spawn(run(std::move(name)));
}

runtime::Task<void> AutoTopicCreator::run(std::string name) {
  const auto pass = gate_.enter();
  const InternalTopicShape shape = shape_(name);
  protocol::CreateTopicsRequest request;
  request.timeout_ms = timeout_ms_;
  auto& topic = request.topics.emplace_back();
  topic.name = Text(name);
  topic.num_partitions = shape.partitions;
  topic.replication_factor = shape.replication_factor;
  for (const auto& [key, value] : shape.configs) {
    auto& config = topic.configs.emplace_back();
    config.name = Text(key);
    config.value = Text(value);
  }
  const auto answer = co_await controller_.send(request, {.api_version = protocol::CreateTopicsRequest::kMaxVersion});
  in_flight_.erase(name);
  if (!answer) {
    log::warn("broker", "Creating topic {} on first use failed: {}", name, answer.error().message);
    co_return;
  }
  for (const auto& result : answer->topics) {
    const auto error = static_cast<protocol::ErrorCode>(result.error_code);
    if (error == protocol::ErrorCode::kNone || error == protocol::ErrorCode::kTopicAlreadyExists) continue;
    log::warn("broker", "Creating topic {} on first use failed: {} {}", name, protocol::name(error),
              result.error_message ? result.error_message->get() : std::string_view());
  }
}

runtime::Task<void> AutoTopicCreator::close() { return gate_.wait_empty(); }

}  // namespace dohle::broker
