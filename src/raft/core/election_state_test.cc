#include "core/election_state.h"

#include <gtest/gtest.h>

namespace dohle::raft {
namespace {

// Lines as Apache Kafka 4.4 writes them.
constexpr std::string_view kVersion1 =
    R"({"leaderId":1,"leaderEpoch":3,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})";
constexpr std::string_view kVersion0 =
    R"({"clusterId":"","leaderId":-1,"leaderEpoch":2,"votedId":3,"appliedOffset":0,)"
    R"("currentVoters":[{"voterId":1},{"voterId":2},{"voterId":3}],"data_version":0})";

TEST(QuorumState, ReadsAndWritesKafkasLines) {
  const auto one = decode_quorum_state(kVersion1);
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(*one, (ElectionState{.epoch = LeaderEpoch(3), .leader = 1}));
  EXPECT_EQ(encode_quorum_state(*one, 1), kVersion1);

  const auto zero = decode_quorum_state(kVersion0);
  ASSERT_TRUE(zero) << zero.error().message;
  EXPECT_EQ(zero->voted, (ReplicaKey{3, std::nullopt}));
  EXPECT_EQ(zero->leader, std::nullopt);
  EXPECT_EQ(zero->voters, (std::vector<std::int32_t>{1, 2, 3}));
  EXPECT_EQ(encode_quorum_state(*zero, 0), kVersion0);
}

TEST(QuorumState, RemembersTheVotesDirectory) {
  ElectionState state{.epoch = LeaderEpoch(9), .voted = ReplicaKey{2, Uuid{77, 88}}};
  const auto back = decode_quorum_state(encode_quorum_state(state, 1));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, state);
}

TEST(QuorumState, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(decode_quorum_state("").error().code, Errc::kMalformed);
  EXPECT_EQ(decode_quorum_state("{}").error().code, Errc::kMalformed);
  EXPECT_EQ(decode_quorum_state(R"({"data_version":2})").error().code, Errc::kUnsupported);
  EXPECT_EQ(decode_quorum_state(R"({"leaderId":1,"leaderEpoch":-3,"votedId":-1,"data_version":0})").error().code,
            Errc::kMalformed);
  EXPECT_EQ(
      decode_quorum_state(R"({"leaderId":1,"leaderEpoch":99999999999,"votedId":-1,"data_version":0})").error().code,
      Errc::kMalformed);
  for (std::size_t cut = 0; cut < kVersion1.size(); ++cut) EXPECT_FALSE(decode_quorum_state(kVersion1.substr(0, cut)));
}

}  // namespace
}  // namespace dohle::raft
