// The core against its safety properties: several replicas in one thread, a bus that loses, delays, repeats and
// reorders messages, crashes that lose what was not flushed.
#include "core/core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include <runtime/memory/seeded_random.h>

namespace dohle::raft {
namespace {

struct Entry {
  LeaderEpoch epoch;
  std::uint64_t value = 0;
  friend bool operator==(const Entry&, const Entry&) = default;
};

class ModelLog final : public LogView {
 public:
  std::vector<Entry> entries;
  std::size_t flushed_count = 0;

  [[nodiscard]] OffsetAndEpoch end() const override {
    return {Offset(static_cast<std::int64_t>(entries.size())), entries.empty() ? LeaderEpoch(0) : entries.back().epoch};
  }
  [[nodiscard]] Offset start() const override { return Offset(0); }
  [[nodiscard]] Offset flushed() const override { return Offset(static_cast<std::int64_t>(flushed_count)); }
  [[nodiscard]] OffsetAndEpoch end_offset_for_epoch(LeaderEpoch epoch) const override {
    if (entries.empty() || epoch > entries.back().epoch) return end();
    if (epoch < entries.front().epoch) return {Offset(0), epoch};
    const auto after = std::ranges::upper_bound(entries, epoch, {}, &Entry::epoch);
    return {Offset(after - entries.begin()), std::prev(after)->epoch};
  }
  [[nodiscard]] std::optional<SnapshotId> earliest_snapshot() const override { return std::nullopt; }
  [[nodiscard]] std::optional<SnapshotId> latest_snapshot() const override { return std::nullopt; }
  [[nodiscard]] bool has_snapshot(SnapshotId) const override { return false; }

  void truncate(Offset to) {
    entries.resize(static_cast<std::size_t>(to.value()));
    flushed_count = std::min(flushed_count, entries.size());
  }
};

using Reply = std::variant<VoteReply, BeginEpochReply, EndEpochReply, FetchReply>;

struct Message {
  NodeId from = -1;
  NodeId to = -1;
  std::uint64_t correlation = 0;
  TimeMs at = 0;
  std::variant<Call, Reply> body;
  std::vector<Entry> entries;  // of a fetch reply
  bool unsupported = false;    // of a voter that knows no pre-vote
};

struct Node {
  NodeId id = 0;
  Uuid directory;
  ModelLog log;
  std::optional<ElectionState> saved;
  std::unique_ptr<Core> core;
  LeaderEpoch led{-1};
  Offset checked{0};  // high watermark up to which entries were compared
};

class Cluster {
 public:
  Cluster(std::size_t voters, std::uint64_t seed, std::size_t observers = 0, bool in_haste = false)
      : hasty(in_haste), random_(seed) {
    std::vector<Voter> set;
    for (std::size_t i = 0; i < voters + observers; ++i) {
      auto node = std::make_unique<Node>();
      node->id = static_cast<NodeId>(i + 1);
      node->directory = Uuid{7, i + 1};
      if (i < voters)
        set.push_back({.key = {node->id, node->directory}, .endpoints = {endpoint(node->id)}, .max_kraft_version = 1});
      nodes_.push_back(std::move(node));
    }
    voters_ = VoterSet(std::move(set));
    for (auto& node : nodes_) start(*node);
  }

  static VoterEndpoint endpoint(NodeId id) { return {"CONTROLLER", "host", static_cast<std::uint16_t>(9000 + id)}; }

  void start(Node& node) {
    CoreConfig config{.node_id = node.id, .directory = node.directory, .endpoints = {endpoint(node.id)}};
    if (hasty) {
      config.election_timeout_ms = 40;
      config.fetch_timeout_ms = 120;
      config.request_timeout_ms = 80;
      config.retry_backoff_ms = 5;
      config.election_backoff_max_ms = 40;
    }
    for (const auto& [id, voter] : voters_.voters()) config.bootstrap.push_back(id);
    VoterHistory history{VoterSet()};
    history.set_voters(Offset(-1), voters_);
    history.set_kraft_version(Offset(-1), 1);
    node.core = std::make_unique<Core>(config, node.log, random_, history);
    node.core->initialize(node.saved, now_);
    settle(node);
  }

  void crash(Node& node) {
    node.core.reset();
    node.log.entries.resize(node.log.flushed_count);  // what was not flushed is lost
    node.checked = Offset(0);
  }

