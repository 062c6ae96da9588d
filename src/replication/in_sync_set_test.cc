#include <replication/in_sync_set.h>

#include <gtest/gtest.h>

namespace dohle::replication {
namespace {

const BrokerId kA{1};
const BrokerId kB{2};
const BrokerId kC{3};

TEST(InSyncSet, OneReplicaFollowsItsOwnEnd) {
  InSyncSet set(kA, {kA}, {kA});
  set.set_leader_end(Offset(7));
  EXPECT_EQ(set.advance_high_watermark(Offset(0), 1), Offset(7));
  EXPECT_EQ(set.advance_high_watermark(Offset(9), 1), Offset(9)) << "the high watermark never moves back";
}

TEST(InSyncSet, SlowestInSyncReplicaDecides) {
  InSyncSet set(kA, {kA, kB, kC}, {kA, kB});
  set.set_leader_end(Offset(10));
  EXPECT_EQ(set.advance_high_watermark(Offset(0), 1), Offset(0));
  EXPECT_TRUE(set.on_follower_fetch(kB, Offset(6)));
  EXPECT_EQ(set.advance_high_watermark(Offset(0), 1), Offset(6));
  EXPECT_TRUE(set.on_follower_fetch(kC, Offset(3))) << "a replica out of sync does not hold the watermark back";
  EXPECT_EQ(set.advance_high_watermark(Offset(0), 1), Offset(6));
  EXPECT_FALSE(set.on_follower_fetch(BrokerId(9), Offset(10)));
}

TEST(InSyncSet, MinimumIsCappedByReplicaCountAndStopsTheWatermark) {
  InSyncSet one(kA, {kA}, {kA});
  EXPECT_TRUE(one.has_enough(2)) << "one replica with min.insync.replicas=2 accepts acks=all";
  InSyncSet three(kA, {kA, kB, kC}, {kA});
  three.set_leader_end(Offset(5));
  EXPECT_FALSE(three.has_enough(2));
  EXPECT_EQ(three.advance_high_watermark(Offset(2), 2), Offset(2));
}

}  // namespace
}  // namespace dohle::replication
