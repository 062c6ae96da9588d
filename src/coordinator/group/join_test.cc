// JoinGroup, and the rebalances it sets off. The cases follow Kafka's GroupMetadataManagerTest, in our own words.
#include <gtest/gtest.h>

#include "group_tester.h"

namespace dohle::coordinator {
namespace {

TEST(JoinGroup, ANewMemberLearnsItsIdFirst) {
  GroupTester tester;
  const auto first = tester.join({});
  ASSERT_EQ(first.error(), ErrorCode::kMemberIdRequired);
  const std::string id = first.get().member_id.str();
  EXPECT_EQ(id.substr(0, 7), "client-");
  EXPECT_EQ(id.size(), 7U + 36U) << id;
  EXPECT_EQ(tester.log.size(), 1U) << "the new group is written down";
  EXPECT_EQ(tester.state(), GroupState::kEmpty);
  const auto second = tester.join({.member = id});
  EXPECT_FALSE(second.ready());
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
  tester.advance(3000);
  ASSERT_EQ(second.error(), ErrorCode::kNone);
  EXPECT_EQ(second.get().generation_id, 1);
  EXPECT_EQ(second.get().leader.get(), id);
  EXPECT_EQ(second.get().members.size(), 1U);
  EXPECT_EQ(second.get().protocol_name->get(), "range");
  EXPECT_EQ(second.get().protocol_type->get(), "consumer");
  EXPECT_FALSE(second.get().skip_assignment);
}

TEST(JoinGroup, OlderVersionsJoinAtOnce) {
  GroupTester tester;
  const auto join = tester.join({.version = 3});
  EXPECT_FALSE(join.ready());
  tester.advance(3000);
  EXPECT_EQ(join.error(), ErrorCode::kNone);
}

TEST(JoinGroup, VersionZeroUsesItsSessionTimeoutForRebalances) {
  GroupTester tester;
  const auto join = tester.join({.session_timeout_ms = 7000, .rebalance_timeout_ms = -1, .version = 0});
  tester.advance(3000);
  ASSERT_EQ(join.error(), ErrorCode::kNone);
  EXPECT_EQ(tester.group()->rebalance_timeout_ms(), 7000);
}

TEST(JoinGroup, WhoClaimsToBeAMemberMustBeOne) {
  GroupTester tester;
  const auto unknown_group = tester.join({.member = "ghost"});
  EXPECT_EQ(unknown_group.error(), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(unknown_group.get().member_id.get(), "ghost");
  EXPECT_EQ(tester.group(), nullptr);
  make_stable(tester, 1);
  EXPECT_EQ(tester.join({.member = "ghost"}).error(), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(tester.join({.member = "ghost", .instance = "unknown"}).error(), ErrorCode::kUnknownMemberId);
}

TEST(JoinGroup, ProtocolsMustFit) {
  GroupTester tester;
  EXPECT_EQ(tester.join({.protocol_type = ""}).error(), ErrorCode::kInconsistentGroupProtocol);
  EXPECT_EQ(tester.join({.protocols = {}}).error(), ErrorCode::kInconsistentGroupProtocol);
  make_stable(tester, 2);
  EXPECT_EQ(tester.join({.protocol_type = "connect"}).error(), ErrorCode::kInconsistentGroupProtocol);
  EXPECT_EQ(tester.join({.protocols = {{"sticky", {}}}}).error(), ErrorCode::kInconsistentGroupProtocol);
  EXPECT_EQ(tester.join({.protocols = {{"sticky", {}}, {"range", {}}}}).error(), ErrorCode::kMemberIdRequired);
}

TEST(JoinGroup, AMemberThatRepeatsAProtocolCountsOnce) {
  GroupTester tester;
  auto [id, join] = tester.join_new({.protocols = {{"range", {}}, {"range", {1}}}});
  tester.advance(3000);
  EXPECT_EQ(join.error(), ErrorCode::kNone);
}

TEST(JoinGroup, TheMostWantedCommonProtocolWins) {
  GroupTester tester;
  auto a = tester.join_new({.protocols = {{"roundrobin", {}}, {"range", {}}}}).second;
  tester.join_new({.protocols = {{"range", {}}, {"roundrobin", {}}, {"sticky", {}}}});
  tester.join_new({.protocols = {{"sticky", {}}, {"range", {}}, {"roundrobin", {}}}});
  tester.advance(60'000);
  ASSERT_EQ(a.error(), ErrorCode::kNone);
  EXPECT_EQ(a.get().protocol_name->get(), "range") << "sticky is not supported by all";
}

TEST(JoinGroup, AFormingGroupWaitsLongerWhileMembersArrive) {
  GroupTester tester;
  auto first = tester.join_new({.rebalance_timeout_ms = 8000}).second;
  tester.advance(2000);
  auto second = tester.join_new({.rebalance_timeout_ms = 8000}).second;
  tester.advance(1000);
  EXPECT_FALSE(first.ready()) << "somebody came within the delay";
  tester.advance(2000);
  auto third = tester.join_new({.rebalance_timeout_ms = 8000}).second;
  tester.advance(1000);
  EXPECT_FALSE(first.ready());
  tester.advance(2000);
  ASSERT_TRUE(first.ready()) << "never longer than the rebalance time-out";
  EXPECT_EQ(first.get().generation_id, 1);
  EXPECT_EQ(second.get().generation_id, 1);
  EXPECT_EQ(third.get().generation_id, 1);
  EXPECT_EQ(tester.group()->members().size(), 3U);
}

TEST(JoinGroup, ANewcomerMakesTheOthersRejoin) {
  GroupTester tester;
  const auto ids = make_stable(tester, 1);
  auto [second, join] = tester.join_new();
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
  EXPECT_FALSE(join.ready());
  EXPECT_EQ(tester.heartbeat(ids[0], 1), ErrorCode::kRebalanceInProgress);
  const auto rejoin = tester.join({.member = ids[0]});
  ASSERT_EQ(rejoin.error(), ErrorCode::kNone);
  ASSERT_EQ(join.error(), ErrorCode::kNone);
  EXPECT_EQ(join.get().generation_id, 2);
  EXPECT_EQ(join.get().leader.get(), ids[0]);
  EXPECT_TRUE(join.get().members.empty()) << "only the leader sees the others";
  EXPECT_EQ(rejoin.get().members.size(), 2U);
}

TEST(JoinGroup, WhoDoesNotRejoinInTimeIsOut) {
  GroupTester tester;
  const auto ids = make_stable(tester, 2, {.rebalance_timeout_ms = 5000});
  auto [third, join] = tester.join_new({.rebalance_timeout_ms = 5000});
  const auto rejoin = tester.join({.member = ids[1], .rebalance_timeout_ms = 5000});
  tester.advance(5000);
  ASSERT_EQ(join.error(), ErrorCode::kNone);
  ASSERT_EQ(rejoin.error(), ErrorCode::kNone);
  EXPECT_EQ(tester.group()->members().size(), 2U);
  EXPECT_EQ(tester.heartbeat(ids[0], 2), ErrorCode::kUnknownMemberId);
  EXPECT_NE(join.get().leader.get(), ids[0]) << "the leader is one who joined";
}

TEST(JoinGroup, AFollowerThatJoinsUnchangedGetsTheCurrentGeneration) {
  GroupTester tester;
  const auto ids = make_stable(tester, 2);
  const auto again = tester.join({.member = ids[1]});
  ASSERT_EQ(again.error(), ErrorCode::kNone);
  EXPECT_EQ(again.get().generation_id, 1);
  EXPECT_EQ(again.get().leader.get(), ids[0]);
  EXPECT_EQ(tester.state(), GroupState::kStable);
}

TEST(JoinGroup, TheLeaderOrNewMetadataForcesARebalance) {
  GroupTester tester;
  const auto ids = make_stable(tester, 2);
  EXPECT_FALSE(tester.join({.member = ids[0]}).ready());
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
  tester.join({.member = ids[1]});
  EXPECT_EQ(tester.state(), GroupState::kCompletingRebalance);
  const auto changed = tester.join({.member = ids[1], .protocols = {{"range", {9}}}});
  EXPECT_FALSE(changed.ready());
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
}

TEST(JoinGroup, ALostAnswerCanBeAskedForAgainBeforeSyncing) {
  GroupTester tester;
  auto [id, join] = tester.join_new();
  tester.advance(3000);
  const auto again = tester.join({.member = id});
  ASSERT_EQ(again.error(), ErrorCode::kNone);
  EXPECT_EQ(again.get().generation_id, 1);
  EXPECT_EQ(again.get().members.size(), 1U);
}

TEST(JoinGroup, AnAbandonedRequestIsAnsweredWhenItsClientAsksAgain) {
  GroupTester tester;
  const auto ids = make_stable(tester, 2);
  const auto first = tester.join({.member = ids[0]});
  const auto second = tester.join({.member = ids[0]});
  EXPECT_EQ(first.error(), ErrorCode::kRebalanceInProgress);
  EXPECT_FALSE(second.ready());
  tester.join({.member = ids[1]});
  EXPECT_EQ(second.error(), ErrorCode::kNone);
}

TEST(JoinGroup, APendingMemberHoldsUpARebalanceUntilItsSessionEnds) {
  GroupTester tester;
  const auto ids = make_stable(tester, 1);
  const auto pending = tester.join({.session_timeout_ms = 6000});
  ASSERT_EQ(pending.error(), ErrorCode::kMemberIdRequired);
  const auto rejoin = tester.join({.member = ids[0]});
  EXPECT_FALSE(rejoin.ready());
  tester.advance(6000);
  EXPECT_EQ(rejoin.error(), ErrorCode::kNone);
  EXPECT_EQ(tester.join({.member = pending.get().member_id.str()}).error(), ErrorCode::kUnknownMemberId);
}

TEST(JoinGroup, ANewMemberIsNotParkedForever) {
  GroupTester tester;
  const auto ids = make_stable(tester, 1, {.session_timeout_ms = 1'800'000, .rebalance_timeout_ms = 1'800'000});
  auto [id, join] = tester.join_new({.session_timeout_ms = 1'800'000, .rebalance_timeout_ms = 1'800'000});
  tester.advance(5 * 60 * 1000);
  EXPECT_EQ(join.error(), ErrorCode::kUnknownMemberId);
  EXPECT_FALSE(tester.group()->has(id));
}

TEST(JoinGroup, AFullGroupRefusesNewMembers) {
  GroupTester tester({.max_size = 2});
  const auto ids = make_stable(tester, 2);
  EXPECT_EQ(tester.join({}).error(), ErrorCode::kGroupMaxSizeReached);
  EXPECT_EQ(tester.state(), GroupState::kStable);
  EXPECT_EQ(tester.join({.member = ids[1]}).error(), ErrorCode::kNone);
}

TEST(JoinGroup, WhileFormingOnlySoManyAreTaken) {
  GroupTester tester({.max_size = 2});
  auto [one, a] = tester.join_new();
  auto [two, b] = tester.join_new();
  EXPECT_EQ(tester.join({}).error(), ErrorCode::kGroupMaxSizeReached);
  tester.advance(60'000);
  EXPECT_EQ(a.error(), ErrorCode::kNone);
  EXPECT_EQ(b.error(), ErrorCode::kNone);
}

TEST(JoinGroup, AGroupLoadedOverTheLimitShrinks) {
  GroupTester tester;
  const auto ids = make_stable(tester, 3);
  tester.config.max_size = 2;
  tester.restart();
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
  tester.join({.member = ids[0]});
  tester.join({.member = ids[1]});
  EXPECT_EQ(tester.join({.member = ids[2]}).error(), ErrorCode::kGroupMaxSizeReached);
  EXPECT_EQ(tester.group()->members().size(), 2U);
}

TEST(JoinGroup, AGroupThatCouldNotBeWrittenDoesNotExist) {
  GroupTester tester;
  tester.fail_writes = ErrorCode::kKafkaStorageError;
  const auto join = tester.join({.version = 3});
  EXPECT_EQ(join.error(), ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(tester.group(), nullptr);
  tester.advance(600'000);
  tester.fail_writes.reset();
  EXPECT_EQ(tester.join({}).error(), ErrorCode::kMemberIdRequired);
}

// --- static members

JoinArgs static_member(const std::string& instance, std::vector<MemberProtocol> protocols = {{"range", {}}}) {
  return {.instance = instance, .protocols = std::move(protocols)};
}

struct StaticPair {
  std::string leader;
  std::string follower;
};

StaticPair make_static(GroupTester& tester, std::vector<MemberProtocol> protocols = {{"range", {}}}) {
  const auto a = tester.join(static_member("A", protocols));
  const auto b = tester.join(static_member("B", protocols));
  tester.advance_until_answered(a);
  const std::string first = a.get().member_id.str();
  const std::string second = b.get().member_id.str();
  EXPECT_EQ(a.get().leader.get(), first);
  tester.sync(second, 1, {}, "B");
  tester.sync(first, 1, {{first, "for A"}, {second, "for B"}}, "A");
  EXPECT_EQ(tester.state(), GroupState::kStable);
  return {first, second};
}

TEST(StaticMembers, NeedNoSecondRequest) {
  GroupTester tester;
  const auto join = tester.join(static_member("A"));
  EXPECT_FALSE(join.ready());
  tester.advance(3000);
  ASSERT_EQ(join.error(), ErrorCode::kNone);
  EXPECT_EQ(join.get().member_id.get().substr(0, 2), "A-");
  EXPECT_EQ(join.get().members.at(0).group_instance_id->get(), "A");
}

TEST(StaticMembers, ComeBackWithoutARebalance) {
  GroupTester tester;
  const auto ids = make_static(tester);
  const auto records = tester.log.size();
  const auto back = tester.join(static_member("B"));
  ASSERT_EQ(back.error(), ErrorCode::kNone);
  const std::string new_id = back.get().member_id.str();
  EXPECT_NE(new_id, ids.follower);
  EXPECT_EQ(back.get().generation_id, 1);
  EXPECT_EQ(back.get().leader.get(), ids.leader);
  EXPECT_EQ(tester.state(), GroupState::kStable);
  EXPECT_EQ(tester.log.size(), records + 1) << "the new id is written down";
  const auto sync = tester.sync(new_id, 1, {}, "B");
  EXPECT_EQ(as_text(sync.get().assignment.get()), "for B");
  // The old id is fenced, and a stranger is unknown.
  EXPECT_EQ(tester.heartbeat(ids.follower, 1, "B"), ErrorCode::kFencedInstanceId);
  EXPECT_EQ(tester.sync(ids.follower, 1, {}, "B").error(), ErrorCode::kFencedInstanceId);
  EXPECT_EQ(tester.join({.member = ids.follower, .instance = "B"}).error(), ErrorCode::kFencedInstanceId);
  EXPECT_EQ(tester.heartbeat(ids.follower, 1, "C"), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(tester.heartbeat(ids.follower, 1), ErrorCode::kUnknownMemberId);
}

TEST(StaticMembers, AReturningLeaderIsToldToSkipTheAssignment) {
  GroupTester tester;
  make_static(tester);
  const auto back = tester.join(static_member("A"));
  ASSERT_EQ(back.error(), ErrorCode::kNone);
  EXPECT_TRUE(back.get().skip_assignment);
  EXPECT_EQ(back.get().leader.get(), back.get().member_id.get());
  EXPECT_EQ(back.get().members.size(), 2U);
}

TEST(StaticMembers, BeforeVersionNineAReturningLeaderIsNotToldThatItLeads) {
  GroupTester tester;
  const auto ids = make_static(tester);
  auto args = static_member("A");
  args.version = 8;
  const auto back = tester.join(args);
  ASSERT_EQ(back.error(), ErrorCode::kNone);
  EXPECT_EQ(back.get().leader.get(), ids.leader);
  EXPECT_NE(back.get().member_id.get(), ids.leader);
  EXPECT_TRUE(back.get().members.empty());
}

TEST(StaticMembers, AnotherProtocolMeansARebalance) {
  GroupTester tester;
  make_static(tester, {{"range", {}}, {"sticky", {}}});
  const auto back = tester.join(static_member("B", {{"sticky", {}}}));
  EXPECT_FALSE(back.ready());
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
}

TEST(StaticMembers, ComingBackBeforeTheAssignmentMeansARebalance) {
  GroupTester tester;
  const auto a = tester.join(static_member("A"));
  const auto b = tester.join(static_member("B"));
  tester.advance_until_answered(a);
  const auto parked = tester.sync(b.get().member_id.str(), 1, {}, "B");
  EXPECT_FALSE(parked.ready());
  const auto back = tester.join(static_member("B"));
  EXPECT_EQ(parked.error(), ErrorCode::kFencedInstanceId);
  EXPECT_FALSE(back.ready());
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
  EXPECT_EQ(tester.sync(a.get().member_id.str(), 1, {}, "A").error(), ErrorCode::kRebalanceInProgress);
}

TEST(StaticMembers, AParkedPredecessorIsFenced) {
  GroupTester tester;
  const auto ids = make_static(tester);
  const auto old_join = tester.join({.member = ids.follower, .instance = "B", .protocols = {{"range", {1}}}});
  EXPECT_FALSE(old_join.ready());
  const auto back = tester.join(static_member("B"));
  EXPECT_EQ(old_join.error(), ErrorCode::kFencedInstanceId);
  EXPECT_EQ(old_join.get().member_id.get(), ids.follower);
  EXPECT_FALSE(back.ready());
}

TEST(StaticMembers, ANewIdThatCouldNotBeWrittenIsTakenBack) {
  GroupTester tester;
  const auto ids = make_static(tester);
  tester.fail_writes = ErrorCode::kMessageTooLarge;
  const auto back = tester.join(static_member("B"));
  EXPECT_EQ(back.error(), ErrorCode::kUnknownServerError);
  EXPECT_EQ(tester.heartbeat(ids.follower, 1, "B"), ErrorCode::kNone);
}

TEST(StaticMembers, SurviveARebalanceTheyDoNotJoin) {
  GroupTester tester;
  const auto ids = make_static(tester);
  tester.heartbeat(ids.follower, 1, "B");
  auto args =
      JoinArgs{.member = ids.leader, .instance = "A", .protocols = {{"range", {1}}}, .session_timeout_ms = 100'000};
  args.rebalance_timeout_ms = 5'000;
  // Both have a rebalance time-out of 60 s at most; B stays silent, but its session is alive by then.
  const auto rejoin = tester.join(args);
  for (int i = 0; i < 12 && !rejoin.ready(); ++i) {
    tester.heartbeat(ids.follower, 1, "B");
    tester.advance(5000);
  }
  ASSERT_EQ(rejoin.error(), ErrorCode::kNone);
  EXPECT_TRUE(tester.group()->has(ids.follower));
}

TEST(StaticMembers, AreRemovedByTheirInstanceId) {
  GroupTester tester;
  const auto ids = make_static(tester);
  EXPECT_EQ(tester.leave({{"", "B"}, {"", "nobody"}, {"", std::nullopt}}),
            (std::vector{ErrorCode::kNone, ErrorCode::kUnknownMemberId, ErrorCode::kUnknownMemberId}));
  EXPECT_FALSE(tester.group()->has(ids.follower));
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
}

}  // namespace
}  // namespace dohle::coordinator
