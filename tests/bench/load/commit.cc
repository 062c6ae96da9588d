// commit: offsets of groups without members, at a rate.
//
//   group= (the prefix of their names) groups=50 (a connection each) topic= partitions=1 rate=5000 seconds=5
//
// Every commit is of one partition. Latency counts from when the request was to be sent.
#include <deque>

#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>

#include "groups.h"
#include "loads.h"
#include "open_loop.h"
#include "report.h"

namespace dohle::load {
namespace {

constexpr std::int16_t kCommitVersion = 7;

class Commits final : public Load {
 public:
  Commits(const Options& options, const Endpoint& broker)
      : prefix_(options.required("group")),
        topic_(options.required("topic")),
        partitions_(static_cast<int>(options.number("partitions", 1))),
        rate_(options.number("rate", 5000)),
        duration_(options.duration("seconds", 5)),
        wires_(*this, broker, static_cast<int>(options.number("groups", 50))),
        groups_(static_cast<std::size_t>(wires_.size())) {
    options.check_all_used();
    for (int i = 0; i < wires_.size(); ++i) wait_for_coordinator(name(i), broker);
  }

  void run() {
    report_.ready();
    const auto start = now();
    run_open_loop(wires_, rate_, duration_, INT64_MAX, [this](std::int64_t n, Time intended) {
      const int index = static_cast<int>(n % wires_.size());
      groups_[static_cast<std::size_t>(index)].due.push_back(intended);
      pump(index);
    });
    while (outstanding() > 0) wires_.turn(now() + std::chrono::seconds(1));
    report_.print(now() - start);
  }

  void answered(Wire& wire, Bytes bytes) override {
    auto& group = groups_[static_cast<std::size_t>(wire.index())];
    const auto answer = parse_answer<protocol::OffsetCommitResponse>(bytes, kCommitVersion);
    check_error(answer.topics.at(0).partitions.at(0).error_code, "OffsetCommit");
    report_.add_latency(now() - group.due.front());
    group.due.pop_front();
    group.is_committing = false;
    pump(wire.index());
  }

  void sent(Wire& /*wire*/) override {}

 private:
  struct Committer {
    std::deque<Time> due;  // the first may be on its way
    bool is_committing = false;
    std::int64_t offset = 0;
    Frame frame;
  };

  [[nodiscard]] std::string name(int index) const { return prefix_ + std::to_string(index); }

  [[nodiscard]] std::size_t outstanding() const {
    std::size_t count = 0;
    for (const auto& group : groups_) count += group.due.size();
    return count;
  }

  void pump(int index) {
    auto& group = groups_[static_cast<std::size_t>(index)];
    if (group.is_committing || group.due.empty()) return;
    group.is_committing = true;
    protocol::OffsetCommitRequest request;
    request.group_id = Text(name(index));
    auto& topic = request.topics.emplace_back();
    topic.name = Text(topic_);
    auto& partition = topic.partitions.emplace_back();
    partition.committed_offset = ++group.offset;
    partition.partition_index = static_cast<std::int32_t>(group.offset % partitions_);
    group.frame = make_frame(request, kCommitVersion);
    wires_.at(index).send(group.frame);
  }

  std::string prefix_;
  std::string topic_;
  int partitions_;
  std::int64_t rate_;
  Duration duration_;
  Wires wires_;
  std::vector<Committer> groups_;
  Report report_;
};

}  // namespace

void commit(const Options& options) { Commits(options, options.broker()).run(); }

}  // namespace dohle::load
