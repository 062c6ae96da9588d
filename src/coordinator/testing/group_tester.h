// GroupTester: a GroupMachine with time, timers and a log that a test holds in its hands.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <runtime/memory/memory_shards.h>
#include <runtime/memory/seeded_random.h>

#include "group/group_machine.h"

namespace dohle::coordinator {

using protocol::ErrorCode;

class ManualTimers final : public Timers {
 public:
  explicit ManualTimers(const std::int64_t& now_ms) : now_ms_(now_ms) {}
  void schedule(const std::string& key, std::int64_t delay_ms, TimerAction action) override {
    timers_[key] = {now_ms_ + delay_ms, ++sequence_, std::move(action)};
  }
  void cancel(const std::string& key) override { timers_.erase(key); }
  void clear() { timers_.clear(); }
  // The timer that is due first, at or before `until_ms`; it is gone then.
  std::optional<std::pair<std::int64_t, TimerAction>> pop(std::int64_t until_ms) {
    auto first = timers_.end();
    for (auto at = timers_.begin(); at != timers_.end(); ++at) {
      if (at->second.deadline_ms > until_ms) continue;
      if (first == timers_.end() || std::pair(at->second.deadline_ms, at->second.sequence) <
                                        std::pair(first->second.deadline_ms, first->second.sequence)) {
        first = at;
      }
    }
    if (first == timers_.end()) return std::nullopt;
    std::pair out{first->second.deadline_ms, std::move(first->second.action)};
    timers_.erase(first);
    return out;
  }

 private:
  struct Timer {
    std::int64_t deadline_ms = 0;
    std::uint64_t sequence = 0;
    TimerAction action;
  };
  const std::int64_t& now_ms_;
  std::uint64_t sequence_ = 0;
  std::map<std::string, Timer> timers_;
};

// The answer to a request that may be parked.
template <typename R>
class Pending {
 public:
  [[nodiscard]] bool ready() const { return value_->has_value(); }
  [[nodiscard]] const R& get() const {
    if (!ready()) ADD_FAILURE() << "still parked";
    return value_->value();
  }
  [[nodiscard]] ErrorCode error() const { return ready() ? static_cast<ErrorCode>(get().error_code) : ErrorCode{999}; }
  void set(R value) {
    EXPECT_FALSE(ready()) << "answered twice";
    *value_ = std::move(value);
  }

 private:
  std::shared_ptr<std::optional<R>> value_ = std::make_shared<std::optional<R>>();
};

struct JoinArgs {
  std::string group = "group";
  std::string member;
  std::optional<std::string> instance;
  std::vector<MemberProtocol> protocols = {{"range", {}}};
  std::string protocol_type = "consumer";
  std::int32_t session_timeout_ms = 10'000;
  std::int32_t rebalance_timeout_ms = 60'000;
  std::int16_t version = 9;
  std::string client_id = "client";
};

class GroupTester {
 public:
  explicit GroupTester(GroupConfig config_in = {}) : config(config_in), timers_(now_ms) { load({}); }

  template <typename F>
  auto turn(F body) {
    auto scope = shards_.enter(0);
    Turn turn(now_ms, now_ms, timers_, undo_);
    if constexpr (std::is_void_v<std::invoke_result_t<F&, Turn&>>) {
      body(turn);
      settle(std::move(turn));
    } else {
      auto result = body(turn);
      settle(std::move(turn));
      return result;
    }
  }
  // Lets time pass; timers fire in their order.
  void advance(std::int64_t ms) {
    const std::int64_t end = now_ms + ms;
    while (auto due = timers_.pop(end)) {
      now_ms = std::max(now_ms, due->first);
      turn([&](Turn& fired) { due->second(fired); });
    }
    now_ms = end;
  }

  template <typename R>
  void advance_until_answered(const Pending<R>& pending) {
    for (int i = 0; i < 1000 && !pending.ready(); ++i) advance(500);
    EXPECT_TRUE(pending.ready());
  }

