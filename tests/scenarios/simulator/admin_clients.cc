// Administrators: one makes the topics of a scenario, others create, delete, alter, describe and trim under load.
#include <fmt/format.h>

#include <client/admin.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <protocol/messages/delete_topics_request.h>
#include <protocol/messages/delete_topics_response.h>
#include <protocol/messages/metadata_request.h>

#include "register_client.h"

namespace dohle::scenarios {
namespace {

using protocol::ErrorCode;
using runtime::Task;

protocol::CreateTopicsRequest creation(const std::string& name, std::int32_t partitions) {
  protocol::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = partitions;
  topic.replication_factor = 1;
  request.timeout_ms = 3'000;
  return request;
}

class TopicAdmin final : public RegisterClient {
 public:
  using RegisterClient::RegisterClient;

 private:
  Task<void> body(client::Cluster& cluster) override {
    client::Admin admin(cluster);
    const double rate = arguments().draw(random(), "rate", "1..4");
    while (co_await pause((0.5 + 0.001 * static_cast<double>(random().below(1000))) / rate)) {
      const std::string name = draw_key("x");
      switch (random().below(4)) {
        case 0:
          co_await create(cluster, name);
          break;
        case 1:
          co_await remove(cluster, name);
          break;
        default:
          co_await look(cluster, name);
      }
    }
  }

  Task<void> create(client::Cluster& cluster, std::string name) {
    const auto id = call("topic/" + name, "create");
    const auto answer = co_await cluster.send_any(creation(name, 2));
    if (!answer) co_return ret(id, "unknown");
    ret(id, protocol::error_code_from(answer->body.topics.at(0).error_code));
  }

  Task<void> remove(client::Cluster& cluster, std::string name) {
    const auto id = call("topic/" + name, "delete");
    protocol::DeleteTopicsRequest request;
    request.topics.emplace_back().name = name;
    request.timeout_ms = 3'000;
    const auto answer = co_await cluster.send_any(std::move(request));
    if (!answer) co_return ret(id, "unknown");
    ret(id, protocol::error_code_from(answer->body.responses.at(0).error_code));
  }

  Task<void> look(client::Cluster& cluster, std::string name) {
    const auto id = call("topic/" + name, "read");
    protocol::MetadataRequest request;
    request.topics.emplace().emplace_back().name = Text(name);
    request.allow_auto_topic_creation = false;
    const auto answer = co_await cluster.send_any(std::move(request));
    if (!answer) co_return ret(id, "unknown");
    const auto& topic = answer->body.topics.at(0);
    const auto code = protocol::error_code_from(topic.error_code);
    if (code == ErrorCode::kUnknownTopicOrPartition) co_return ret(id, "ok", "absent");
    if (code == ErrorCode::kNone || code == ErrorCode::kLeaderNotAvailable)
      co_return ret(id, "ok", topic.topic_id.to_string());
    ret(id, "unknown");
  }
};

// The value of one configuration of a topic that stays.
class ConfigAdmin final : public RegisterClient {
 public:
  using RegisterClient::RegisterClient;

 private:
  static constexpr const char* kKey = "max.message.bytes";

  Task<void> body(client::Cluster& cluster) override {
    const double rate = arguments().draw(random(), "rate", "1..4");
    while (co_await pause((0.5 + 0.001 * static_cast<double>(random().below(1000))) / rate)) {
      const std::string topic = topics()[random().below(topics().size())].name;
      if (random().below(2) == 0) {
        co_await write(cluster, topic);
      } else {
        co_await read(cluster, topic);
      }
    }
  }

  Task<void> write(client::Cluster& cluster, std::string topic) {
    const std::string value = std::to_string(1'000'000 + random().below(1'000'000));
    const auto id = call("config/" + topic, "write", value);
    protocol::IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = 2;
    resource.resource_name = topic;
    auto& config = resource.configs.emplace_back();
    config.name = kKey;
    config.value = Text(value);
    const auto answer = co_await cluster.send_any(std::move(request));
    if (!answer) co_return ret(id, "unknown");
    ret(id, protocol::error_code_from(answer->body.responses.at(0).error_code));
  }

