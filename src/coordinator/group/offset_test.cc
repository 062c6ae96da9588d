// Offsets: commit, fetch, delete, expiry; groups: describe, list, delete.
#include <limits>

#include <gtest/gtest.h>

#include "group_tester.h"

namespace dohle::coordinator {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kWeekMs = 7 * 24 * kHourMs;

ErrorCode error_of(const Decision<protocol::OffsetCommitResponse>& done) {
  return done ? static_cast<ErrorCode>(done->topics.at(0).partitions.at(0).error_code) : done.error();
}

protocol::OffsetCommitRequest of_member(protocol::OffsetCommitRequest request, const std::string& member,
                                        std::int32_t generation) {
  request.member_id = Text(member);
  request.generation_id_or_member_epoch = generation;
  return request;
}

JoinArgs subscribed(const std::vector<std::string>& topics) {
  return {.protocols = {{"range", subscription(topics)}}, .session_timeout_ms = 1'000'000};
}

TEST(OffsetCommit, NeedsNoGroupForOneWhoAssignsItself) {
  GroupTester tester;
  EXPECT_EQ(error_of(tester.commit(GroupTester::commit_request(42))), ErrorCode::kNone);
  EXPECT_EQ(tester.committed(), 42);
  ASSERT_NE(tester.group(), nullptr);
  EXPECT_EQ(tester.state(), GroupState::kEmpty);
  EXPECT_EQ(tester.group()->protocol_type(), std::nullopt);
  EXPECT_EQ(tester.committed("orders", 1), -1);
  EXPECT_EQ(tester.committed("payments"), -1);
  EXPECT_EQ(tester.committed("orders", 0, "other"), -1);
}

TEST(OffsetCommit, OfAMemberMustBeOfItsGeneration) {
  GroupTester tester;
  const auto request = GroupTester::commit_request(1);
  EXPECT_EQ(error_of(tester.commit(of_member(request, "x", 1), 9)), ErrorCode::kGroupIdNotFound);
  EXPECT_EQ(error_of(tester.commit(of_member(request, "x", 1), 8)), ErrorCode::kIllegalGeneration);
  const auto ids = make_stable(tester, 2);
  EXPECT_EQ(error_of(tester.commit(request)), ErrorCode::kUnknownMemberId) << "the group manages its partitions";
  EXPECT_EQ(error_of(tester.commit(of_member(request, "x", 1))), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(error_of(tester.commit(of_member(request, ids[0], 0))), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(error_of(tester.commit(of_member(request, ids[0], -1))), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(error_of(tester.commit(of_member(request, ids[0], 1))), ErrorCode::kNone);
  tester.join({.member = ids[0]});
  EXPECT_EQ(error_of(tester.commit(of_member(request, ids[1], 1))), ErrorCode::kNone) << "before it rejoins";
  tester.join({.member = ids[1]});
  EXPECT_EQ(error_of(tester.commit(of_member(request, ids[1], 2))), ErrorCode::kRebalanceInProgress);
}

TEST(OffsetCommit, IsASignOfLife) {
  GroupTester tester;
  const auto ids = make_stable(tester, 1, {.session_timeout_ms = 10'000});
  for (int i = 0; i < 3; ++i) {
    tester.advance(9000);
    EXPECT_EQ(error_of(tester.commit(of_member(GroupTester::commit_request(i), ids[0], 1))), ErrorCode::kNone);
  }
  EXPECT_EQ(tester.committed(), 2);
}

TEST(OffsetCommit, MetadataHasALimitInUtf16Units) {
  GroupTester tester({.offset_metadata_max_bytes = 4});
  auto request = GroupTester::commit_request(5);
  request.topics[0].partitions[0].committed_metadata = Text("😀😀");
  auto& second = request.topics[0].partitions.emplace_back();
  second.partition_index = 1;
  second.committed_offset = 6;
  second.committed_metadata = Text("12345");
  const auto done = tester.commit(request);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->topics[0].partitions[0].error_code, 0);
  EXPECT_EQ(done->topics[0].partitions[1].error_code, number(ErrorCode::kOffsetMetadataTooLarge));
  EXPECT_EQ(tester.committed("orders", 0), 5);
  EXPECT_EQ(tester.committed("orders", 1), -1);
}

TEST(OffsetCommit, CarriesEpochMetadataAndTopicId) {
  GroupTester tester;
  auto request = GroupTester::commit_request(5);
  request.topics[0].topic_id = Uuid{1, 2};
  request.topics[0].partitions[0].committed_leader_epoch = 3;
  request.topics[0].partitions[0].committed_metadata = Text("note");
  ASSERT_EQ(error_of(tester.commit(request)), ErrorCode::kNone);
  EXPECT_EQ(tester.committed("orders", 0, "group", Uuid{1, 2}), 5);
  EXPECT_EQ(tester.committed("orders", 0, "group", Uuid{9, 9}), -1) << "another topic of that name";
  const auto fresh = tester.replayed();
  const CommittedOffset* replayed = fresh->offsets().find("group", "orders", 0);
  ASSERT_NE(replayed, nullptr);
  EXPECT_EQ(*replayed, *tester.machine->offsets().find("group", "orders", 0));
  EXPECT_EQ(replayed->leader_epoch, 3);
  EXPECT_EQ(replayed->metadata, "note");
  EXPECT_EQ(replayed->topic_id, (Uuid{1, 2}));
  EXPECT_EQ(replayed->commit_timestamp_ms, tester.now_ms);
}

TEST(OffsetCommit, ThatCouldNotBeWrittenLeavesNoTrace) {
  GroupTester tester;
  tester.commit(GroupTester::commit_request(1));
  tester.fail_writes = ErrorCode::kKafkaStorageError;
  tester.commit(GroupTester::commit_request(2));
  EXPECT_EQ(tester.committed(), 1);
}

TEST(OffsetFetch, OfAllTopics) {
  GroupTester tester;
  GroupTester::FetchGroupRequest request;
  request.group_id = "group";
  request.topics.reset();
  EXPECT_TRUE(tester.machine->fetch_offsets(request, true).topics.empty());
  tester.commit(GroupTester::commit_request(1, "b", 1));
  tester.commit(GroupTester::commit_request(2, "b", 0));
  tester.commit(GroupTester::commit_request(3, "a", 0));
  const auto all = tester.machine->fetch_offsets(request, true);
  ASSERT_EQ(all.topics.size(), 2U);
  EXPECT_EQ(all.topics[0].name.get(), "a");
  EXPECT_EQ(all.topics[1].partitions.size(), 2U);
  EXPECT_EQ(all.topics[1].partitions[0].committed_offset, 2);
}

TEST(OffsetFetch, WhatATransactionHoldsIsNotStable) {
  GroupTester tester;
  tester.commit(GroupTester::commit_request(1));
  CommittedOffset pending{.offset = 9, .commit_timestamp_ms = 1};
  auto record = offset_record("group", "orders", 0, pending);
  UndoLog undo;
  const ReplayedRecord replayed{
      .offset = Offset(100), .producer_id = ProducerId(7), .key = record.key, .value = Bytes(*record.value)};
  ASSERT_TRUE(tester.machine->replay(replayed, undo));
  GroupTester::FetchGroupRequest request;
  request.group_id = "group";
  auto& topic = request.topics->emplace_back();
  topic.name = "orders";
  topic.partition_indexes = {0, 1};
  EXPECT_EQ(tester.machine->fetch_offsets(request, false).topics[0].partitions[0].committed_offset, 1);
  const auto stable = tester.machine->fetch_offsets(request, true);
  EXPECT_EQ(stable.topics[0].partitions[0].error_code, number(ErrorCode::kUnstableOffsetCommit));
  EXPECT_EQ(stable.topics[0].partitions[0].committed_offset, -1);
  EXPECT_EQ(stable.topics[0].partitions[1].error_code, 0);
  tester.machine->replay_transaction_end(ProducerId(7), true);
  EXPECT_EQ(tester.committed(), 9);
}

TEST(OffsetExpiry, CountsFromTheCommitForThoseWithoutAGroup) {
  GroupTester tester({.offsets_retention_ms = kWeekMs});
  tester.commit(GroupTester::commit_request(1, "old"));
  tester.advance(kWeekMs - kHourMs);
  tester.commit(GroupTester::commit_request(2, "new"));
  tester.advance(kHourMs + 600'000);
  EXPECT_EQ(tester.committed("old"), -1);
  EXPECT_EQ(tester.committed("new"), 2);
  EXPECT_NE(tester.group(), nullptr);
  tester.advance(kWeekMs);
  EXPECT_EQ(tester.group(), nullptr) << "an empty group without offsets goes too";
  EXPECT_TRUE(tester.replayed()->groups().all().empty());
}

TEST(OffsetExpiry, CountsFromWhenTheGroupBecameEmpty) {
  GroupTester tester({.offsets_retention_ms = kWeekMs});
  const auto ids = make_stable(tester, 1, subscribed({"orders"}));
  tester.commit(of_member(GroupTester::commit_request(1), ids[0], 1));
  for (int i = 0; i < 8 * 24 * 4; ++i) {
    tester.advance(900'000);
    tester.heartbeat(ids[0], 1);
  }
  EXPECT_EQ(tester.committed(), 1) << "its topic is subscribed";
  tester.leave({{ids[0], std::nullopt}});
  tester.advance(kWeekMs - kHourMs);
  EXPECT_EQ(tester.committed(), 1);
  tester.advance(2 * kHourMs);
  EXPECT_EQ(tester.committed(), -1);
  EXPECT_EQ(tester.group(), nullptr);
}

// Kafka writes a tombstone for a group that nobody has heard of yet, and forgets who was about to join it.
TEST(OffsetExpiry, LeavesAGroupThatSomebodyIsAboutToJoin) {
  GroupTester tester({.offsets_retention_ms = kHourMs, .offsets_retention_check_interval_ms = 500});
  const auto pending = tester.join({});
  ASSERT_EQ(pending.error(), ErrorCode::kMemberIdRequired);
  tester.advance(2'000);
  ASSERT_NE(tester.group(), nullptr);
  EXPECT_TRUE(tester.group()->has_pending());
  tester.advance(kHourMs);
  EXPECT_EQ(tester.group(), nullptr) << "it did not come within its session time-out";
}

TEST(OffsetExpiry, TakesTopicsThatALiveGroupNoLongerReads) {
  GroupTester tester({.offsets_retention_ms = kHourMs});
  const auto ids = make_stable(tester, 1, subscribed({"orders"}));
  tester.commit(of_member(GroupTester::commit_request(1, "orders"), ids[0], 1));
  tester.commit(of_member(GroupTester::commit_request(2, "payments"), ids[0], 1));
  for (int i = 0; i < 6; ++i) {
    tester.advance(900'000);
    tester.heartbeat(ids[0], 1);
  }
  EXPECT_EQ(tester.committed("orders"), 1);
  EXPECT_EQ(tester.committed("payments"), -1);
}

TEST(OffsetExpiry, AnExplicitRetentionWins) {
  GroupTester tester;
  auto request = GroupTester::commit_request(1);
  request.retention_time_ms = kHourMs;
  tester.commit(request, 2);
  EXPECT_EQ(tester.replayed()->offsets().find("group", "orders", 0)->expire_timestamp_ms, tester.now_ms + kHourMs);
  tester.advance(kHourMs - 1);
  EXPECT_EQ(tester.committed(), 1);
  tester.advance(600'000);
  EXPECT_EQ(tester.committed(), -1);
}

TEST(OffsetExpiry, ARetentionBeyondTheEndOfTimeIsForEver) {
  GroupTester tester;
  auto request = GroupTester::commit_request(1);
  request.retention_time_ms = std::numeric_limits<std::int64_t>::max() - 1;
  tester.commit(request, 2);
  tester.advance(1000 * kHourMs);
  EXPECT_EQ(tester.committed(), 1);
}

TEST(OffsetDelete, ForgetsWhatIsNotRead) {
  GroupTester tester;
  protocol::OffsetDeleteRequest request;
  request.group_id = "group";
  for (const char* name : {"orders", "payments"}) {
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.partitions.emplace_back().partition_index = 0;
  }
  const auto remove = [&] {
    return tester.turn([&](Turn& now) { return tester.machine->delete_offsets(now, request); });
  };
  EXPECT_EQ(remove().error(), ErrorCode::kGroupIdNotFound);
  const auto ids = make_stable(tester, 1, subscribed({"orders"}));
  tester.commit(of_member(GroupTester::commit_request(1, "orders"), ids[0], 1));
  tester.commit(of_member(GroupTester::commit_request(2, "payments"), ids[0], 1));
  const auto done = remove();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->topics[0].partitions[0].error_code, number(ErrorCode::kGroupSubscribedToTopic));
  EXPECT_EQ(done->topics[1].partitions[0].error_code, 0);
  EXPECT_EQ(tester.committed("orders"), 1);
  EXPECT_EQ(tester.committed("payments"), -1);
}

TEST(OffsetDelete, OfALiveGroupThatIsNoConsumerIsRefused) {
  GroupTester tester;
  make_stable(tester, 1, {.protocol_type = "connect"});
  protocol::OffsetDeleteRequest request;
  request.group_id = "group";
  EXPECT_EQ(tester.turn([&](Turn& now) { return tester.machine->delete_offsets(now, request); }).error(),
            ErrorCode::kNonEmptyGroup);
}

TEST(TopicsDeleted, TakeTheirOffsetsAlong) {
  GroupTester tester;
  auto request = GroupTester::commit_request(1, "orders");
  request.topics[0].topic_id = Uuid{1, 1};
  tester.commit(request);
  tester.commit(GroupTester::commit_request(2, "payments", 0, "other"));
  const auto gone = [&](const std::string& name, Uuid id) {
    tester.turn([&](Turn& now) { tester.machine->topics_deleted(now, {{name, TopicId{id}}}); });
  };
  gone("orders", Uuid{2, 2});
  EXPECT_EQ(tester.committed("orders"), 1) << "of an earlier topic of that name";
  gone("orders", Uuid{1, 1});
  EXPECT_EQ(tester.committed("orders"), -1);
  gone("payments", Uuid{3, 3});
  EXPECT_EQ(tester.committed("payments", 0, "other"), -1) << "older records do not say which topic they mean";
}

TEST(DeleteGroups, OnlyEmptyOnes) {
  GroupTester tester;
  make_stable(tester, 1, {.group = "busy"});
  tester.commit(GroupTester::commit_request(1, "orders", 0, "idle"));
  tester.commit(GroupTester::commit_request(1, "orders", 1, "idle"));
  const auto results =
      tester.turn([&](Turn& now) { return tester.machine->delete_groups(now, {"busy", "idle", "unknown"}); });
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].error_code, number(ErrorCode::kNonEmptyGroup));
  EXPECT_EQ(results[1].error_code, 0);
  EXPECT_EQ(results[2].error_code, number(ErrorCode::kGroupIdNotFound));
  EXPECT_EQ(tester.group("idle"), nullptr);
  EXPECT_EQ(tester.committed("orders", 1, "idle"), -1);
  const auto fresh = tester.replayed();
  EXPECT_EQ(fresh->groups().find("idle"), nullptr);
  EXPECT_EQ(fresh->offsets().find("idle"), nullptr);
}

TEST(DescribeGroups, MembersWithTheirMetadataWhenStable) {
  GroupTester tester;
  auto args = subscribed({"orders"});
  args.client_id = "me";
  const auto ids = make_stable(tester, 1, args);
  auto described = tester.machine->describe({"group", "unknown"}, 6);
  EXPECT_EQ(described[0].group_state.get(), "Stable");
  EXPECT_EQ(described[0].protocol_type.get(), "consumer");
  EXPECT_EQ(described[0].protocol_data.get(), "range");
  ASSERT_EQ(described[0].members.size(), 1U);
  EXPECT_EQ(described[0].members[0].member_id.get(), ids[0]);
  EXPECT_EQ(described[0].members[0].client_id.get(), "me");
  EXPECT_EQ(described[0].members[0].client_host.get(), "/127.0.0.1");
  EXPECT_EQ(described[0].members[0].member_metadata, Blob(subscription({"orders"})));
  EXPECT_EQ(as_text(described[0].members[0].member_assignment.get()), ids[0]);
  EXPECT_EQ(described[1].group_state.get(), "Dead");
  EXPECT_EQ(described[1].error_code, number(ErrorCode::kGroupIdNotFound));
  EXPECT_EQ(described[1].error_message->get(), "Group unknown not found.");
  EXPECT_EQ(tester.machine->describe({"unknown"}, 5)[0].error_code, 0);
  tester.join({.member = ids[0], .protocols = args.protocols});
  described = tester.machine->describe({"group"}, 6);
  EXPECT_EQ(described[0].group_state.get(), "CompletingRebalance");
  EXPECT_EQ(described[0].protocol_data.get(), "");
  EXPECT_TRUE(described[0].members[0].member_metadata.empty());
}

TEST(ListGroups, FiltersByStateAndType) {
  GroupTester tester;
  make_stable(tester, 1, {.group = "busy"});
  tester.commit(GroupTester::commit_request(1, "orders", 0, "idle"));
  const auto list = [&](std::vector<Text> states, std::vector<Text> types) {
    protocol::ListGroupsRequest filter;
    filter.states_filter = std::move(states);
    filter.types_filter = std::move(types);
    std::vector<protocol::ListGroupsResponse::ListedGroup> groups;
    tester.machine->list(filter, groups);
    std::vector<std::string> names;
    for (const auto& group : groups) {
      names.push_back(group.group_id.str());
      EXPECT_EQ(group.group_type.get(), "classic");
    }
    return names;
  };
  EXPECT_EQ(list({}, {}), (std::vector<std::string>{"busy", "idle"}));
  EXPECT_EQ(list({" STABLE "}, {}), (std::vector<std::string>{"busy"}));
  EXPECT_EQ(list({"empty", "dead"}, {"Classic"}), (std::vector<std::string>{"idle"}));
  EXPECT_EQ(list({}, {"consumer"}), (std::vector<std::string>{}));
  EXPECT_EQ(list({}, {"nonsense"}), (std::vector<std::string>{}));
}

}  // namespace
}  // namespace dohle::coordinator
