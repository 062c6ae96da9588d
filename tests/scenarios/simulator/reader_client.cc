// Readers: one follows its partitions and asks for offsets on the way; the final one reads everything there is.
#include <fmt/format.h>

#include <client/consumer.h>

#include "client_program.h"
#include "reading.h"

namespace dohle::scenarios {
namespace {

using runtime::Task;

client::ConsumerConfig alone() {
  client::ConsumerConfig config;
  config.auto_offset_reset = client::OffsetReset::kEarliest;
  config.enable_auto_commit = false;
  return config;
}

class ReaderClient final : public ClientProgram {
 public:
  using ClientProgram::ClientProgram;

 private:
  Task<void> body(client::Cluster& cluster) override {
    auto config = alone();
    config.fetch_max_bytes = static_cast<std::int32_t>(arguments().draw_int(random(), "fetch_bytes", "500..200000"));
    config.max_partition_fetch_bytes =
        static_cast<std::int32_t>(arguments().draw_int(random(), "fetch_bytes", "500..200000"));
    config.fetch_max_wait_ms = 200;
    client::Consumer consumer(cluster, std::move(config));
    client::Admin admin(cluster);
    consumer.assign(partitions());
    const double slowness = arguments().draw(random(), "pause", "0..0.2");
    while (!finishing()) {
      auto records = co_await consumer.poll(200);
      if (records) {
        note_records(history(), name(), *records);
      } else {
        note("poll_failed", sim::Json().field("why", protocol::name(records.error().code)));
      }
      if (random().below(20) == 0) co_await ask_bounds(admin);
      if (random().below(40) == 0) co_await ask_time(admin);
      static_cast<void>(co_await pause(slowness));
    }
    co_await consumer.close();
  }

  Task<void> ask_bounds(client::Admin& admin) {
    const auto all = partitions();
    const TopicPartition target = all[random().below(all.size())];
    const bool latest = random().below(2) == 0;
    const std::int64_t asked = history().now_us();
    const auto answers =
        co_await admin.list_offsets({{target, latest ? client::kLatestTimestamp : client::kEarliestTimestamp}});
    const auto at = answers.find(target);
    if (at == answers.end() || !at->second) co_return;
    note(latest ? "end" : "start",
         sim::Json().raw("tp", partition_json(target)).field("asked", asked).field("o", at->second->offset));
  }

  Task<void> ask_time(client::Admin& admin) {
    const auto all = partitions();
    const TopicPartition target = all[random().below(all.size())];
    const std::int64_t back = static_cast<std::int64_t>(random().below(10'000));
    const std::int64_t time = machine().clock().wall_ms() - back;
    const std::int64_t asked = history().now_us();
    const auto answers = co_await admin.list_offsets({{target, time}});
    const auto at = answers.find(target);
    if (at == answers.end() || !at->second) co_return;
    note("at_time", sim::Json()
                        .raw("tp", partition_json(target))
                        .field("asked", asked)
                        .field("ts", time)
                        .field("o", at->second->offset)
                        .field("ots", at->second->timestamp));
  }
};

class FinalReader final : public ClientProgram {
 public:
  using ClientProgram::ClientProgram;

 private:
  Task<void> body(client::Cluster& cluster) override {
    client::Admin admin(cluster);
    client::Consumer consumer(cluster, alone());
    consumer.assign(partitions());
    for (const auto& partition : partitions()) co_await read_all(admin, consumer, partition);
    for (const auto& group : split(arguments().text("groups", ""), ',')) co_await read_committed(admin, group);
    co_await consumer.close();
  }

  Task<void> read_committed(client::Admin& admin, std::string group) {
    const auto answer = co_await admin.list_group_offsets(group, std::nullopt);
    if (!answer) co_return note("poll_failed", sim::Json().field("why", protocol::name(answer.error().code)));
    std::string offsets;
    for (const auto& [partition, committed] : *answer) {
      if (!committed) continue;
      offsets += fmt::format("{}[\"{}\",{},{}]", offsets.empty() ? "" : ",", partition.topic, partition.partition,
                             committed->offset);
    }
    note("left_committed", sim::Json().field("g", group).raw("o", "[" + offsets + "]"));
  }

  Task<std::int64_t> bound(client::Admin& admin, TopicPartition partition, std::int64_t which) {
    for (;;) {
      const auto answers = co_await admin.list_offsets({{partition, which}});
      const auto at = answers.find(partition);
      if (at != answers.end() && at->second) co_return at->second->offset;
      static_cast<void>(co_await pause(0.5));
    }
  }

  Task<void> read_all(client::Admin& admin, client::Consumer& consumer, TopicPartition partition) {
    const std::int64_t start = co_await bound(admin, partition, client::kEarliestTimestamp);
    const std::int64_t end = co_await bound(admin, partition, client::kLatestTimestamp);
    note("final", sim::Json().raw("tp", partition_json(partition)).field("start", start).field("end", end));
    consumer.assign({partition});
    consumer.seek(partition, start);
    for (;;) {
      const auto position = co_await consumer.position(partition, 5'000);
      if (position && *position >= end) break;
      auto records = co_await consumer.poll(500);
      if (records) {
        note_records(history(), name(), *records);
        continue;
      }
      note("poll_failed", sim::Json().field("why", protocol::name(records.error().code)));
      if (records.error().code == protocol::ErrorCode::kCorruptMessage && position) {
        consumer.seek(partition, *position + 1);  // past what has rotted, to what lies behind it
      } else {
        static_cast<void>(co_await pause(0.5));
      }
    }
    note("final_read", sim::Json().raw("tp", partition_json(partition)));
  }
};

}  // namespace

std::unique_ptr<ClientProgram> make_reader(ClientSurroundings surroundings) {
  return std::make_unique<ReaderClient>(std::move(surroundings));
}
std::unique_ptr<ClientProgram> make_final_reader(ClientSurroundings surroundings) {
  return std::make_unique<FinalReader>(std::move(surroundings));
}

}  // namespace dohle::scenarios
