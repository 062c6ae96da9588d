// Writes a record, waits until it hears of it, and only then goes on. Its fetches are answered when there is news, or
// after a time that no scenario has: whoever forgets to tell it stops it for good.
#include <fmt/format.h>

#include <client/consumer.h>
#include <client/producer.h>

#include "client_program.h"
#include "reading.h"

namespace dohle::scenarios {
namespace {

using runtime::Task;

class EchoClient final : public ClientProgram {
 public:
  using ClientProgram::ClientProgram;

 private:
  enum class Fate { kUnknown, kWritten, kGivenUp };

  Task<void> body(client::Cluster& cluster) override {
    client::ConsumerConfig config;
    config.auto_offset_reset = client::OffsetReset::kEarliest;
    config.enable_auto_commit = false;
    config.fetch_max_wait_ms = 600'000;
    client::Consumer consumer(cluster, std::move(config));
    consumer.assign(partitions());
    // A node answers the requests of a connection one after the other, and the other one is held by a fetch.
    client::Cluster writing(machine().process().at(0), client_config());
    client::ProducerConfig how;
    how.linger_ms = 0;
    how.delivery_timeout_ms = 30'000;
    client::Producer producer(writing, std::move(how));
    note("producer", sim::Json().field("acks", -1).field("idem", 1));
    const double rate = arguments().draw(random(), "rate", "5..50");
    while (co_await pause((0.001 * static_cast<double>(random().below(1000))) / rate)) {
      co_await exchange(producer, consumer);
    }
    co_await producer.close();
    co_await writing.close();
    // What waits for news would have close() wait too.
    const auto nodes = cluster.metadata().nodes;
    for (const auto& [node, info] : nodes) co_await cluster.disconnect(node);
    co_await consumer.close();
  }

  Task<void> exchange(client::Producer& producer, client::Consumer& consumer) {
    const auto all = partitions();
    const TopicPartition target = all[random().below(all.size())];
    const std::string id = fmt::format("{}-{}", name(), ++count_);
    auto fate = std::make_shared<Fate>(Fate::kUnknown);
    const auto fields = [&] { return sim::Json().raw("tp", partition_json(target)).field("v", id).field("acks", -1); };
    note("send", fields());
    client::ProducerRecord out;
    out.topic = target.topic;
    out.partition = target.partition;
    out.value = as_bytes(id);
    const auto taken = co_await producer.send(out, [this, fate, fields = fields()](const auto& answer) mutable {
      *fate = answer ? Fate::kWritten : Fate::kGivenUp;
      if (answer) {
        note("ack", fields.field("o", answer->offset));
      } else {
        note("nack", fields.field("why", protocol::name(answer.error().code)));
      }
    });
    if (!taken) co_return;
    bool heard = false;
    while (!heard && *fate != Fate::kGivenUp) {
      const auto records = co_await consumer.poll(500);
      if (!records) {
        note("poll_failed", sim::Json().field("why", protocol::name(records.error().code)));
        static_cast<void>(co_await pause(0.2));
        continue;
      }
      note_records(history(), name(), *records);
      for (const auto& record : *records) heard = heard || (record.value && as_text(*record.value) == id);
    }
  }

  std::uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<ClientProgram> make_echo(ClientSurroundings surroundings) {
  return std::make_unique<EchoClient>(std::move(surroundings));
}

}  // namespace dohle::scenarios
