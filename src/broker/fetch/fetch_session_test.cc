#include "fetch/fetch_session.h"

#include <gtest/gtest.h>

#include <runtime/memory/seeded_random.h>

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using std::chrono::seconds;

runtime::MonotonicTime at(int s) { return {seconds(s)}; }

FetchTarget target(std::int32_t partition, std::int64_t offset = 0) {
  return {.topic = "t", .partition = partition, .fetch_offset = Offset(offset), .max_bytes = 100};
}

FetchSessionRequest ask(std::int32_t session, std::int32_t epoch, std::vector<FetchTarget> targets = {}) {
  return {.session_id = session, .epoch = epoch, .targets = std::move(targets)};
}

FetchedState state(std::int64_t high_watermark, bool records = false) {
  return {.high_watermark = Offset(high_watermark), .log_start_offset = Offset(0), .has_records = records};
}

class FetchSessionsTest : public testing::Test {
 protected:
  runtime::SeededRandom random_{7};
  FetchSessions sessions_{2, 1, 4, random_};

  FetchPlan open(std::vector<FetchTarget> targets, int now = 0) {
    return sessions_.begin(ask(0, kInitialFetchEpoch, std::move(targets)), at(now));
  }
};

TEST_F(FetchSessionsTest, WithoutASessionEverythingIsAnswered) {
  const auto plan = sessions_.begin(ask(0, kFinalFetchEpoch, {target(0), target(1)}), at(0));
  EXPECT_EQ(plan.session_id, kNoFetchSession);
  EXPECT_EQ(plan.targets.size(), 2U);
  EXPECT_EQ(sessions_.finish(plan, {state(0), state(0)}), (std::vector{true, true}));
  EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(FetchSessionsTest, TheIdTellsTheShard) {
  const auto plan = open({target(0)});
  EXPECT_GT(plan.session_id, 0);
  EXPECT_EQ(FetchSessions::shard_of(plan.session_id, 4), 1U);
}

TEST_F(FetchSessionsTest, AFetchOfNothingOpensASessionThatMayBeFilled) {
  const auto plan = open({});
  EXPECT_NE(plan.session_id, kNoFetchSession);
  const auto filled = sessions_.begin(ask(plan.session_id, 1, {target(0)}), at(1));
  EXPECT_EQ(filled.session_id, plan.session_id);
  EXPECT_EQ(filled.targets.size(), 1U);
}

TEST_F(FetchSessionsTest, OnlyNewsIsAnswered) {
  const auto first = open({target(0), target(1)});
  EXPECT_EQ(sessions_.finish(first, {state(5), state(5)}), (std::vector{true, true}));
  const auto second = sessions_.begin(ask(first.session_id, 1), at(1));
  ASSERT_EQ(second.targets.size(), 2U);
  EXPECT_EQ(sessions_.finish(second, {state(5), state(6)}), (std::vector{false, true}));
  const auto third = sessions_.begin(ask(first.session_id, 2), at(2));
  EXPECT_EQ(sessions_.finish(third, {state(5, true), state(6)}), (std::vector{true, false}));
}

TEST_F(FetchSessionsTest, APartitionWithRecordsGoesToTheEnd) {
  const auto first = open({target(0), target(1)});
  (void)sessions_.finish(first, {state(1), state(1)});
  const auto second = sessions_.begin(ask(first.session_id, 1), at(1));
  (void)sessions_.finish(second, {state(1, true), state(1)});
  const auto third = sessions_.begin(ask(first.session_id, 2), at(2));
  EXPECT_EQ(third.targets[0].partition, 1);
  EXPECT_EQ(third.targets[1].partition, 0);
}

TEST_F(FetchSessionsTest, AnErrorIsToldUntilItIsGoneAndThenOnceMore) {
  const auto first = open({target(0)});
  FetchedState bad = state(1);
  bad.error = ErrorCode::kNotLeaderOrFollower;
  (void)sessions_.finish(first, {bad});
  EXPECT_EQ(sessions_.finish(sessions_.begin(ask(first.session_id, 1), at(1)), {bad}), std::vector{true});
  EXPECT_EQ(sessions_.finish(sessions_.begin(ask(first.session_id, 2), at(1)), {state(1)}), std::vector{true});
  EXPECT_EQ(sessions_.finish(sessions_.begin(ask(first.session_id, 3), at(1)), {state(1)}), std::vector{false});
}

TEST_F(FetchSessionsTest, TargetsAreAddedChangedAndForgotten) {
  const auto first = open({target(0), target(1)});
  auto change = ask(first.session_id, 1, {target(0, 42), target(2)});
  change.forgotten = {target(1)};
  const auto second = sessions_.begin(std::move(change), at(1));
  ASSERT_EQ(second.targets.size(), 2U);
  EXPECT_EQ(second.targets[0].fetch_offset, Offset(42));
  EXPECT_EQ(second.targets[1].partition, 2);
}

TEST_F(FetchSessionsTest, EpochsAndIdsAreChecked) {
  const auto first = open({target(0)});
  EXPECT_EQ(sessions_.begin(ask(first.session_id + 4, 1), at(1)).error, ErrorCode::kFetchSessionIdNotFound);
  EXPECT_EQ(sessions_.begin(ask(first.session_id, 2), at(1)).error, ErrorCode::kInvalidFetchSessionEpoch);
  auto by_id = ask(first.session_id, 1);
  by_id.uses_topic_ids = true;
  EXPECT_EQ(sessions_.begin(std::move(by_id), at(1)).error, ErrorCode::kFetchSessionTopicIdError);
  EXPECT_EQ(sessions_.begin(ask(first.session_id, 1), at(1)).error, ErrorCode::kNone);
}

TEST_F(FetchSessionsTest, FullCachesEvictTheStaleOnly) {
  const auto a = open({target(0)}, 0);
  const auto b = open({target(0)}, 60);
  EXPECT_EQ(open({target(0)}, 100).session_id, kNoFetchSession) << "both are in use: the newcomer gets no session";
  const auto c = open({target(0)}, 130);
  EXPECT_NE(c.session_id, kNoFetchSession);
  EXPECT_EQ(sessions_.begin(ask(a.session_id, 1), at(131)).error, ErrorCode::kFetchSessionIdNotFound);
  EXPECT_EQ(sessions_.begin(ask(b.session_id, 1), at(131)).error, ErrorCode::kNone);
}

TEST_F(FetchSessionsTest, TheFinalEpochClosesASession) {
  const auto a = open({target(0)});
  const auto plan = sessions_.begin(ask(a.session_id, kFinalFetchEpoch, {target(0)}), at(1));
  EXPECT_EQ(plan.session_id, kNoFetchSession);
  EXPECT_EQ(sessions_.size(), 0U);
}

}  // namespace
}  // namespace dohle::broker
