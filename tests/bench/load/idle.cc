// idle: consumers with a fetch session each, to whom nothing comes; or connections that say nothing at all.
//
//   connections=100 topic= partitions=1000 (of the topic) each=10 (partitions of a consumer; 0: it only connects)
//   offset=1 (where the partitions end) wait_ms=500 (fetch.max.wait.ms) seconds=5
//
// A request here is a fetch that was answered with nothing after the sessions stood.
#include "fetches.h"
#include "loads.h"
#include "report.h"

namespace dohle::load {
namespace {

constexpr std::int32_t kLastSessionEpoch = INT32_MAX;

class IdleConsumers final : public Load {
 public:
  IdleConsumers(const Options& options, const Endpoint& broker)
      : each_(static_cast<int>(options.number("each", 10))),
        partitions_(static_cast<int>(options.number("partitions", 1000))),
        offset_(options.number("offset", 1)),
        wait_ms_(static_cast<std::int32_t>(options.number("wait_ms", 500))),
        duration_(options.duration("seconds", 5)),
        topic_(options.text("topic")),
        wires_(*this, broker, static_cast<int>(options.number("connections", 100)), 512) {
    options.check_all_used();
    consumers_.resize(static_cast<std::size_t>(wires_.size()));
  }

  void run() {
    for (int i = 0; i < wires_.size() && each_ > 0; ++i) begin_session(i);
    while (each_ > 0 && standing_ < wires_.size()) wires_.turn(now() + std::chrono::seconds(1));
    report_.ready();
    const auto start = now();
    while (now() < start + duration_) wires_.turn(start + duration_);
    report_.print(now() - start);
  }

  void answered(Wire& wire, Bytes bytes) override {
    auto& consumer = consumers_[static_cast<std::size_t>(wire.index())];
    const auto response = parse_answer<protocol::FetchResponse>(bytes, kFetchVersion);
    check_error(response.error_code, "fetch");
    if (consumer.epoch == 0) {
      if (response.session_id == 0) give_up("no fetch session was granted");
      consumer.session = response.session_id;
      ++standing_;
    } else {
      if (!response.responses.empty()) give_up("an idle consumer was told something");
      report_.add_latency(now() - consumer.asked);
    }
    if (++consumer.epoch == kLastSessionEpoch) consumer.epoch = 1;
    protocol::FetchRequest request = empty_request();
    request.session_id = consumer.session;
    request.session_epoch = consumer.epoch;
    send(wire, request);
  }

  void sent(Wire& /*wire*/) override {}

 private:
  struct Consumer {
    std::int32_t session = 0;
    std::int32_t epoch = 0;
    Time asked;
    Frame frame;
  };

  [[nodiscard]] protocol::FetchRequest empty_request() const {
    protocol::FetchRequest request;
    request.max_wait_ms = wait_ms_;
    request.min_bytes = 1;
    request.max_bytes = 50 << 20;
    return request;
  }

  void begin_session(int index) {
    auto request = empty_request();
    request.max_wait_ms = 0;
    request.session_epoch = 0;
    auto& topic = request.topics.emplace_back();
    topic.topic = Text(topic_);
    for (int i = 0; i < each_; ++i) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition = (index * each_ + i) % partitions_;
      partition.fetch_offset = offset_;
      partition.partition_max_bytes = 1 << 20;
    }
    send(wires_.at(index), request);
  }

  void send(Wire& wire, const protocol::FetchRequest& request) {
    auto& consumer = consumers_[static_cast<std::size_t>(wire.index())];
    consumer.asked = now();
    consumer.frame = make_frame(request, kFetchVersion);
    wire.send(consumer.frame);
  }

  int each_;
  int partitions_;
  std::int64_t offset_;
  std::int32_t wait_ms_;
  Duration duration_;
  std::string topic_;
  Wires wires_;
  std::vector<Consumer> consumers_;
  int standing_ = 0;
  Report report_;
};

}  // namespace

void idle(const Options& options) { IdleConsumers(options, options.broker()).run(); }

}  // namespace dohle::load
