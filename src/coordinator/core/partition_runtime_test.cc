// PartitionRuntime with a state machine that sums numbers, over a partition in memory.
#include <coordinator/core/partition_runtime.h>

#include <charconv>
#include <chrono>
#include <map>

#include <gtest/gtest.h>
#include <runtime/memory/memory_shards.h>

#include "memory_partition.h"

namespace dohle::coordinator {
namespace {

using protocol::ErrorCode;
using runtime::Task;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

CoordinatorRecord number(const std::string& key, int value) { return {bytes_of(key), bytes_of(std::to_string(value))}; }

class Sums final : public StateMachine {
 public:
  Result<> replay(const ReplayedRecord& record, UndoLog& undo) override {
    const std::string key(as_text(record.key));
    if (key == "bad") return fail(Errc::kCorrupt, "a bad record");
    const auto before = values;
    undo.push([this, before] { values = before; });
    if (!record.value) {
      values.erase(key);
      return {};
    }
    int value = 0;
    const auto text = as_text(*record.value);
    std::from_chars(text.data(), text.data() + text.size(), value);
    values[key] = value;
    offsets.push_back(record.offset.value());
    return {};
  }
  void replay_transaction_end(ProducerId, bool) override {}
  void on_loaded(Turn&) override { ++loaded; }
  void on_unloaded() override { ++unloaded; }

  std::map<std::string, int> values;
  std::vector<std::int64_t> offsets;
  int loaded = 0;
  int unloaded = 0;
};

class PartitionRuntimeTest : public testing::Test {
 protected:
  void open(RuntimeConfig config = {}, LeaderEpoch epoch = LeaderEpoch(1)) {
    shut();
    auto scope = shards.enter(0);
    auto machine = std::make_unique<Sums>();
    sums = machine.get();
    runtime = std::make_unique<PartitionRuntime>(0, epoch, std::move(machine), writer, clock, config);
    runtime->start();
    shards.run_until_idle();
  }
  void shut() {
    if (runtime == nullptr) return;
    writer.hold_appends(false);
    writer.hold_commits(false);
    writer.hold_reads(false);
    {
      auto scope = shards.enter(0);
      runtime->close();
    }
    shards.run(0, [this] { return runtime->drained(); });
    auto scope = shards.enter(0);
    runtime.reset();
  }
  void TearDown() override { shut(); }

  // Starts an operation; its answer appears in `answers` under `name`.
  void begin(const std::string& name, std::function<void(Turn&)> body) {
    auto scope = shards.enter(0);
    runtime::spawn(operation(this, name, std::move(body)));
  }
  static Task<void> operation(PartitionRuntimeTest* test, std::string name, std::function<void(Turn&)> body) {
    auto done = co_await test->runtime->run([&](Turn& turn) -> Decision<int> {
      body(turn);
      return 1;
    });
    test->answers[name] = done ? ErrorCode::kNone : done.error();
  }
  [[nodiscard]] bool answered(const std::string& name) const { return answers.contains(name); }