  Pending<protocol::JoinGroupResponse> join(const JoinArgs& args) {
    protocol::JoinGroupRequest request;
    request.group_id = Text(args.group);
    request.member_id = Text(args.member);
    if (args.instance) request.group_instance_id = Text(*args.instance);
    request.protocol_type = Text(args.protocol_type);
    request.session_timeout_ms = args.session_timeout_ms;
    request.rebalance_timeout_ms = args.rebalance_timeout_ms;
    for (const auto& protocol : args.protocols) {
      auto& out = request.protocols.emplace_back();
      out.name = Text(protocol.name);
      out.metadata = Blob(protocol.metadata);
    }
    Pending<protocol::JoinGroupResponse> pending;
    turn([&](Turn& now) {
      machine->classic().join(now, {args.client_id, "/127.0.0.1", args.version}, request,
                              [pending](auto answer) mutable { pending.set(std::move(answer)); });
    });
    return pending;
  }
  // Joins as a new dynamic member, with both requests that takes. The first answer gives the id.
  std::pair<std::string, Pending<protocol::JoinGroupResponse>> join_new(JoinArgs args = {}) {
    const auto first = join(args);
    EXPECT_EQ(first.error(), ErrorCode::kMemberIdRequired);
    args.member = first.get().member_id.str();
    return {args.member, join(args)};
  }
  Pending<protocol::SyncGroupResponse> sync(const std::string& member, std::int32_t generation,
                                            const std::map<std::string, std::string>& assignments = {},
                                            std::optional<std::string> instance = std::nullopt,
                                            const std::string& group = "group") {
    protocol::SyncGroupRequest request;
    request.group_id = Text(group);
    request.member_id = Text(member);
    request.generation_id = generation;
    if (instance) request.group_instance_id = Text(*instance);
    for (const auto& [id, bytes] : assignments) {
      auto& out = request.assignments.emplace_back();
      out.member_id = Text(id);
      out.assignment = Blob::copy_of(as_bytes(bytes));
    }
    return sync(request);
  }
  Pending<protocol::SyncGroupResponse> sync(const protocol::SyncGroupRequest& request) {
    Pending<protocol::SyncGroupResponse> pending;
    turn([&](Turn& now) {
      machine->classic().sync(now, request, [pending](auto answer) mutable { pending.set(std::move(answer)); });
    });
    return pending;
  }
  ErrorCode heartbeat(const std::string& member, std::int32_t generation,
                      std::optional<std::string> instance = std::nullopt, const std::string& group = "group") {
    protocol::HeartbeatRequest request;
    request.group_id = Text(group);
    request.member_id = Text(member);
    request.generation_id = generation;
    if (instance) request.group_instance_id = Text(*instance);
    return turn([&](Turn& now) { return machine->classic().heartbeat(now, request); });
  }
  // The members' errors; an empty member id with an instance id removes a static member.
  std::vector<ErrorCode> leave(const std::vector<std::pair<std::string, std::optional<std::string>>>& members,
                               const std::string& group = "group") {
    protocol::LeaveGroupRequest request;
    request.group_id = Text(group);
    for (const auto& [id, instance] : members) {
      auto& out = request.members.emplace_back();
      out.member_id = Text(id);
      if (instance) out.group_instance_id = Text(*instance);
    }
    protocol::LeaveGroupResponse response;
    turn([&](Turn& now) { machine->classic().leave(now, request, response); });
    std::vector<ErrorCode> errors;
    for (const auto& member : response.members) errors.push_back(static_cast<ErrorCode>(member.error_code));
    return errors;
  }
  Decision<protocol::OffsetCommitResponse> commit(const protocol::OffsetCommitRequest& request,
                                                  std::int16_t version = 9) {
    return turn([&](Turn& now) { return machine->commit_offsets(now, {"client", "/127.0.0.1", version}, request); });
  }
  static protocol::OffsetCommitRequest commit_request(std::int64_t offset, const std::string& topic = "orders",
                                                      std::int32_t partition = 0, const std::string& group = "group") {
    protocol::OffsetCommitRequest request;
    request.group_id = Text(group);
    auto& out = request.topics.emplace_back();
    out.name = Text(topic);
    auto& row = out.partitions.emplace_back();
    row.partition_index = partition;
    row.committed_offset = offset;
    return request;
  }
  // As fetch sees it, -1 when there is none.
  std::int64_t committed(const std::string& topic = "orders", std::int32_t partition = 0,
                         const std::string& group = "group", Uuid topic_id = {}) const {
    FetchGroupRequest request;
    request.group_id = Text(group);
    auto& out = request.topics->emplace_back();
    out.name = Text(topic);
    out.topic_id = topic_id;
    out.partition_indexes = {partition};
    return machine->fetch_offsets(request, false).topics.at(0).partitions.at(0).committed_offset;
  }
  using FetchGroupRequest = protocol::OffsetFetchRequest::OffsetFetchRequestGroup;

