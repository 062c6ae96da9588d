// An administrator of groups without members: commits offsets, for good or for a while, deletes them, deletes whole
// groups, and looks at what is there. Each partition of a group is a key of its own.
#include <fmt/format.h>

#include <client/admin.h>
#include <protocol/messages/delete_groups_request.h>
#include <protocol/messages/delete_groups_response.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>
#include <protocol/messages/offset_delete_request.h>
#include <protocol/messages/offset_delete_response.h>

#include "register_client.h"

namespace dohle::scenarios {
namespace {

using protocol::ErrorCode;
using runtime::Task;

class OffsetAdmin final : public RegisterClient {
 public:
  using RegisterClient::RegisterClient;

 private:
  Task<void> body(client::Cluster& cluster) override {
    client::Admin admin(cluster);
    const double rate = arguments().draw(random(), "rate", "3..10");
    while (co_await pause((0.5 + 0.001 * static_cast<double>(random().below(1000))) / rate)) {
      const std::string group = draw_key("d");
      const auto all = partitions();
      const TopicPartition target = all[random().below(all.size())];
      switch (random().below(10)) {
        case 0:
          co_await delete_group(cluster, group);
          break;
        case 1:
          co_await delete_offset(cluster, group, target);
          break;
        case 2:
        case 3:
        case 4:
          co_await commit(cluster, group, target);
          break;
        default:
          co_await look(admin, group, target);
      }
    }
  }

  static std::string key_of(const std::string& group, const TopicPartition& target) {
    return fmt::format("offset/{}/{}-{}", group, target.topic, target.partition);
  }

  // Repeats nothing: one operation is one attempt.
  template <typename Request>
  Task<client::Answer<client::Reply<typename Request::Response>>> send(client::Cluster& cluster, std::string group,
                                                                       Request request,
                                                                       client::CallOptions options = {}) {
    const auto way = co_await cluster.coordinator(client::CoordinatorType::kGroup, group);
    if (!way) co_return std::unexpected(way.error());
    auto answer = co_await cluster.send(*way, std::move(request), options);
    if (!answer) cluster.forget_coordinator(client::CoordinatorType::kGroup, group);
    co_return answer;
  }

  Task<void> commit(client::Cluster& cluster, std::string group, TopicPartition target) {
    constexpr std::int16_t kLastVersionWithRetention = 4;
    const std::int64_t keeps_ms = std::stoll(arguments().choose(random(), "keeps", "-1"));
    const auto offset = static_cast<std::int64_t>(++commits_ * 1000 + random().below(1000));
    const auto id = call(key_of(group, target), "write", std::to_string(offset), keeps_ms);
    protocol::OffsetCommitRequest request;
    request.group_id = Text(group);
    request.retention_time_ms = keeps_ms;
    auto& topic = request.topics.emplace_back();
    topic.name = Text(target.topic);
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = target.partition;
    partition.committed_offset = offset;
    const auto answer = co_await send(cluster, group, std::move(request), {.max_version = kLastVersionWithRetention});
    if (!answer) co_return ret(id, "unknown");
    ret(id, protocol::error_code_from(answer->body.topics.at(0).partitions.at(0).error_code));
  }

  Task<void> delete_offset(client::Cluster& cluster, std::string group, TopicPartition target) {
    const auto id = call(key_of(group, target), "delete");
    protocol::OffsetDeleteRequest request;
    request.group_id = Text(group);
    auto& topic = request.topics.emplace_back();
    topic.name = Text(target.topic);
    topic.partitions.emplace_back().partition_index = target.partition;
    const auto answer = co_await send(cluster, group, std::move(request));
    if (!answer) co_return ret(id, "unknown");
    if (answer->body.error_code != 0) co_return ret(id, protocol::error_code_from(answer->body.error_code));
    ret(id, protocol::error_code_from(answer->body.topics.at(0).partitions.at(0).error_code));
  }

  // One request, and one operation on each of its keys.
  Task<void> delete_group(client::Cluster& cluster, std::string group) {
    std::vector<std::int64_t> ids;
    for (const auto& target : partitions()) ids.push_back(call(key_of(group, target), "delete"));
    protocol::DeleteGroupsRequest request;
    request.groups_names.emplace_back(group);
    const auto answer = co_await send(cluster, group, std::move(request));
    for (const auto id : ids) {
      if (!answer) {
        ret(id, "unknown");
      } else {
        ret(id, protocol::error_code_from(answer->body.results.at(0).error_code));
      }
    }
  }

  Task<void> look(client::Admin& admin, std::string group, TopicPartition target) {
    const auto id = call(key_of(group, target), "read");
    const auto answer = co_await admin.list_group_offsets(group, {{target}});
    if (!answer) co_return ret(id, "unknown");
    const auto at = answer->find(target);
    if (at == answer->end() || !at->second) co_return ret(id, "unknown");
    ret(id, "ok", at->second->offset < 0 ? "absent" : std::to_string(at->second->offset));
  }

  std::uint64_t commits_ = 0;
};

}  // namespace

std::unique_ptr<ClientProgram> make_offset_admin(ClientSurroundings surroundings) {
  return std::make_unique<OffsetAdmin>(std::move(surroundings));
}

}  // namespace dohle::scenarios