  Task<void> read(client::Cluster& cluster, std::string topic) {
    const auto id = call("config/" + topic, "read");
    protocol::DescribeConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = 2;
    resource.resource_name = topic;
    resource.configuration_keys.emplace().emplace_back(kKey);
    const auto answer = co_await cluster.send_any(std::move(request));
    if (!answer) co_return ret(id, "unknown");
    const auto& result = answer->body.results.at(0);
    if (result.error_code != 0 || result.configs.size() != 1) co_return ret(id, "unknown");
    ret(id, "ok", result.configs.at(0).value ? result.configs.at(0).value->str() : "");
  }
};

// Deletes records up to somewhere.
class Trimmer final : public ClientProgram {
 public:
  using ClientProgram::ClientProgram;

 private:
  Task<void> body(client::Cluster& cluster) override {
    client::Admin admin(cluster);
    const double rate = arguments().draw(random(), "rate", "0.2..1");
    while (co_await pause((0.5 + 0.001 * static_cast<double>(random().below(1000))) / rate)) {
      const auto all = partitions();
      const TopicPartition target = all[random().below(all.size())];
      const auto ends = co_await admin.list_offsets({{target, client::kLatestTimestamp}});
      const auto end = ends.find(target);
      if (end == ends.end() || !end->second) continue;
      // Now and then past the end, which must be refused.
      const bool past = random().below(5) == 0;
      const std::int64_t to =
          past ? end->second->offset + 1 + static_cast<std::int64_t>(random().below(1'000'000))
               : static_cast<std::int64_t>(random().below(static_cast<std::uint64_t>(end->second->offset) + 1));
      note("trim", sim::Json().raw("tp", partition_json(target)).field("o", to).field("end", end->second->offset));
      const auto answers = co_await admin.delete_records({{target, to}});
      const auto at = answers.find(target);
      if (at != answers.end() && at->second) {
        note("trimmed", sim::Json().raw("tp", partition_json(target)).field("o", to).field("low", *at->second));
      }
    }
  }
};

class Setup final : public ClientProgram {
 public:
  Setup(ClientSurroundings surroundings, std::vector<Line> lines)
      : ClientProgram(std::move(surroundings)), lines_(std::move(lines)) {}

 private:
  Task<void> body(client::Cluster& cluster) override {
    client::Admin admin(cluster);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      auto request = creation(topics()[i].name, topics()[i].partitions);
      sim::Json configs;
      for (const auto& [key, value] : lines_[i].arguments.all) {
        if (key == "partitions") continue;
        auto& config = request.topics[0].configs.emplace_back();
        config.name = key;
        config.value = Text(lines_[i].arguments.choose(random(), key, ""));
        configs.field(key, config.value->get());
      }
      const auto answer = co_await admin.call(std::move(request));
      const auto code = answer ? protocol::error_code_from(answer->body.topics.at(0).error_code) : answer.error().code;
      note("topic", sim::Json()
                        .field("name", topics()[i].name)
                        .field("partitions", topics()[i].partitions)
                        .field("out", protocol::name(code))
                        .raw("config", configs.object()));
    }
  }

  std::vector<Line> lines_;
};

}  // namespace

std::unique_ptr<ClientProgram> make_topic_admin(ClientSurroundings surroundings) {
  return std::make_unique<TopicAdmin>(std::move(surroundings));
}
std::unique_ptr<ClientProgram> make_config_admin(ClientSurroundings surroundings) {
  return std::make_unique<ConfigAdmin>(std::move(surroundings));
}
std::unique_ptr<ClientProgram> make_trimmer(ClientSurroundings surroundings) {
  return std::make_unique<Trimmer>(std::move(surroundings));
}
std::unique_ptr<ClientProgram> make_setup(ClientSurroundings surroundings, std::vector<Line> lines) {
  return std::make_unique<Setup>(std::move(surroundings), std::move(lines));
}

}  // namespace dohle::scenarios
