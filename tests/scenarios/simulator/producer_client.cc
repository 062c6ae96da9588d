// Writes records that carry their own names, and notes what was promised about each.
#include <fmt/format.h>

#include <client/producer.h>

#include "client_program.h"

namespace dohle::scenarios {
namespace {

using runtime::Task;

class ProducerClient final : public ClientProgram {
 public:
  using ClientProgram::ClientProgram;

 private:
  Task<void> body(client::Cluster& cluster) override {
    client::ProducerConfig config;
    const std::string acks = arguments().choose(random(), "acks", "all");
    config.acks = acks == "all" ? -1 : static_cast<std::int16_t>(std::stoi(acks));
    config.enable_idempotence = config.acks == -1 && arguments().choose(random(), "idempotence", "true") == "true";
    config.linger_ms = arguments().draw_int(random(), "linger", "0..20");
    config.delivery_timeout_ms = 30'000;
    config.max_block_ms = 10'000;
    acks_ = config.acks;
    idempotent_ = config.enable_idempotence;
    const double rate = arguments().draw(random(), "rate", "5..30");
    client::Producer producer(cluster, std::move(config));
    note("producer", sim::Json().field("acks", acks_).field("idem", idempotent_ ? 1 : 0));
    while (co_await pause((0.5 + 0.001 * static_cast<double>(random().below(1000))) / rate)) {
      co_await send_one(producer);
    }
    co_await producer.close();
  }

  Task<void> send_one(client::Producer& producer) {
    const auto all = partitions();
    const TopicPartition target = all[random().below(all.size())];
    const std::string id = fmt::format("{}-{}", name(), ++count_);
    std::string value = id + ":";
    value.append(static_cast<std::size_t>(arguments().draw_int(random(), "bytes", "1..300")), '.');
    note("send", record(target, id));
    client::ProducerRecord out;
    out.topic = target.topic;
    out.partition = target.partition;
    out.value = as_bytes(value);
    const auto taken =
        co_await producer.send(out, [this, target, id](const auto& answer) { settle(target, id, answer); });
    if (!taken) note("untaken", record(target, id).field("why", protocol::name(taken.error().code)));
  }

  void settle(const TopicPartition& target, const std::string& id,
              const client::Answer<client::RecordMetadata>& answer) {
    if (answer) {
      note("ack", record(target, id).field("o", answer->offset));
    } else {
      note("nack", record(target, id).field("why", protocol::name(answer.error().code)));
    }
  }

  sim::Json record(const TopicPartition& target, const std::string& id) const {
    sim::Json out;
    out.raw("tp", partition_json(target)).field("v", id).field("acks", acks_);
    return out;
  }

  std::int64_t acks_ = -1;
  bool idempotent_ = true;
  std::uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<ClientProgram> make_producer(ClientSurroundings surroundings) {
  return std::make_unique<ProducerClient>(std::move(surroundings));
}

}  // namespace dohle::scenarios
