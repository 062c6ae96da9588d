// tail: readers at the end of a partition, and a producer of small batches at a rate.
//
//   topic= readers=16 rate=1000 (batches a second) records=1 bytes=100 seconds=5
//
// A request here is a batch that came to a reader; its latency counts from when it was to be produced.
#include <algorithm>

#include <protocol/messages/list_offsets_request.h>
#include <protocol/messages/list_offsets_response.h>

#include "batches.h"
#include "fetches.h"
#include "loads.h"
#include "open_loop.h"
#include "report.h"

namespace dohle::load {
namespace {

constexpr std::int32_t kFetchBytes = 1 << 20;
constexpr std::int64_t kLatest = -1;

std::int64_t end_of(const std::string& topic, const Endpoint& broker) {
  protocol::ListOffsetsRequest request;
  request.replica_id = -1;
  auto& row = request.topics.emplace_back();
  row.name = Text(topic);
  row.partitions.emplace_back().timestamp = kLatest;
  Caller caller(broker);
  const auto answer = caller.call(request, 5);
  const auto& partition = answer.topics.at(0).partitions.at(0);
  check_error(partition.error_code, "ListOffsets");
  return partition.offset;
}

class Tail final : public Load {
 public:
  Tail(const Options& options, const Endpoint& broker)
      : topic_(options.required("topic")),
        readers_count_(static_cast<int>(options.number("readers", 16))),
        rate_(options.number("rate", 1000)),
        records_(static_cast<int>(options.number("records", 1))),
        duration_(options.duration("seconds", 5)),
        frame_(topic_, make_batch(records_, static_cast<int>(options.number("bytes", 100)),
                                  records::CompressionType::kNone, false, 0)),
        start_offset_(end_of(topic_, broker)),
        wires_(*this, broker, readers_count_ + 1, 1 << 16) {
    options.check_all_used();
    for (int i = 0; i < readers_count_; ++i) readers_.emplace_back(topic_, 0, kFetchBytes, start_offset_);
  }

  void run() {
    for (int i = 0; i < readers_count_; ++i) ask(i);
    report_.ready();
    const auto start = now();
    run_open_loop(wires_, rate_, duration_, INT64_MAX, [this](std::int64_t, Time intended) {
      intended_.push_back(intended);
      pump();
    });
    while (!all_read()) wires_.turn(now() + std::chrono::seconds(1));
    report_.print(now() - start);
  }

  void answered(Wire& wire, Bytes bytes) override {
    if (wire.index() == producer_index()) {
      const ProduceAnswer answer(bytes, topic_.size());
      check_error(answer.error(), "produce");
      producing_ = false;
      return pump();
    }
    auto& reader = readers_[static_cast<std::size_t>(wire.index())];
    auto batch = (reader.offset() - start_offset_) / records_;
    report_.add_bytes(reader.take(bytes).bytes);
    const auto time = now();
    for (; batch < (reader.offset() - start_offset_) / records_; ++batch) {
      report_.add_latency(time - intended_.at(static_cast<std::size_t>(batch)));
    }
    ask(wire.index());
  }

  void sent(Wire& /*wire*/) override {}

 private:
  [[nodiscard]] int producer_index() const { return readers_count_; }
  void ask(int reader) { wires_.at(reader).send(readers_[static_cast<std::size_t>(reader)].next_request()); }
  void pump() {
    if (producing_ || sent_count_ == intended_.size()) return;
    producing_ = true;
    ++sent_count_;
    wires_.at(producer_index()).send(frame_.bytes());
  }
  [[nodiscard]] bool all_read() const {
    const auto end = start_offset_ + static_cast<std::int64_t>(intended_.size()) * records_;
    return std::ranges::all_of(readers_, [end](const auto& reader) { return reader.offset() == end; });
  }

  std::string topic_;
  int readers_count_;
  std::int64_t rate_;
  int records_;
  Duration duration_;
  ProduceFrame frame_;
  std::int64_t start_offset_;
  Wires wires_;
  std::vector<PartitionReader> readers_;
  std::vector<Time> intended_;  // by batch
  std::size_t sent_count_ = 0;
  bool producing_ = false;
  Report report_;
};

}  // namespace

void tail(const Options& options) { Tail(options, options.broker()).run(); }

}  // namespace dohle::load