  [[nodiscard]] ClassicGroup* group(const std::string& id = "group") { return machine->groups().find(id); }
  [[nodiscard]] GroupState state(const std::string& id = "group") {
    return group(id) == nullptr ? GroupState::kDead : group(id)->state();
  }

  // A machine of its own that has replayed the log so far, as after a restart.
  std::unique_ptr<GroupMachine> replayed() {
    auto scope = shards_.enter(0);
    auto fresh = std::make_unique<GroupMachine>(config, random_);
    UndoLog undo;
    undo.set_recording(false);
    std::int64_t offset = 0;
    for (const auto& record : log) {
      ReplayedRecord in{.offset = Offset(offset++), .key = record.key};
      if (record.value) in.value = Bytes(*record.value);
      EXPECT_TRUE(fresh->replay(in, undo));
    }
    return fresh;
  }
  // Continues as the coordinator after a restart; nobody is parked any more.
  void restart() {
    auto fresh = replayed();
    timers_.clear();
    machine = std::move(fresh);
    turn([&](Turn& now) { machine->on_loaded(now); });
  }

  // Turns with records fail with this from now on, as if the append had.
  std::optional<ErrorCode> fail_writes;
  // Outcomes wait for release().
  bool hold_commits = false;
  void release() {
    hold_commits = false;
    for (auto& outcome : std::exchange(held_, {})) {
      turn([&](Turn& later) { outcome(later, ErrorCode::kNone); });
    }
  }

  GroupConfig config;
  std::int64_t now_ms = 1'767'225'600'000;
  std::vector<CoordinatorRecord> log;
  std::unique_ptr<GroupMachine> machine;

 private:
  void load(const std::vector<CoordinatorRecord>& records) {
    log = records;
    machine = replayed();
    turn([&](Turn& now) { machine->on_loaded(now); });
  }
  void settle(Turn turn_in) {
    const bool failed = fail_writes && !turn_in.records().empty();
    if (failed) {
      undo_.revert_to(turn_in.undo_mark());
    } else {
      for (const auto& record : turn_in.records()) {
        ReplayedRecord in{.offset = Offset(static_cast<std::int64_t>(log.size())), .key = record.key};
        if (record.value) in.value = Bytes(*record.value);
        if (turn_in.replays()) {
          EXPECT_TRUE(machine->replay(in, undo_));
        }
        log.push_back(record);
      }
      undo_.forget_before(undo_.mark());
    }
    auto outcome = turn_in.take_outcome();
    if (!outcome) return;
    if (hold_commits && !failed) {
      held_.push_back(std::move(outcome));
      return;
    }
    const ErrorCode error = failed ? *fail_writes : ErrorCode::kNone;
    turn([&](Turn& later) { outcome(later, error); });
  }

  runtime::MemoryShards shards_{1};
  runtime::SeededRandom random_{7};
  ManualTimers timers_;
  UndoLog undo_;
  std::vector<Outcome> held_;
};

// A stable group of `n` dynamic members, the leader first; everybody has its own id as assignment.
inline std::vector<std::string> make_stable(GroupTester& tester, int n, const JoinArgs& args = {}) {
  std::vector<std::string> ids;
  std::vector<Pending<protocol::JoinGroupResponse>> joins;
  for (int i = 0; i < n; ++i) {
    auto [id, join] = tester.join_new(args);
    ids.push_back(id);
    joins.push_back(join);
  }
  tester.advance_until_answered(joins.front());
  std::map<std::string, std::string> assignments;
  for (const auto& id : ids) assignments[id] = id;
  const std::string leader = joins.front().get().leader.str();
  for (const auto& id : ids) {
    if (id != leader) EXPECT_FALSE(tester.sync(id, 1, {}, std::nullopt, args.group).ready());
  }
  EXPECT_EQ(tester.sync(leader, 1, assignments, std::nullopt, args.group).error(), ErrorCode::kNone);
  EXPECT_EQ(tester.state(args.group), GroupState::kStable);
  std::ranges::sort(ids, {}, [&](const auto& id) { return std::pair(id != leader, id); });
  return ids;
}

// A consumer's subscription to topics, as assignors send it.
inline ByteVector subscription(const std::vector<std::string>& topics) {
  ByteVector out{0, 0};
  const auto put = [&out](std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  put(topics.size(), 4);
  for (const auto& topic : topics) {
    put(topic.size(), 2);
    out.insert(out.end(), topic.begin(), topic.end());
  }
  put(0xffffffff, 4);
  return out;
}

}  // namespace dohle::coordinator