  // After every call into a core: save, do what its role asks for, check, send.
  void settle(Node& node) {
    for (int round = 0; round < 2; ++round) {
      static_cast<void>(node.core->poll(now_));
      if (auto state = node.core->take_unsaved()) node.saved = std::move(state);
      if (!node.core->is_leader() || node.led == node.core->epoch()) break;
      became_leader(node);
    }
    for (Outgoing& out : node.core->take_outgoing())
      post({.from = node.id, .to = out.to, .correlation = out.correlation, .body = std::move(out.call)});
    check_committed(node);
  }

  void became_leader(Node& node) {
    node.led = node.core->epoch();
    const auto [at, fresh] = leaders_.try_emplace(node.led, node.id);
    EXPECT_TRUE(fresh) << "two leaders in epoch " << node.led.value() << ": " << at->second << " and " << node.id;
    EXPECT_GE(node.log.entries.size(), committed_.size()) << "leader without committed entries";
    for (std::size_t i = 0; i < std::min(committed_.size(), node.log.entries.size()); ++i) {
      ASSERT_EQ(node.log.entries[i], committed_[i]) << "new leader lost entry " << i;
    }
    append(node);
  }

  void append(Node& node) { node.log.entries.push_back({node.core->epoch(), next_value_++}); }

  void check_committed(Node& node) {
    const auto mark = node.core->high_watermark();
    if (!mark) return;
    ASSERT_LE(*mark, node.log.end().offset);
    for (Offset at = node.checked; at < *mark; at = at.next()) {
      const auto index = static_cast<std::size_t>(at.value());
      if (index == committed_.size()) {
        committed_.push_back(node.log.entries[index]);
        check_majority_holds(index);
      }
      ASSERT_LT(index, committed_.size());
      ASSERT_EQ(node.log.entries[index], committed_[index]) << "node " << node.id << " disagrees at " << index;
    }
    node.checked = std::max(node.checked, *mark);
  }

  void check_majority_holds(std::size_t index) {
    std::size_t holders = 0;
    for (const auto& node : nodes_) {
      if (!voters_.voters().contains(node->id)) continue;
      if (node->log.flushed_count > index && node->log.entries[index] == committed_[index]) ++holders;
    }
    EXPECT_GE(holders, voters_.majority()) << "entry " << index << " committed without a majority on disk";
  }

  void post(Message message) {
    if (random_.below(100) < loss_percent) return;
    message.at = now_ + 1 + static_cast<TimeMs>(random_.below(max_delay_ms));
    if (random_.below(100) < loss_percent / 2) {
      Message again = message;
      again.at += 1 + static_cast<TimeMs>(random_.below(max_delay_ms * 4));
      bus_.push_back(std::move(again));
    }
    bus_.push_back(std::move(message));
  }

  void deliver(Message message) {
    Node& node = *nodes_[static_cast<std::size_t>(message.to - 1)];
    if (!node.core || cut(message.from, message.to)) return;
    if (const auto* call = std::get_if<Call>(&message.body)) {
      answer(node, message, *call);
    } else {
      take_reply(node, message);
    }
    settle(node);
  }

  void answer(Node& node, const Message& message, const Call& call) {
    Message out{.from = node.id, .to = message.from, .correlation = message.correlation};
    Reply reply;
    if (const auto* vote = std::get_if<VoteCall>(&call)) {
      out.unsupported = vote->pre_vote && random_.below(100) < unsupported_percent;
      if (!out.unsupported) reply = node.core->handle(*vote, now_);
    }
    if (const auto* begin = std::get_if<BeginEpochCall>(&call)) reply = node.core->handle(*begin, now_);
    if (const auto* end = std::get_if<EndEpochCall>(&call)) reply = node.core->handle(*end, now_);
    if (const auto* fetch = std::get_if<FetchCall>(&call)) {
      const FetchReply fetched = node.core->handle(*fetch, now_);
      if (fetched.head.error == ErrorCode::kNone && !fetched.diverging && !fetched.snapshot) {
        for (auto i = static_cast<std::size_t>(fetch->offset.value());
             i < node.log.entries.size() && out.entries.size() < 5; ++i) {
          out.entries.push_back(node.log.entries[i]);
        }
      }
      reply = fetched;
    }
    if (auto state = node.core->take_unsaved()) node.saved = std::move(state);
    out.body = std::move(reply);
    post(std::move(out));
  }

