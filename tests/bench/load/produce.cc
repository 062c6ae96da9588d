// produce: batches with acks=all.
//
//   topic= connections=1 partitions=(connections) records=1 bytes=100 (of a record) codec=none json=0
//   in_flight=1 (requests on a connection) idempotent=0 check_offsets=1
//   seconds=5, or requests=N in all; rate=0 (closed loop), or requests a second over all connections (open loop)
//
// Connection i sends to the partitions i, i + connections, ... in turn. In an open loop, latency counts from when a
// request was to be sent, whatever is before it.
#include <algorithm>
#include <deque>

#include <protocol/error_code.h>
#include <protocol/messages/init_producer_id_request.h>
#include <protocol/messages/init_producer_id_response.h>

#include "batches.h"
#include "loads.h"
#include "open_loop.h"
#include "report.h"

namespace dohle::load {
namespace {

struct Shape {
  explicit Shape(const Options& options)
      : topic(options.required("topic")),
        connections(static_cast<int>(options.number("connections", 1))),
        partitions(static_cast<int>(options.number("partitions", connections))),
        records(static_cast<int>(options.number("records", 1))),
        bytes(static_cast<int>(options.number("bytes", 100))),
        json(options.number("json", 0) != 0),
        in_flight(static_cast<std::size_t>(options.number("in_flight", 1))),
        idempotent(options.number("idempotent", 0) != 0),
        checks_offsets(options.number("check_offsets", 1) != 0 && partitions >= connections),
        requests(options.number("requests", INT64_MAX)),
        duration(options.duration("seconds", requests == INT64_MAX ? 5 : 600)),
        rate(options.number("rate", 0)) {
    const auto name = options.text("codec", "none");
    const auto type = records::compression_type(name);
    if (!type) give_up("no codec: " + name);
    codec = *type;
  }
  std::string topic;
  int connections;
  int partitions;
  int records;
  int bytes;
  bool json;
  std::size_t in_flight;
  bool idempotent;
  bool checks_offsets;  // where one connection alone writes to a partition, they have no gaps
  std::int64_t requests;
  Duration duration;
  std::int64_t rate;
  records::CompressionType codec{};
};

struct Sent {
  Time intended;
  std::int32_t partition;
};

struct Producer {
  explicit Producer(ProduceFrame made) : frame(std::move(made)) {}
  ProduceFrame frame;
  std::int32_t partition = 0;
  std::int32_t sent_count = 0;
  std::int32_t answered_count = 0;
  std::int32_t next_sequence = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::deque<Sent> in_flight;
  std::deque<Time> due;  // of an open loop: requests that were to be sent already
};

class Producers final : public Load {
 public:
  Producers(Shape shape, const Endpoint& broker) : shape_(std::move(shape)), wires_(*this, broker, shape_.connections) {
    for (int i = 0; i < shape_.connections; ++i) {
      const auto batch =
          make_batch(shape_.records, shape_.bytes, shape_.codec, shape_.json, static_cast<std::uint32_t>(i));
      uncompressed_bytes_ = batch.uncompressed_bytes;
      auto& producer = producers_.emplace_back(ProduceFrame(shape_.topic, batch));
      producer.partition = i % shape_.partitions;
      if (shape_.idempotent) make_idempotent(producer, broker);
    }
    next_offsets_.resize(static_cast<std::size_t>(shape_.partitions), kUnknownOffset);
  }

  void run() {
    report_.ready();
    const auto start = now();
    end_ = start + shape_.duration;
    shape_.rate == 0 ? closed_loop() : open_loop();
    while (outstanding_ > 0) wires_.turn(now() + std::chrono::seconds(1));
    report_.print(now() - start);
  }

  void answered(Wire& wire, Bytes bytes) override {
    Producer& producer = of(wire);
    const auto sent = producer.in_flight.front();
    producer.in_flight.pop_front();
    --outstanding_;
    report_.add_latency(now() - sent.intended);
    report_.add_bytes(uncompressed_bytes_);
    const ProduceAnswer answer(bytes, shape_.topic.size());
    check_error(answer.error(), "produce");
    if (correlation_id(bytes) != producer.answered_count++ || answer.partition() != sent.partition) {
      give_up("an answer to another request");
    }
    check_offset(sent.partition, answer.base_offset());
    pump(producer, wire);
  }

