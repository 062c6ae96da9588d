// A member of a classic group: reads what it is given, commits, and notes who owned what when.
#include <fmt/format.h>

#include <client/consumer.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>

#include "client_program.h"
#include "reading.h"

namespace dohle::scenarios {
namespace {

using runtime::Task;

std::string list(const std::vector<TopicPartition>& partitions) {
  std::string out;
  for (const auto& partition : partitions) out += (out.empty() ? "" : ",") + partition_json(partition);
  return "[" + out + "]";
}

class MemberClient final : public ClientProgram {
 public:
  using ClientProgram::ClientProgram;

 private:
  Task<void> body(client::Cluster& cluster) override {
    client::ConsumerConfig config;
    config.group_id = group();
    config.auto_offset_reset = client::OffsetReset::kEarliest;
    config.enable_auto_commit = false;
    config.session_timeout_ms = 6'000;
    config.heartbeat_interval_ms = 1'000;
    config.fetch_max_wait_ms = 200;
    if (arguments().has("interval")) {
      config.max_poll_interval_ms = arguments().draw_int(random(), "interval", "");
    }
    if (arguments().choose(random(), "static", "false|true") == "true") config.group_instance_id = name();
    client::Consumer consumer(cluster, std::move(config));
    std::vector<std::string> names;
    for (const auto& topic : topics()) names.push_back(topic.name);
    client::RebalanceListener listener;
    listener.assigned = [&](const auto& partitions) { note_membership(consumer, "assigned", partitions); };
    listener.revoked = [&](const auto& partitions) { note_membership(consumer, "revoked", partitions); };
    listener.lost = [&](const auto& partitions) { note_membership(consumer, "lost", partitions); };
    consumer.subscribe(std::move(names), std::move(listener));
    const double life = arguments().draw(random(), "life", "1000");
    const auto born = machine().clock().now();
    while (!finishing() && machine().clock().now() - born < runtime::Duration(static_cast<std::int64_t>(life * 1e9))) {
      auto records = co_await consumer.poll(300);
      if (!records) {
        note("poll_failed", sim::Json().field("why", protocol::name(records.error().code)));
        static_cast<void>(co_await pause(0.2));
        continue;
      }
      note_records(history(), name(), *records);
      if (!records->empty() && random().below(3) == 0) co_await commit(consumer);
      if (random().below(30) == 0) co_await commit_as_before(cluster, consumer);
    }
    co_await commit(consumer);
    co_await consumer.close();
    note_membership(consumer, "left", {});
  }

  [[nodiscard]] std::string group() const { return arguments().text("group", "g"); }

  void note_membership(const client::Consumer& consumer, std::string_view event,
                       const std::vector<TopicPartition>& partitions) {
    const auto membership = consumer.membership();
    note(event, sim::Json()
                    .field("g", group())
                    .field("m", membership.member_id)
                    .field("gen", membership.generation)
                    .raw("p", list(partitions)));
  }

  Task<void> commit(client::Consumer& consumer) {
    const auto membership = consumer.membership();
    std::string offsets;
    client::Offsets positions;
    for (const auto& partition : consumer.assignment()) {
      const auto position = co_await consumer.position(partition, 500);
      if (!position) continue;
      positions[partition].offset = *position;
      offsets +=
          fmt::format("{}[\"{}\",{},{}]", offsets.empty() ? "" : ",", partition.topic, partition.partition, *position);
    }
    if (positions.empty()) co_return;
    const std::int64_t id = ++commits_;
    const auto fields = [&] {
      return sim::Json()
          .field("g", group())
          .field("m", membership.member_id)
          .field("gen", membership.generation)
          .field("id", id)
          .raw("o", "[" + offsets + "]");
    };
    note("commit", fields());
    const auto answer = co_await consumer.commit(std::move(positions));
    if (answer) {
      note("committed", fields().field("gen_after", consumer.membership().generation));
    } else {
      note("uncommitted", fields().field("why", protocol::name(answer.error().code)));
    }
  }

  // What it would have committed a generation ago: the group must refuse it.
  Task<void> commit_as_before(client::Cluster& cluster, client::Consumer& consumer) {
    const auto membership = consumer.membership();
    const auto assigned = consumer.assignment();
    if (membership.generation < 2 || assigned.empty()) co_return;
    const auto coordinator = co_await cluster.coordinator(client::CoordinatorType::kGroup, group());
    if (!coordinator) co_return;
    protocol::OffsetCommitRequest request;
    request.group_id = group();
    request.generation_id_or_member_epoch = membership.generation - 1;
    request.member_id = membership.member_id;
    auto& topic = request.topics.emplace_back();
    topic.name = assigned[0].topic;
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = assigned[0].partition;
    const auto fields = sim::Json()
                            .field("g", group())
                            .field("m", membership.member_id)
                            .field("gen", membership.generation - 1)
                            .field("id", ++commits_)
                            .raw("o", "[]");
    note("commit", fields);
    const auto answer = co_await cluster.send(*coordinator, std::move(request), {.max_version = 9});
    if (answer && answer->body.topics.at(0).partitions.at(0).error_code == 0) {
      auto accepted = fields;
      note("committed", accepted.field("gen_after", membership.generation - 1));
    }
  }

  std::int64_t commits_ = 0;
};

}  // namespace

std::unique_ptr<ClientProgram> make_member(ClientSurroundings surroundings) {
  return std::make_unique<MemberClient>(std::move(surroundings));
}

}  // namespace dohle::scenarios
