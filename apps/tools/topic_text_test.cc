#include "topic_text.h"

#include <gtest/gtest.h>

namespace dohle::app {
namespace {

TEST(TopicText, IsKafkasLine) {
  const TopicText topic{.name = "t",
                        .id = *Uuid::parse("AAAAAAAAAAAAAAAAAAAAAg"),
                        .configs = {"min.insync.replicas=1", "segment.bytes=1048576"},
                        .partitions = {{.index = 0, .leader = 1, .replicas = {1, 2}, .isr = {1}}}};
  EXPECT_EQ(topic.line(),
            "Topic: t\tTopicId: AAAAAAAAAAAAAAAAAAAAAg\tPartitionCount: 1\tReplicationFactor: 2\tConfigs: "
            "min.insync.replicas=1,segment.bytes=1048576");
  EXPECT_EQ(topic.partitions[0].line("t"),
            "\tTopic: t\tPartition: 0\tLeader: 1\tReplicas: 1,2\tIsr: 1\tElr: N/A\tLastKnownElr: N/A");
}

TEST(TopicText, ShowsEligibleReplicasAndReassignments) {
  PartitionText partition{.index = 3, .leader = -1, .replicas = {1, 2, 3}, .isr = {}};
  partition.elr.emplace();
  partition.last_known_elr = {2};
  partition.reassignment = {{1, 2, 3}, {3}, {1}};
  EXPECT_EQ(partition.line("t"),
            "\tTopic: t\tPartition: 3\tLeader: none\tReplicas: 1,2,3\tIsr: \tAdding Replicas: 3\tRemoving Replicas: 1"
            "\tElr: \tLastKnownElr: 2");
  EXPECT_EQ(partition.replication_factor(), 2U);
  EXPECT_TRUE(partition.is_under_replicated());
}

TEST(TopicText, ACompletedReassignmentDoesNotCount) {
  PartitionText partition{.replicas = {4, 5}, .isr = {4, 5}};
  partition.reassignment = {{1, 2, 3}, {3}, {1}};
  EXPECT_EQ(partition.replication_factor(), 2U);
  EXPECT_FALSE(partition.is_under_replicated());
}

TEST(ReplicaAssignment, IsReadAndChecked) {
  EXPECT_EQ(*parse_replica_assignment("0:1,1:2"), (std::vector<std::vector<std::int32_t>>{{0, 1}, {1, 2}}));
  EXPECT_TRUE(parse_replica_assignment("")->empty());
  EXPECT_EQ(parse_replica_assignment("1:1").error(), "Partition replica lists may not contain duplicate entries: 1");
  EXPECT_EQ(parse_replica_assignment("0:1,2").error(), "Partition 1 has different replication factor: [2]");
  EXPECT_FALSE(parse_replica_assignment("a:b").has_value());
}

}  // namespace
}  // namespace dohle::app