  void sent(Wire& wire) override { pump(of(wire), wire); }

 private:
  static constexpr std::int64_t kUnknownOffset = -1;

  Producer& of(const Wire& wire) { return producers_[static_cast<std::size_t>(wire.index())]; }

  static void make_idempotent(Producer& producer, const Endpoint& broker) {
    Caller caller(broker);
    protocol::InitProducerIdRequest request;
    request.transactional_id.reset();
    for (const auto until = now() + std::chrono::seconds(30);; pause_for(std::chrono::milliseconds(20))) {
      const auto answer = caller.call(request, 4);
      // The first question of all makes a broker ask its controller for a block of ids.
      const auto error = protocol::error_code_from(answer.error_code);
      if (error == protocol::ErrorCode::kCoordinatorLoadInProgress && now() < until) continue;
      check_error(answer.error_code, "InitProducerId");
      producer.producer_id = answer.producer_id;
      producer.producer_epoch = answer.producer_epoch;
      return;
    }
  }

  void check_offset(std::int32_t partition, std::int64_t base_offset) {
    if (!shape_.checks_offsets) return;
    auto& next = next_offsets_[static_cast<std::size_t>(partition)];
    if (next != kUnknownOffset && next != base_offset) give_up("a record is missing or is there twice");
    next = base_offset + shape_.records;
  }

  void closed_loop() {
    for (auto& producer : producers_) pump(producer, wires_.at(static_cast<int>(&producer - producers_.data())));
    while (now() < end_ && started_ < shape_.requests) wires_.turn(end_);
  }

  void open_loop() {
    run_open_loop(wires_, shape_.rate, shape_.duration, shape_.requests, [this](std::int64_t n, Time intended) {
      const auto index = n % shape_.connections;
      producers_[static_cast<std::size_t>(index)].due.push_back(intended);
      pump(producers_[static_cast<std::size_t>(index)], wires_.at(static_cast<int>(index)));
    });
    // What was to be sent is sent, however late.
    end_ = Time::max();
    for (const auto& producer : producers_) {
      while (!producer.due.empty()) wires_.turn(now() + std::chrono::seconds(1));
    }
  }

  void pump(Producer& producer, Wire& wire) {
    while (producer.in_flight.size() < shape_.in_flight && !wire.is_sending()) {
      const auto time = now();
      if (shape_.rate == 0) {
        if (time >= end_ || started_ >= shape_.requests) return;
        send(producer, wire, time);
      } else {
        if (producer.due.empty()) return;
        send(producer, wire, producer.due.front());
        producer.due.pop_front();
      }
    }
  }

  void send(Producer& producer, Wire& wire, Time intended) {
    ++started_;
    ++outstanding_;
    producer.frame.set_correlation(producer.sent_count++);
    producer.frame.set_partition(producer.partition);
    if (shape_.idempotent) {
      producer.frame.set_sequence(producer.producer_id, producer.producer_epoch, producer.next_sequence);
      producer.next_sequence += shape_.records;
    }
    producer.in_flight.push_back({intended, producer.partition});
    if (shape_.partitions > shape_.connections) {
      producer.partition += shape_.connections;
      if (producer.partition >= shape_.partitions) producer.partition = wire.index();
    }
    wire.send(producer.frame.bytes());
  }

  Shape shape_;
  Wires wires_;
  std::vector<Producer> producers_;
  std::vector<std::int64_t> next_offsets_;
  std::size_t uncompressed_bytes_ = 0;
  std::int64_t started_ = 0;
  std::int64_t outstanding_ = 0;
  Time end_;
  Report report_;
};

}  // namespace

void produce(const Options& options) {
  Shape shape(options);
  const auto broker = options.broker();
  options.check_all_used();
  if (shape.idempotent && shape.partitions > shape.connections) give_up("an idempotent producer has one partition");
  Producers(std::move(shape), broker).run();
}

}  // namespace dohle::load