  void take_reply(Node& node, const Message& message) {
    if (message.unsupported) return node.core->on_pre_vote_unsupported(message.from, message.correlation, now_);
    const auto& reply = std::get<Reply>(message.body);
    if (const auto* fetched = std::get_if<FetchReply>(&reply)) {
      const FollowerStep step = node.core->on_reply(message.from, message.correlation, *fetched, now_);
      if (step.kind == FollowerStep::Kind::kTruncate) node.log.truncate(truncation_point(node.log, step.point));
      if (step.kind == FollowerStep::Kind::kAppend) {
        for (const Entry& entry : message.entries) node.log.entries.push_back(entry);
        node.log.flushed_count = node.log.entries.size();
        node.core->on_follower_appended(fetched->high_watermark);
      }
      node.core->on_applied();
      return;
    }
    if (const auto* vote = std::get_if<VoteReply>(&reply))
      node.core->on_reply(message.from, message.correlation, *vote, now_);
    if (const auto* begin = std::get_if<BeginEpochReply>(&reply))
      node.core->on_reply(message.from, message.correlation, *begin, now_);
    if (const auto* end = std::get_if<EndEpochReply>(&reply))
      node.core->on_reply(message.from, message.correlation, *end, now_);
  }

  [[nodiscard]] bool cut(NodeId a, NodeId b) const { return isolated_.contains(a) != isolated_.contains(b); }

  // One millisecond of the world.
  void step() {
    ++now_;
    std::vector<Message> due;
    for (std::size_t i = 0; i < bus_.size();) {
      if (bus_[i].at <= now_) {
        due.push_back(std::move(bus_[i]));
        bus_[i] = std::move(bus_.back());
        bus_.pop_back();
      } else {
        ++i;
      }
    }
    for (Message& message : due) deliver(std::move(message));
    for (auto& node : nodes_) {
      if (!node->core) continue;
      if (node->core->is_leader()) {
        if (random_.below(20) == 0) append(*node);
        if (random_.below(5) == 0) {
          node->log.flushed_count = node->log.entries.size();
          node->core->on_flushed(now_);
        }
      }
      settle(*node);
    }
  }

  void run(TimeMs ms) {
    for (TimeMs i = 0; i < ms; ++i) {
      step();
      if (::testing::Test::HasFailure()) return;
    }
  }

  // Crashes, restarts and partitions at random.
  void disturb() {
    Node& node = *nodes_[random_.below(nodes_.size())];
    switch (random_.below(4)) {
      case 0:
        if (node.core) crash(node);
        break;
      case 1:
        isolated_.clear();
        for (const auto& one : nodes_) {
          if (random_.below(2) == 0) isolated_.insert(one->id);
        }
        break;
      case 2:
        isolated_.clear();
        break;
      default:
        break;
    }
    for (auto& one : nodes_) {
      if (!one->core && random_.below(2) == 0) start(*one);
    }
  }

  void heal() {
    isolated_.clear();
    loss_percent = 0;
    for (auto& node : nodes_) {
      if (!node->core) start(*node);
    }
  }

  [[nodiscard]] Node* leader() {
    for (auto& node : nodes_) {
      if (node->core && node->core->is_leader()) return node.get();
    }
    return nullptr;
  }
  [[nodiscard]] std::size_t committed() const { return committed_.size(); }
  [[nodiscard]] std::vector<std::unique_ptr<Node>>& nodes() { return nodes_; }
  [[nodiscard]] TimeMs now() const { return now_; }
  [[nodiscard]] const std::map<LeaderEpoch, NodeId>& leaders() const { return leaders_; }

  bool hasty;  // time-outs as short as messages take: elections collide
  std::uint64_t unsupported_percent = 0;
  std::uint64_t loss_percent = 0;
  std::uint64_t max_delay_ms = 5;

