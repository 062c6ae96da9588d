// fetch: readers of what is there, in a closed loop, over and over.
//
//   topic= connections=1 partitions=1 bytes=1048576 (of an answer)
//   seconds=5, or megabytes=N in all; once=0
//
// Reader i reads partition i % partitions from its beginning, and at its end again from there, or no further with
// once=1.
#include "fetches.h"
#include "loads.h"
#include "report.h"

namespace dohle::load {
namespace {

class Readers final : public Load {
 public:
  Readers(const Options& options, const Endpoint& broker)
      : duration_(options.duration("seconds", 5)),
        bytes_left_(options.number("megabytes", 0) << 20),
        once_(options.number("once", 0) != 0),
        count_(static_cast<int>(options.number("connections", 1))),
        fetch_bytes_(static_cast<std::int32_t>(options.number("bytes", 1 << 20))),
        wires_(*this, broker, count_, static_cast<std::size_t>(fetch_bytes_) + kHeaderRoom) {
    if (bytes_left_ == 0) bytes_left_ = INT64_MAX;
    const auto topic = options.required("topic");
    const auto partitions = static_cast<int>(options.number("partitions", 1));
    options.check_all_used();
    for (int i = 0; i < count_; ++i)
      readers_.push_back({PartitionReader(topic, i % partitions, fetch_bytes_, 0), Time()});
  }

  void run() {
    report_.ready();
    const auto start = now();
    end_ = start + duration_;
    for (int i = 0; i < count_; ++i) ask(wires_.at(i));
    while (outstanding_ > 0) wires_.turn(now() + std::chrono::seconds(1));
    report_.print(now() - start);
  }

  void answered(Wire& wire, Bytes bytes) override {
    auto& [reader, asked] = readers_[static_cast<std::size_t>(wire.index())];
    --outstanding_;
    report_.add_latency(now() - asked);
    const auto read = reader.take(bytes);
    report_.add_bytes(read.bytes);
    bytes_left_ -= static_cast<std::int64_t>(read.bytes);
    if (read.at_end && once_) return;
    if (read.at_end) reader.seek(0);
    ask(wire);
  }

  void sent(Wire& /*wire*/) override {}

 private:
  static constexpr std::size_t kHeaderRoom = 4096;

  void ask(Wire& wire) {
    auto& [reader, asked] = readers_[static_cast<std::size_t>(wire.index())];
    asked = now();
    if (asked >= end_ || bytes_left_ <= 0) return;
    ++outstanding_;
    wire.send(reader.next_request());
  }

  Duration duration_;
  std::int64_t bytes_left_;
  bool once_;
  int count_;
  std::int32_t fetch_bytes_;
  Wires wires_;
  std::vector<std::pair<PartitionReader, Time>> readers_;
  int outstanding_ = 0;
  Time end_;
  Report report_;
};

}  // namespace

void fetch(const Options& options) { Readers(options, options.broker()).run(); }

}  // namespace dohle::load