  runtime::MemoryShards shards{1};
  runtime::SettledClock clock{shards.clock()};
  MemoryPartition writer;
  Sums* sums = nullptr;
  std::unique_ptr<PartitionRuntime> runtime;
  std::map<std::string, ErrorCode> answers;
};

TEST_F(PartitionRuntimeTest, OperationsOfOnePassShareABatch) {
  open();
  for (int i = 0; i < 10; ++i) {
    begin("op" + std::to_string(i), [i](Turn& turn) { turn.add(number("k" + std::to_string(i), i)); });
  }
  EXPECT_EQ(sums->values.size(), 10U) << "replayed at once";
  EXPECT_TRUE(answers.empty());
  shards.run_until_idle();
  EXPECT_EQ(answers.size(), 10U);
  EXPECT_EQ(writer.appended_batches(), 1U);
  EXPECT_EQ(writer.log_end(0), Offset(10));
  EXPECT_EQ(sums->offsets, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(PartitionRuntimeTest, AnswersLeaveAtTheCommitAndReadsWaitForWhatTheySaw) {
  open();
  writer.hold_commits(true);
  begin("write", [](Turn& turn) { turn.add(number("a", 1)); });
  begin("read", [](Turn&) {});
  shards.run_until_idle();
  EXPECT_EQ(writer.log_end(0), Offset(1));
  EXPECT_TRUE(answers.empty());
  writer.hold_commits(false);
  shards.run_until_idle();
  EXPECT_EQ(answers.at("write"), ErrorCode::kNone);
  EXPECT_EQ(answers.at("read"), ErrorCode::kNone);
  begin("late read", [](Turn&) {});
  shards.run_until_idle();
  EXPECT_TRUE(answered("late read"));
}

TEST_F(PartitionRuntimeTest, AFailedAppendTakesBackItsOwnAndLaterChanges) {
  open();
  begin("kept", [](Turn& turn) { turn.add(number("a", 1)); });
  shards.run_until_idle();
  writer.hold_appends(true);
  begin("fails", [](Turn& turn) { turn.add(number("a", 2)); });
  shards.run_until_idle();
  begin("saw it", [](Turn& turn) { turn.add(number("b", 3)); });
  begin("read it", [](Turn&) {});
  shards.run_until_idle();
  EXPECT_EQ(sums->values, (std::map<std::string, int>{{"a", 2}, {"b", 3}}));
  writer.fail_append(Errc::kStorage);
  writer.hold_appends(false);
  shards.run_until_idle();
  EXPECT_EQ(answers.at("fails"), ErrorCode::kKafkaStorageError);
  EXPECT_EQ(answers.at("saw it"), ErrorCode::kKafkaStorageError);
  EXPECT_EQ(answers.at("read it"), ErrorCode::kKafkaStorageError);
  EXPECT_EQ(sums->values, (std::map<std::string, int>{{"a", 1}}));
  begin("again", [](Turn& turn) { turn.add(number("c", 4)); });
  shards.run_until_idle();
  EXPECT_EQ(answers.at("again"), ErrorCode::kNone);
  EXPECT_EQ(sums->values, (std::map<std::string, int>{{"a", 1}, {"c", 4}}));
  EXPECT_EQ(sums->offsets.back(), 1);
}

TEST_F(PartitionRuntimeTest, StateAfterReplayIsTheStateBefore) {
  open();
  for (int i = 0; i < 100; ++i) {
    begin("op", [i](Turn& turn) {
      turn.add(number("k" + std::to_string(i % 7), i));
      if (i % 5 == 0) turn.add({bytes_of("k" + std::to_string(i % 3)), std::nullopt});
    });
    if (i % 3 == 0) shards.run_until_idle();
    if (i % 10 == 9) writer.fail_append(Errc::kNoSpace);
  }
  shards.run_until_idle();
  const auto before = sums->values;
  const Offset end = writer.log_end(0);
  open({.load_buffer_bytes = 200}, LeaderEpoch(2));
  EXPECT_EQ(sums->loaded, 1);
  EXPECT_EQ(sums->values, before);
  begin("next", [](Turn& turn) { turn.add(number("z", 1)); });
  shards.run_until_idle();
  EXPECT_EQ(sums->offsets.back(), end.value());
}

TEST_F(PartitionRuntimeTest, SaysWhetherItLoadsOrIsGone) {
  writer.hold_reads(true);
  open();
  begin("early", [](Turn&) {});
  shards.run_until_idle();
  EXPECT_EQ(answers.at("early"), ErrorCode::kCoordinatorLoadInProgress);
  writer.hold_reads(false);
  shards.run_until_idle();
  writer.hold_commits(true);
  begin("pending", [](Turn& turn) { turn.add(number("a", 1)); });
  shards.run_until_idle();
  {
    auto scope = shards.enter(0);
    runtime->close();
  }
  begin("late", [](Turn&) {});
  shards.run_until_idle();
  EXPECT_EQ(answers.at("pending"), ErrorCode::kNotCoordinator);
  EXPECT_EQ(answers.at("late"), ErrorCode::kNotCoordinator);
  EXPECT_EQ(sums->unloaded, 1);
}

TEST_F(PartitionRuntimeTest, APartitionThatCannotBeReplayedIsFailed) {
  open();
  begin("bad", [](Turn& turn) {
    turn.add({bytes_of("bad"), bytes_of("1")});
    turn.already_applied();
  });
  shards.run_until_idle();
  open({}, LeaderEpoch(2));
  EXPECT_EQ(runtime->state(), PartitionRuntime::State::kFailed);
  begin("op", [](Turn&) {});
  shards.run_until_idle();
  EXPECT_EQ(answers.at("op"), ErrorCode::kNotCoordinator);
}

TEST_F(PartitionRuntimeTest, ARecordThatCannotBeReplayedIsNotWritten) {
  open();
  begin("op", [](Turn& turn) {
    turn.add(number("a", 1));
    turn.add({bytes_of("bad"), bytes_of("1")});
  });
  shards.run_until_idle();
  EXPECT_EQ(answers.at("op"), ErrorCode::kUnknownServerError);
  EXPECT_TRUE(sums->values.empty());
  EXPECT_EQ(writer.log_end(0), Offset(0));
}

TEST_F(PartitionRuntimeTest, WhoWaitsTooLongIsToldAndTheRecordsStand) {
  open();
  writer.hold_commits(true);
  begin("op", [](Turn& turn) { turn.add(number("a", 1)); });
  shards.run_until_idle();
  shards.advance(milliseconds(4900));
  EXPECT_FALSE(answered("op"));
  shards.advance(milliseconds(200));
  EXPECT_EQ(answers.at("op"), ErrorCode::kRequestTimedOut);
  EXPECT_EQ(sums->values.size(), 1U);
  begin("reader", [](Turn&) {});
  shards.advance(seconds(5));
  EXPECT_EQ(answers.at("reader"), ErrorCode::kRequestTimedOut);
}

TEST_F(PartitionRuntimeTest, BatchesKeepToTheLimit) {
  open({.max_batch_bytes = 400});
  begin("huge", [](Turn& turn) { turn.add({bytes_of("k"), std::vector<std::uint8_t>(400, 'x')}); });
  begin("atomic", [](Turn& turn) {
    for (int i = 0; i < 20; ++i) turn.add(number("n" + std::to_string(i), i));
  });
  shards.run_until_idle();
  EXPECT_EQ(answers.at("huge"), ErrorCode::kMessageTooLarge);
  EXPECT_EQ(answers.at("atomic"), ErrorCode::kMessageTooLarge);
  EXPECT_TRUE(sums->values.empty());
  begin("split", [](Turn& turn) {
    turn.may_split();
    for (int i = 0; i < 20; ++i) turn.add(number("n" + std::to_string(i), i));
  });
  shards.run_until_idle();
  EXPECT_EQ(answers.at("split"), ErrorCode::kNone);
  EXPECT_GT(writer.appended_batches(), 1U);
  EXPECT_EQ(sums->values.size(), 20U);
}

TEST_F(PartitionRuntimeTest, OfASplitTurnOnlyWhatFailedIsTakenBack) {
  open({.max_batch_bytes = 400});
  begin("split", [](Turn& turn) {
    turn.may_split();
    for (int i = 0; i < 20; ++i) turn.add(number("n" + std::to_string(100 + i), i));
  });
  writer.fail_append(Errc::kIo, 1);
  shards.run_until_idle();
  EXPECT_EQ(answers.at("split"), ErrorCode::kKafkaStorageError);
  const auto present = sums->values;
  EXPECT_GT(present.size(), 0U);
  EXPECT_LT(present.size(), 20U);
  open({.max_batch_bytes = 400}, LeaderEpoch(2));
  EXPECT_EQ(sums->values, present);
}

TEST_F(PartitionRuntimeTest, OutcomesComeInATurnOfTheirOwn) {
  open();
  std::vector<ErrorCode> outcomes;
  const auto write = [&](Turn& turn) {
    turn.add(number("a", 1));
    turn.on_outcome([&](Turn& later, ErrorCode error) {
      outcomes.push_back(error);
      later.add(number("follow-up", 2));
    });
  };
  begin("one", write);
  EXPECT_TRUE(outcomes.empty());
  shards.run_until_idle();
  EXPECT_EQ(outcomes, (std::vector<ErrorCode>{ErrorCode::kNone}));
  EXPECT_EQ(sums->values.size(), 2U);
  writer.fail_append(Errc::kStorage);
  begin("two", write);
  shards.run_until_idle();
  EXPECT_EQ(outcomes.back(), ErrorCode::kKafkaStorageError);
}

TEST_F(PartitionRuntimeTest, TimersFireOnceAndCanBeReplacedOrCancelled) {
  open();
  std::vector<std::string> fired;
  const auto note = [&fired](std::string name) {
    return [&fired, name = std::move(name)](Turn& turn) {
      fired.push_back(name);
      turn.add(number(name, 1));
    };
  };
  begin("schedule", [&](Turn& turn) {
    turn.timers().schedule("a", 100, note("first a"));
    turn.timers().schedule("b", 100, note("b"));
    turn.timers().schedule("c", 100, note("c"));
    turn.timers().schedule("a", 300, note("second a"));
    turn.timers().cancel("b");
  });
  shards.advance(milliseconds(200));
  EXPECT_EQ(fired, (std::vector<std::string>{"c"}));
  shards.advance(milliseconds(200));
  EXPECT_EQ(fired, (std::vector<std::string>{"c", "second a"}));
  EXPECT_EQ(sums->values.size(), 2U);
}

TEST_F(PartitionRuntimeTest, ClosesWhenItLearnsFromTheCommitThatItLeadsNoMore) {
  open();
  writer.hold_commits(true);
  begin("op", [](Turn& turn) { turn.add(number("a", 1)); });
  shards.run_until_idle();
  writer.lose_leadership();
  shards.run_until_idle();
  EXPECT_EQ(answers.at("op"), ErrorCode::kNotCoordinator);
  EXPECT_EQ(runtime->state(), PartitionRuntime::State::kClosed);
}

TEST_F(PartitionRuntimeTest, AnOlderEpochCannotWrite) {
  open({}, LeaderEpoch(3));
  writer.set_epoch(LeaderEpoch(4));
  begin("op", [](Turn& turn) { turn.add(number("a", 1)); });
  shards.run_until_idle();
  EXPECT_EQ(answers.at("op"), ErrorCode::kFencedLeaderEpoch);
  EXPECT_TRUE(sums->values.empty());
}

TEST_F(PartitionRuntimeTest, LingerCollectsOperations) {
  open({.append_linger_ms = 10});
  begin("one", [](Turn& turn) { turn.add(number("a", 1)); });
  shards.run_until_idle();
  begin("two", [](Turn& turn) { turn.add(number("b", 1)); });
  shards.run_until_idle();
  EXPECT_EQ(writer.appended_batches(), 0U);
  shards.advance(milliseconds(11));
  EXPECT_EQ(writer.appended_batches(), 1U);
  EXPECT_EQ(answers.size(), 2U);
}

TEST_F(PartitionRuntimeTest, LoadingLeavesRoomForOthers) {
  open();
  for (int batch = 0; batch < 8; ++batch) {
    begin("op", [&](Turn& turn) { turn.add({bytes_of("k"), std::vector<std::uint8_t>(200'000, '1')}); });
    shards.run_until_idle();
  }
  shut();
  bool other_ran_while_loading = false;
  {
    auto scope = shards.enter(0);
    auto machine = std::make_unique<Sums>();
    sums = machine.get();
    runtime = std::make_unique<PartitionRuntime>(0, LeaderEpoch(2), std::move(machine), writer, clock, RuntimeConfig{});
    runtime->start();
    shards.at(0).executor().post([&] { other_ran_while_loading = sums->loaded == 0; });
  }
  shards.run_until_idle();
  EXPECT_TRUE(other_ran_while_loading);
  EXPECT_EQ(sums->loaded, 1);
}

}  // namespace
}  // namespace dohle::coordinator