 private:
  runtime::SeededRandom random_;
  TimeMs now_ = 1000;
  VoterSet voters_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::deque<Message> bus_;
  std::set<NodeId> isolated_;
  std::map<LeaderEpoch, NodeId> leaders_;
  std::vector<Entry> committed_;
  std::uint64_t next_value_ = 1;
};

TEST(Core, OneVoterElectsItselfAtOnce) {
  Cluster cluster(1, 1);
  Node& only = *cluster.nodes()[0];
  EXPECT_TRUE(only.core->is_leader());
  EXPECT_EQ(only.core->epoch(), LeaderEpoch(1));
  EXPECT_EQ(only.saved->leader, 1);
  EXPECT_FALSE(only.core->high_watermark());  // nothing of this epoch is on disk yet
  only.log.flushed_count = 1;
  only.core->on_flushed(cluster.now());
  EXPECT_EQ(only.core->high_watermark(), Offset(1));
}

TEST(Core, OneVoterLeadsANewEpochAfterEveryStart) {
  Cluster cluster(1, 1);
  Node& only = *cluster.nodes()[0];
  for (int epoch = 1; epoch < 5; ++epoch) {
    EXPECT_EQ(only.core->epoch(), LeaderEpoch(epoch));
    cluster.run(100);
    cluster.crash(only);
    cluster.start(only);
  }
}

TEST(Core, OneVoterResignsAndComesBackInALaterEpoch) {
  Cluster cluster(1, 1);
  Node& only = *cluster.nodes()[0];
  only.core->resign(LeaderEpoch(1));
  cluster.settle(only);
  EXPECT_FALSE(only.core->is_leader());
  EXPECT_EQ(only.core->leader_and_epoch().leader, std::nullopt);
  cluster.run(5000);
  EXPECT_TRUE(only.core->is_leader());
  EXPECT_GT(only.core->epoch(), LeaderEpoch(1));
}

TEST(Core, ThreeVotersAgreeAndSurviveTheLeader) {
  Cluster cluster(3, 7);
  cluster.run(5000);
  Node* first = cluster.leader();
  ASSERT_NE(first, nullptr);
  EXPECT_GT(cluster.committed(), 10U);
  const std::size_t before = cluster.committed();
  cluster.crash(*first);
  cluster.run(10'000);
  Node* second = cluster.leader();
  ASSERT_NE(second, nullptr);
  EXPECT_NE(second, first);
  EXPECT_GT(cluster.committed(), before + 10);
}

TEST(Core, LeaderCutOffFromTheMajorityResigns) {
  Cluster cluster(3, 11);
  cluster.run(5000);
  Node* leader = cluster.leader();
  ASSERT_NE(leader, nullptr);
  for (auto& node : cluster.nodes()) {
    if (node.get() != leader) cluster.crash(*node);
  }
  cluster.run(4000);
  EXPECT_FALSE(leader->core->is_leader());
}

TEST(Core, ObserverFollowsAndIsReported) {
  Cluster cluster(1, 3, 1);
  cluster.run(5000);
  Node& leader = *cluster.nodes()[0];
  Node& observer = *cluster.nodes()[1];
  EXPECT_EQ(observer.core->role_name(), "follower");
  EXPECT_EQ(observer.core->leader(), 1);
  EXPECT_GT(observer.core->high_watermark().value_or(kNoOffset), Offset(10));
  const auto observers = leader.core->observers(cluster.now());
  ASSERT_EQ(observers.size(), 1U);
  EXPECT_EQ(observers[0].key, (ReplicaKey{2, observer.directory}));
  EXPECT_GT(observers[0].last_caught_up, cluster.now() - 500);
  EXPECT_GT(observers[0].last_fetch, cluster.now() - 500);
  cluster.crash(observer);
  cluster.run(100);
  EXPECT_EQ(leader.core->observers(cluster.now() + 300'001).size(), 0U);
}

// Raft, figure 8: what a new leader finds in its log is not committed by being on a majority, only by a later record of
// its own epoch.
TEST(LeaderProgress, OldEpochsAreNotCommittedByCounting) {
  const VoterSet voters({{.key = {1, Uuid{7, 1}}}, {.key = {2, Uuid{7, 2}}}, {.key = {3, Uuid{7, 3}}}});
  LeaderProgress progress({1, Uuid{7, 1}}, voters, Offset(10), 0, 3000);
  EXPECT_FALSE(progress.update_local(Offset(10), voters));
  EXPECT_FALSE(progress.update_replica({2, Uuid{7, 2}}, Offset(10), Offset(11), 1));
  EXPECT_EQ(progress.high_watermark(), std::nullopt);
  EXPECT_FALSE(progress.update_replica({2, Uuid{7, 2}}, Offset(11), Offset(11), 2));  // not on the leader's own disk
  EXPECT_TRUE(progress.update_local(Offset(11), voters));
  EXPECT_EQ(progress.high_watermark(), Offset(11));
  EXPECT_FALSE(progress.update_replica({3, Uuid{9, 9}}, Offset(12), Offset(12), 3));  // another directory: no voter
  EXPECT_EQ(progress.observers(3).size(), 1U);
}

TEST(LeaderProgress, InventedReplicasAreBounded) {
  const VoterSet voters({{.key = {1, Uuid{7, 1}}}});
  LeaderProgress progress({1, Uuid{7, 1}}, voters, Offset(10), 0, 3000);
  for (std::int32_t id = 2; id < 30'000; ++id) progress.update_replica({id, Uuid{1, 1}}, Offset(1), Offset(11), 1);
  EXPECT_EQ(progress.observers(1).size(), 10'000U);
  progress.update_replica({50'000, Uuid{1, 1}}, Offset(1), Offset(11), 400'000);  // the others have gone silent
  EXPECT_EQ(progress.observers(400'000).size(), 1U);
}

TEST(Core, AnOldLeaderNeitherLeadsNorVotesInItsEpochAgain) {
  Cluster cluster(2, 5);
  Node& node = *cluster.nodes()[0];
  cluster.crash(*cluster.nodes()[1]);
  node.saved = ElectionState{.epoch = LeaderEpoch(4), .leader = 1};
  cluster.start(node);
  EXPECT_EQ(node.core->role_name(), "resigned");
  const VoteCall ask{.candidate = {2, Uuid{7, 2}}, .epoch = LeaderEpoch(4), .last = {Offset(50), LeaderEpoch(3)}};
  EXPECT_FALSE(node.core->handle(ask, cluster.now()).granted);
  VoteCall later = ask;
  later.epoch = LeaderEpoch(5);
  EXPECT_TRUE(node.core->handle(later, cluster.now()).granted);
  later.candidate = {2, Uuid{9, 9}};
  EXPECT_FALSE(node.core->handle(later, cluster.now()).granted) << "one vote an epoch";
}

TEST(Core, VoteRequestsAreChecked) {
  Cluster cluster(3, 5);
  Node& node = *cluster.nodes()[0];
  VoteCall ask{.candidate = {2, Uuid{7, 2}}, .epoch = LeaderEpoch(3), .last = {Offset(0), LeaderEpoch(3)}};
  EXPECT_EQ(node.core->handle(ask, cluster.now()).head.error, ErrorCode::kInvalidRequest);
  ask.last.epoch = LeaderEpoch(0);
  ask.voter = ReplicaKey{1, Uuid{1, 1}};
  EXPECT_EQ(node.core->handle(ask, cluster.now()).head.error, ErrorCode::kInvalidVoterKey);
  EXPECT_EQ(node.core->epoch(), LeaderEpoch(3));
  ask.epoch = LeaderEpoch(2);
  EXPECT_EQ(node.core->handle(ask, cluster.now()).head.error, ErrorCode::kFencedLeaderEpoch);
  ask.epoch = LeaderEpoch(0x7fff'ffff);
  EXPECT_EQ(node.core->handle(ask, cluster.now()).head.error, ErrorCode::kInvalidRequest);
  EXPECT_EQ(node.core->epoch(), LeaderEpoch(3));
}

TEST(CheckPosition, FollowsTheLogsHistory) {
  ModelLog log;
  for (const int epoch : {1, 1, 2, 2, 2, 5}) log.entries.push_back({LeaderEpoch(epoch)});
  using Kind = PositionCheck::Kind;
  EXPECT_EQ(check_position(log, Offset(0), LeaderEpoch(0)).kind, Kind::kValid);
  EXPECT_EQ(check_position(log, Offset(6), LeaderEpoch(5)).kind, Kind::kValid);
  EXPECT_EQ(check_position(log, Offset(2), LeaderEpoch(1)).kind, Kind::kValid);
  const PositionCheck beyond = check_position(log, Offset(4), LeaderEpoch(1));
  EXPECT_EQ(beyond.kind, Kind::kDiverging);
  EXPECT_EQ(beyond.point, (OffsetAndEpoch{Offset(2), LeaderEpoch(1)}));
  const PositionCheck unknown = check_position(log, Offset(6), LeaderEpoch(4));
  EXPECT_EQ(unknown.kind, Kind::kDiverging);
  EXPECT_EQ(unknown.point, (OffsetAndEpoch{Offset(5), LeaderEpoch(2)}));
}

class Chaos : public ::testing::TestWithParam<std::tuple<std::size_t, std::uint64_t>> {};

TEST_P(Chaos, NeverTwoLeadersNeverALostRecord) {
  const auto [voters, seed] = GetParam();
  Cluster cluster(voters, seed, 0, seed % 3 != 0);
  cluster.unsupported_percent = seed % 2 == 0 ? 50 : 0;
  cluster.loss_percent = 10;
  cluster.max_delay_ms = 30;
  runtime::SeededRandom random(seed * 31);
  for (int round = 0; round < 40 && !HasFailure(); ++round) {
    cluster.run(static_cast<TimeMs>(100 + random.below(900)));
    cluster.disturb();
  }
  cluster.heal();
  const std::size_t before = cluster.committed();
  cluster.run(8000);
  EXPECT_NE(cluster.leader(), nullptr) << "seed " << seed;
  EXPECT_GT(cluster.committed(), before) << "seed " << seed;
}

INSTANTIATE_TEST_SUITE_P(Seeds, Chaos,
                         ::testing::Combine(::testing::Values(std::size_t{1}, std::size_t{2}, std::size_t{3},
                                                              std::size_t{5}),
                                            ::testing::Range(std::uint64_t{1}, std::uint64_t{7})));

}  // namespace
}  // namespace dohle::raft
