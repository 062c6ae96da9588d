// SyncGroup, Heartbeat, LeaveGroup and what becomes of silent members.
#include <gtest/gtest.h>

#include "group_tester.h"

namespace dohle::coordinator {
namespace {

std::string assignment_of(const Pending<protocol::SyncGroupResponse>& sync) {
  return std::string(as_text(sync.get().assignment.get()));
}

// Two members that have joined generation 1 and not synced yet, the leader first.
std::vector<std::string> make_joined(GroupTester& tester) {
  auto [one, a] = tester.join_new();
  auto [two, b] = tester.join_new();
  tester.advance_until_answered(a);
  EXPECT_EQ(tester.state(), GroupState::kCompletingRebalance);
  const bool first_leads = a.get().leader.get() == one;
  return first_leads ? std::vector{one, two} : std::vector{two, one};
}

TEST(SyncGroup, FollowersWaitForTheLeadersAssignment) {
  GroupTester tester;
  const auto ids = make_joined(tester);
  const auto follower = tester.sync(ids[1], 1);
  EXPECT_FALSE(follower.ready());
  const auto leader = tester.sync(ids[0], 1, {{ids[0], "left half"}, {ids[1], "right half"}, {"stranger", "nothing"}});
  ASSERT_EQ(leader.error(), ErrorCode::kNone);
  EXPECT_EQ(assignment_of(leader), "left half");
  EXPECT_EQ(assignment_of(follower), "right half");
  EXPECT_EQ(follower.get().protocol_name->get(), "range");
  EXPECT_EQ(follower.get().protocol_type->get(), "consumer");
  EXPECT_EQ(tester.state(), GroupState::kStable);
  EXPECT_EQ(assignment_of(tester.sync(ids[1], 1)), "right half") << "and again, when asked";
}

TEST(SyncGroup, WhoIsLeftOutGetsAnEmptyAssignment) {
  GroupTester tester;
  const auto ids = make_joined(tester);
  const auto follower = tester.sync(ids[1], 1);
  tester.sync(ids[0], 1, {{ids[0], "all"}});
  ASSERT_EQ(follower.error(), ErrorCode::kNone);
  EXPECT_EQ(assignment_of(follower), "");
}

TEST(SyncGroup, AnswersOnlyWhenTheAssignmentIsCommitted) {
  GroupTester tester;
  const auto ids = make_joined(tester);
  tester.hold_commits = true;
  const auto leader = tester.sync(ids[0], 1, {{ids[0], "x"}});
  const auto follower = tester.sync(ids[1], 1);
  EXPECT_FALSE(leader.ready());
  EXPECT_EQ(tester.state(), GroupState::kCompletingRebalance);
  tester.release();
  EXPECT_EQ(leader.error(), ErrorCode::kNone);
  EXPECT_EQ(follower.error(), ErrorCode::kNone);
  EXPECT_EQ(tester.state(), GroupState::kStable);
}

TEST(SyncGroup, AnAssignmentOfAnOlderGenerationIsDropped) {
  GroupTester tester;
  const auto ids = make_joined(tester);
  tester.hold_commits = true;
  const auto leader = tester.sync(ids[0], 1, {{ids[0], "x"}});
  tester.join({.member = ids[1], .protocols = {{"range", {1}}}});
  EXPECT_EQ(leader.error(), ErrorCode::kRebalanceInProgress);
  tester.release();
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
}

TEST(SyncGroup, AnAssignmentThatCouldNotBeWrittenMeansANewRound) {
  GroupTester tester;
  const auto ids = make_joined(tester);
  const auto follower = tester.sync(ids[1], 1);
  tester.fail_writes = ErrorCode::kNotEnoughReplicas;
  const auto leader = tester.sync(ids[0], 1, {{ids[0], "x"}});
  EXPECT_EQ(leader.error(), ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(follower.error(), ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(assignment_of(leader), "");
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
}

TEST(SyncGroup, IsForMembersOfThisGeneration) {
  GroupTester tester;
  EXPECT_EQ(tester.sync("x", 1).error(), ErrorCode::kUnknownMemberId) << "no such group";
  const auto ids = make_stable(tester, 2);
  EXPECT_EQ(tester.sync("x", 1).error(), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(tester.sync(ids[0], 0).error(), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(tester.sync(ids[0], 2).error(), ErrorCode::kIllegalGeneration);
  protocol::SyncGroupRequest request;
  request.group_id = "group";
  request.member_id = Text(ids[0]);
  request.generation_id = 1;
  request.protocol_name = Text("sticky");
  EXPECT_EQ(tester.sync(request).error(), ErrorCode::kInconsistentGroupProtocol);
  request.protocol_name = Text("range");
  request.protocol_type = Text("connect");
  EXPECT_EQ(tester.sync(request).error(), ErrorCode::kInconsistentGroupProtocol);
  request.protocol_type = Text("consumer");
  EXPECT_EQ(tester.sync(request).error(), ErrorCode::kNone);
  tester.join({.member = ids[0]});
  EXPECT_EQ(tester.sync(ids[1], 1).error(), ErrorCode::kRebalanceInProgress);
}

TEST(SyncGroup, WhoDoesNotSyncInTimeIsOut) {
  GroupTester tester;
  auto [one, a] = tester.join_new({.session_timeout_ms = 100'000, .rebalance_timeout_ms = 5000});
  auto [two, b] = tester.join_new({.session_timeout_ms = 100'000, .rebalance_timeout_ms = 5000});
  tester.advance_until_answered(a);
  const std::string follower = a.get().leader.get() == one ? two : one;
  const std::string leader = follower == one ? two : one;
  const auto parked = tester.sync(follower, 1);
  tester.advance(5000);
  EXPECT_EQ(parked.error(), ErrorCode::kRebalanceInProgress);
  EXPECT_FALSE(tester.group()->has(leader));
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
  const auto again = tester.join({.member = follower, .session_timeout_ms = 100'000, .rebalance_timeout_ms = 5000});
  ASSERT_EQ(again.error(), ErrorCode::kNone);
  EXPECT_EQ(again.get().generation_id, 2);
  EXPECT_EQ(again.get().leader.get(), follower);
}

TEST(SyncGroup, AStableGroupStillExpectsEverybodysSync) {
  GroupTester tester;
  auto [one, a] = tester.join_new({.session_timeout_ms = 100'000, .rebalance_timeout_ms = 5000});
  auto [two, b] = tester.join_new({.session_timeout_ms = 100'000, .rebalance_timeout_ms = 5000});
  tester.advance_until_answered(a);
  const std::string leader = a.get().leader.str();
  tester.sync(leader, 1, {{leader, "x"}});
  EXPECT_EQ(tester.state(), GroupState::kStable);
  tester.advance(5000);
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
  EXPECT_EQ(tester.group()->members().size(), 1U);
}

TEST(Heartbeat, IsForMembersOfThisGeneration) {
  GroupTester tester;
  EXPECT_EQ(tester.heartbeat("x", 1), ErrorCode::kUnknownMemberId);
  const auto ids = make_stable(tester, 1);
  EXPECT_EQ(tester.heartbeat("x", 1), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(tester.heartbeat(ids[0], 2), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(tester.heartbeat(ids[0], 1), ErrorCode::kNone);
}

TEST(Heartbeat, KeepsASessionAlive) {
  GroupTester tester;
  const auto ids = make_stable(tester, 1, {.session_timeout_ms = 10'000});
  for (int i = 0; i < 5; ++i) {
    tester.advance(9000);
    EXPECT_EQ(tester.heartbeat(ids[0], 1), ErrorCode::kNone);
  }
  const auto records = tester.log.size();
  tester.advance(10'000);
  EXPECT_EQ(tester.heartbeat(ids[0], 1), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(tester.state(), GroupState::kEmpty);
  EXPECT_EQ(tester.group()->generation(), 2);
  EXPECT_EQ(tester.log.size(), records + 1) << "that the group is empty is written down";
}

TEST(Heartbeat, AFailedMemberSetsOffARebalance) {
  GroupTester tester;
  const auto ids = make_stable(tester, 2);
  tester.advance(6000);
  EXPECT_EQ(tester.heartbeat(ids[1], 1), ErrorCode::kNone);
  tester.advance(5000);
  EXPECT_EQ(tester.heartbeat(ids[1], 1), ErrorCode::kRebalanceInProgress);
  const auto rejoin = tester.join({.member = ids[1]});
  ASSERT_EQ(rejoin.error(), ErrorCode::kNone);
  EXPECT_EQ(rejoin.get().leader.get(), ids[1]);
}

TEST(Heartbeat, WhoIsParkedNeedsNone) {
  GroupTester tester;
  const auto ids = make_stable(tester, 2);
  const auto rejoin = tester.join({.member = ids[0]});
  for (int i = 0; i < 5; ++i) {
    tester.advance(9000);
    EXPECT_EQ(tester.heartbeat(ids[1], 1), ErrorCode::kRebalanceInProgress);
  }
  EXPECT_FALSE(rejoin.ready());
  tester.join({.member = ids[1]});
  EXPECT_EQ(rejoin.error(), ErrorCode::kNone);
}

TEST(LeaveGroup, TheLastOneTurnsOffTheLight) {
  GroupTester tester;
  const auto ids = make_stable(tester, 1);
  EXPECT_EQ(tester.leave({{ids[0], std::nullopt}}), std::vector{ErrorCode::kNone});
  EXPECT_EQ(tester.state(), GroupState::kEmpty);
  EXPECT_EQ(tester.group()->protocol_type(), "consumer");
  EXPECT_EQ(tester.group()->leader(), std::nullopt);
}

TEST(LeaveGroup, AnswersForEachMember) {
  GroupTester tester;
  EXPECT_EQ(tester.leave({{"x", std::nullopt}}), std::vector{ErrorCode::kUnknownMemberId}) << "no such group";
  const auto ids = make_stable(tester, 2);
  const auto pending = tester.join({});
  EXPECT_EQ(tester.leave({{ids[1], std::nullopt}, {"x", std::nullopt}, {pending.get().member_id.str(), std::nullopt}}),
            (std::vector{ErrorCode::kNone, ErrorCode::kUnknownMemberId, ErrorCode::kNone}));
  EXPECT_EQ(tester.state(), GroupState::kPreparingRebalance);
  EXPECT_EQ(tester.join({.member = ids[0]}).error(), ErrorCode::kNone) << "nobody else is awaited";
}

TEST(LeaveGroup, APendingMemberThatLeavesHoldsNobodyUp) {
  GroupTester tester;
  const auto ids = make_stable(tester, 1);
  const auto pending = tester.join({});
  const auto rejoin = tester.join({.member = ids[0]});
  EXPECT_FALSE(rejoin.ready());
  tester.leave({{pending.get().member_id.str(), std::nullopt}});
  EXPECT_EQ(rejoin.error(), ErrorCode::kNone);
}

TEST(LeaveGroup, WhoIsParkedGetsAnAnswer) {
  GroupTester tester;
  const auto ids = make_stable(tester, 2);
  const auto rejoin = tester.join({.member = ids[0]});
  tester.leave({{ids[0], std::nullopt}});
  EXPECT_EQ(rejoin.error(), ErrorCode::kUnknownMemberId);
}

TEST(LeaveGroup, OlderVersionsNameOneMember) {
  protocol::LeaveGroupRequest request;
  request.group_id = "group";
  request.member_id = "me";
  EXPECT_EQ(normalized(request, 2).members.at(0).member_id.get(), "me");
  EXPECT_EQ(normalized(request, 3).members.size(), 0U);
}

TEST(Unload, WhoIsParkedIsSentAway) {
  GroupTester tester;
  const auto ids = make_joined(tester);
  const auto sync = tester.sync(ids[1], 1);
  auto [other, join] = tester.join_new({.group = "other"});
  tester.machine->on_unloaded();
  EXPECT_EQ(sync.error(), ErrorCode::kNotCoordinator);
  EXPECT_EQ(join.error(), ErrorCode::kNotCoordinator);
}

TEST(Restart, MembersCarryOnWhereTheyWere) {
  GroupTester tester;
  const auto ids = make_stable(tester, 2);
  tester.restart();
  EXPECT_EQ(tester.state(), GroupState::kStable);
  EXPECT_EQ(tester.heartbeat(ids[0], 1), ErrorCode::kNone);
  const auto sync = tester.sync(ids[1], 1);
  EXPECT_EQ(assignment_of(sync), ids[1]);
  EXPECT_EQ(tester.join({.member = ids[1]}).get().leader.get(), ids[0]);
  tester.advance(10'000);
  EXPECT_EQ(tester.state(), GroupState::kEmpty) << "sessions began anew, and ended";
}

TEST(Restart, StateAfterReplayIsTheStateBefore) {
  GroupTester tester;
  make_stable(tester, 3);
  make_stable(tester, 1, {.group = "leaver"});
  tester.advance(1);
  const auto fresh = tester.replayed();
  ASSERT_EQ(fresh->groups().all().size(), tester.machine->groups().all().size());
  for (const auto& [id, group] : tester.machine->groups().all()) {
    ClassicGroup& other = *fresh->groups().find(id);
    EXPECT_EQ(other.state(), group->state());
    EXPECT_EQ(other.generation(), group->generation());
    EXPECT_EQ(other.protocol_type(), group->protocol_type());
    EXPECT_EQ(other.protocol_name(), group->protocol_name());
    EXPECT_EQ(other.leader(), group->leader());
    ASSERT_EQ(other.members().size(), group->members().size());
    for (const auto& [member_id, member] : group->members()) {
      const ClassicMember& replayed = *other.find(member_id);
      EXPECT_EQ(replayed.assignment, member.assignment);
      EXPECT_EQ(replayed.client_id, member.client_id);
      EXPECT_EQ(replayed.client_host, member.client_host);
      EXPECT_EQ(replayed.session_timeout_ms, member.session_timeout_ms);
      EXPECT_EQ(replayed.rebalance_timeout_ms, member.rebalance_timeout_ms);
      EXPECT_EQ(*replayed.metadata("range"), *member.metadata("range"));
    }
  }
}

}  // namespace
}  // namespace dohle::coordinator
