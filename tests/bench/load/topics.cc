// create: a topic, and a record in each of its partitions.
//
//   topic= partitions=1 produce=1 wait_s=0 (for somebody to listen) within_s=120 exists=0 (it may be there)
//   NAME.OF.SETTING=value...
//
// Prints how long it took until the topic was created, and until a Produce to every partition was accepted.
//
// delete: a topic.
//
//   topic=
//
// Prints how long it took until Metadata did not show it any more.
#include <algorithm>

#include <protocol/error_code.h>
#include <protocol/messages/create_partitions_request.h>
#include <protocol/messages/create_partitions_response.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <protocol/messages/delete_topics_request.h>
#include <protocol/messages/delete_topics_response.h>
#include <protocol/messages/metadata_request.h>
#include <protocol/messages/metadata_response.h>

#include "batches.h"
#include "loads.h"
#include "report.h"

namespace dohle::load {
namespace {

constexpr auto kPatience = std::chrono::seconds(120);
// A controller takes at most 10,000 records for one request, of which the topic is one.
constexpr int kPartitionsAtOnce = 5000;

int connect_within(const Endpoint& broker, std::chrono::seconds patience) {
  const auto until = now() + patience;
  while (true) {
    const int fd = connect_to(broker, now() < until);
    if (fd >= 0) return fd;
    pause_for(std::chrono::milliseconds(1));
  }
}

bool may_pass(std::int16_t code) {
  const auto error = protocol::error_code_from(code);
  return error == protocol::ErrorCode::kUnknownTopicOrPartition || error == protocol::ErrorCode::kNotLeaderOrFollower ||
         error == protocol::ErrorCode::kLeaderNotAvailable || error == protocol::ErrorCode::kNotController ||
         error == protocol::ErrorCode::kInvalidReplicationFactor;
}

void create_topic(Caller& caller, const std::string& name, int partitions, bool exists, const Options& options) {
  protocol::CreateTopicsRequest request;
  request.timeout_ms = 60'000;
  auto& topic = request.topics.emplace_back();
  topic.name = Text(name);
  topic.num_partitions = std::min(partitions, kPartitionsAtOnce);
  topic.replication_factor = 1;
  for (const auto& [key, value] : options.topic_configs()) {
    auto& config = topic.configs.emplace_back();
    config.name = Text(key);
    config.value = Text(value);
  }
  for (const auto until = now() + kPatience;;) {
    // A broker that has just begun to listen may not be registered yet.
    const auto code = caller.call(request, 5).topics.at(0).error_code;
    if (code == 0) break;
    if (exists && protocol::error_code_from(code) == protocol::ErrorCode::kTopicAlreadyExists) return;
    if (!may_pass(code) || now() > until) check_error(code, "create");
    pause_for(std::chrono::milliseconds(1));
  }
  for (int count = kPartitionsAtOnce; count < partitions;) {
    count = std::min(partitions, count + kPartitionsAtOnce);
    protocol::CreatePartitionsRequest more;
    more.timeout_ms = 60'000;
    auto& row = more.topics.emplace_back();
    row.name = Text(name);
    row.count = count;
    row.assignments.reset();
    check_error(caller.call(more, 2).results.at(0).error_code, "create partitions");
  }
}

// Sends a record to every partition, again to those that were not accepted.
class FirstRecords final : public Load {
 public:
  FirstRecords(std::string topic, int partitions, const Endpoint& broker)
      : topic_(std::move(topic)),
        frame_(topic_, make_batch(1, 100, records::CompressionType::kNone, false, 0)),
        wires_(*this, broker, 1, 1 << 16) {
    for (int i = 0; i < partitions; ++i) due_.push_back(i);
  }
  void run(Duration patience) {
    const auto until = now() + patience;
    while (!due_.empty() || outstanding_ > 0) {
      if (now() > until) give_up("not every partition accepted a record in time");
      pump(wires_.at(0));
      wires_.turn(now() + std::chrono::milliseconds(1));
    }
  }
  void answered(Wire& wire, Bytes bytes) override {
    const ProduceAnswer answer(bytes, topic_.size());
    --outstanding_;
    if (answer.error() != 0) {
      if (!may_pass(answer.error())) check_error(answer.error(), "produce");
      due_.push_back(answer.partition());
    }
    pump(wire);
  }
  void sent(Wire& wire) override { pump(wire); }

 private:
  static constexpr int kInFlight = 5;
  void pump(Wire& wire) {
    while (!due_.empty() && outstanding_ < kInFlight && !wire.is_sending()) {
      frame_.set_partition(due_.front());
      due_.pop_front();
      ++outstanding_;
      wire.send(frame_.bytes());
    }
  }
  std::string topic_;
  ProduceFrame frame_;
  Wires wires_;
  std::deque<std::int32_t> due_;
  int outstanding_ = 0;
};

double milliseconds_since(Time start) { return std::chrono::duration<double, std::milli>(now() - start).count(); }

}  // namespace

void create(const Options& options) {
  const auto broker = options.broker();
  const auto topic = options.required("topic");
  const auto partitions = static_cast<int>(options.number("partitions", 1));
  const bool produces = options.number("produce", 1) != 0;
  const auto patience = std::chrono::seconds(options.number("wait_s", 0));
  const auto within = options.duration("within_s", 120);
  const bool exists = options.number("exists", 0) != 0;
  const auto start = now();
  Report report;
  {
    Caller caller(connect_within(broker, patience));
    create_topic(caller, topic, partitions, exists, options);
  }
  options.check_all_used();
  report.note("created_ms", milliseconds_since(start));
  if (produces) FirstRecords(topic, partitions, broker).run(within);
  report.note("accepted_ms", milliseconds_since(start));
  report.print(now() - start);
}

void remove(const Options& options) {
  const auto topic = options.required("topic");
  Caller caller(options.broker());
  options.check_all_used();
  const auto start = now();
  protocol::DeleteTopicsRequest request;
  request.timeout_ms = 60'000;
  request.topic_names.emplace_back(topic);
  check_error(caller.call(request, 5).responses.at(0).error_code, "delete");
  protocol::MetadataRequest question;
  question.allow_auto_topic_creation = false;
  question.topics.emplace().emplace_back().name = Text(topic);
  while (true) {
    const auto code = caller.call(question, 9).topics.at(0).error_code;
    if (protocol::error_code_from(code) == protocol::ErrorCode::kUnknownTopicOrPartition) break;
    if (now() > start + kPatience) give_up("the topic does not go away");
  }
  Report report;
  report.note("gone_ms", milliseconds_since(start));
  report.print(now() - start);
}

}  // namespace dohle::load
