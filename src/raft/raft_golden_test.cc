// A metadata directory that Apache Kafka 4.4.0 formatted and wrote (tests/golden/raft) opens here and goes on.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "raft_world.h"

namespace dohle::raft {
namespace {

constexpr const char* kGolden = "tests/golden/raft/kafka-4.4";

std::string golden(const std::string& name) {
  std::ifstream file(std::string(kGolden) + "/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(RaftGolden, KafkasDirectoryOpensAndGoesOn) {
  RaftWorld world;
  RaftWorld::Node& node = world.add(1, Uuid(), "node1");
  auto& files = world.shards().files();
  {
    const auto scope = world.shards().enter(0);
    ASSERT_TRUE(files.create_directories("node1/__cluster_metadata-0"));
    for (const std::string name :
         {"meta.properties", "__cluster_metadata-0/00000000000000000000-0000000000.checkpoint",
          "__cluster_metadata-0/00000000000000000000.log", "__cluster_metadata-0/00000000000000000212.snapshot",
          "__cluster_metadata-0/leader-epoch-checkpoint", "__cluster_metadata-0/partition.metadata",
          "__cluster_metadata-0/quorum-state"}) {
      const auto file = files.open("node1/" + name, runtime::OpenMode::kCreateNew).value();
      ASSERT_TRUE(file->write_at(0, as_bytes(golden(name))));
    }
  }
  const auto started = world.start(node);
  ASSERT_TRUE(started) << started.error().message;
  world.await_leader();
  world.shards().run_until_idle();
  EXPECT_EQ(node.raft->leader_and_epoch(), (LeaderAndEpoch{1, LeaderEpoch(2)}));
  EXPECT_EQ(node.raft->kraft_version(), 1);
  const VoterSet voters = node.raft->voters();
  ASSERT_EQ(voters.size(), 1U);
  EXPECT_EQ(voters.find(1)->key.directory->to_string(), "oFKd3cghSvube7Zwgig0sA");
  EXPECT_EQ(voters.find(1)->max_kraft_version, 1);
  EXPECT_EQ(node.listener->loaded.size(), 6U);  // six feature levels
  EXPECT_EQ(node.listener->batches.front().last_offset, Offset(2));
  EXPECT_TRUE(node.listener->batches.front().control);
  EXPECT_EQ(node.listener->records.size(), 212U - 3U);                           // all but the first batch
  EXPECT_EQ(node.listener->records.at(12), std::string("\x01\x14\x00\x00", 4));  // NoOpRecord
  // Our endpoint differs from the one in Kafka's VotersRecord: the new epoch says so, as Kafka's would.
  EXPECT_EQ(voters.find(1)->endpoints.at(0).port, 9001);
  EXPECT_EQ(node.raft->log_end(), Offset(212 + 3));
  ASSERT_TRUE(world.append(node, {"next"}));
}

// The bytes of a fresh snapshot are Kafka's but for the time and what time changes.
TEST(RaftGolden, OurSnapshotsAreKafkasBytes) {
  RaftWorld world;
  const auto scope = world.shards().enter(0);
  auto& files = world.shards().files();
  const std::string kafkas = golden("__cluster_metadata-0/00000000000000000000-0000000000.checkpoint");
  ASSERT_TRUE(files.create_directories("d"));
  const auto path = snapshot_path("d", kBootstrapSnapshotId);
  ASSERT_TRUE(files.open(path, runtime::OpenMode::kCreateNew).value()->write_at(0, as_bytes(kafkas)));
  const auto reader = SnapshotReader::open(files, path, kBootstrapSnapshotId).value();
  auto batch = reader->next();
  ASSERT_TRUE(batch && *batch);
  std::vector<std::vector<std::uint8_t>> content;
  for (const Bytes record : (*batch)->records) content.emplace_back(record.begin(), record.end());

  ASSERT_TRUE(files.remove_file(path));
  auto writer = SnapshotWriter::create(files, "d", kBootstrapSnapshotId,
                                       {.last_contained_log_timestamp_ms = reader->last_contained_log_timestamp_ms(),
                                        .now_ms = (*batch)->append_timestamp_ms,
                                        .kraft_version = reader->kraft_version(),
                                        .voters = reader->voters()})
                    .value();
  ASSERT_TRUE(writer->append(content));
  ASSERT_TRUE(writer->freeze());
  const std::string ours = files.content(path).value();
  ASSERT_EQ(ours.size(), kafkas.size());
  // The data batch was written at the time we gave; header and footer batches differ in CRC and timestamps only.
  EXPECT_EQ(ours.substr(166, 253), kafkas.substr(166, 253));
  EXPECT_EQ(ours.substr(0, 17), kafkas.substr(0, 17));
  EXPECT_EQ(ours.substr(43, 123), kafkas.substr(43, 123));
  EXPECT_EQ(ours.substr(419, 17), kafkas.substr(419, 17));
  EXPECT_EQ(ours.substr(419 + 43), kafkas.substr(419 + 43));
}

TEST(RaftGolden, QuorumStateOfAStaticQuorum) {
  // kraft.version 0, as Kafka 4.4.0 writes it with controller.quorum.voters.
  RaftWorld world;
  world.format(1);
  RaftWorld::Node& node = world.node(1);
  {
    const auto scope = world.shards().enter(0);
    ASSERT_TRUE(
        world.shards().files().remove_file("node1/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"));
  }
  world.config.static_voters = VoterSet({{.key = {1, std::nullopt}, .endpoints = {{"CONTROLLER", "host", 9001}}}});
  ASSERT_TRUE(world.start(node));
  world.await_leader();
  EXPECT_EQ(node.raft->kraft_version(), 0);
  EXPECT_EQ(world.shards().files().content("node1/__cluster_metadata-0/quorum-state").value(),
            R"({"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,)"
            R"("currentVoters":[{"voterId":1}],"data_version":0})");
  EXPECT_EQ(node.raft->log_end(), Offset(1));
}

}  // namespace
}  // namespace dohle::raft
