// What kafka-storage prints and writes, against what Kafka 4.4.0's StorageTool printed and wrote.
#include <metadata/storage_format.h>

#include <sstream>

#include <gtest/gtest.h>

#include <raft/snapshot_reader.h>
#include <runtime/memory/memory_shards.h>
#include <storage/meta_properties.h>
#include <testing/golden_log.h>

namespace dohle::metadata {
namespace {

constexpr const char* kCluster = "4L6g3nShT-eMCtK--X86sw";

class StorageFormat : public ::testing::Test {
 protected:
  StorageSettings settings{.node_id = 1,
                           .log_dirs = {"/d/data", "/d/data2"},
                           .metadata_log_dir = "/d/data",
                           .controller_listener = "CONTROLLER",
                           .controller_host = "localhost",
                           .controller_port = 19093};
  runtime::MemoryShards shards{1};
  std::ostringstream out;
  std::ostringstream err;
  StorageTool tool{shards.at(0).files(), shards.at(0).random(), shards.clock(), out, err};

  int format(FormatOptions options) {
    out.str("");
    err.str("");
    options.cluster_id = kCluster;
    return tool.format(settings, options);
  }
  std::string info(int expected) {
    out.str("");
    EXPECT_EQ(tool.info(settings), expected);
    return out.str();
  }
};

TEST_F(StorageFormat, StandaloneAsKafkaDoesIt) {
  EXPECT_EQ(format({.standalone = true}), 0);
  EXPECT_EQ(
      out.str(),
      "Bootstrap metadata: BootstrapMetadata(records=[ApiMessageAndVersion(FeatureLevelRecord(name='metadata.version', "
      "featureLevel=33) at version 0), "
      "ApiMessageAndVersion(FeatureLevelRecord(name='eligible.leader.replicas.version', "
      "featureLevel=1) at version 0), ApiMessageAndVersion(FeatureLevelRecord(name='group.version', featureLevel=1) at "
      "version 0), ApiMessageAndVersion(FeatureLevelRecord(name='share.version', featureLevel=2) at version 0), "
      "ApiMessageAndVersion(FeatureLevelRecord(name='streams.version', featureLevel=1) at version 0), "
      "ApiMessageAndVersion(FeatureLevelRecord(name='transaction.version', featureLevel=2) at version 0)], "
      "metadataVersionLevel=33, source=format command)\n"
      "Formatting dynamic metadata voter directory /d/data with metadata.version 4.4-IV2.\n"
      "Formatting data directory /d/data2 with metadata.version 4.4-IV2.\n");
  auto& files = shards.at(0).files();
  const auto first = storage::read_meta_properties(files, "/d/data").value();
  const auto second = storage::read_meta_properties(files, "/d/data2").value();
  EXPECT_EQ(first.version, 1);
  EXPECT_EQ(first.cluster_id, kCluster);
  EXPECT_EQ(first.node_id, 1);
  EXPECT_NE(first.directory_id, second.directory_id);
  const std::string path = "/d/data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint";
  auto snapshot = raft::SnapshotReader::open(files, path, raft::kBootstrapSnapshotId).value();
  EXPECT_EQ(snapshot->kraft_version(), 1);
  ASSERT_TRUE(snapshot->voters() && snapshot->voters()->find(1) != nullptr);
  const raft::Voter& voter = *snapshot->voters()->find(1);
  EXPECT_EQ(voter.key.directory, first.directory_id);
  EXPECT_EQ(voter.endpoints, (std::vector<raft::VoterEndpoint>{{"CONTROLLER", "localhost", 19093}}));
  // The data batch holds Kafka's bytes; Kafka's file has a SCRAM user besides.
  const auto batch = snapshot->next().value().value();
  const auto golden = read_golden("kafka-4.4.0-bootstrap.checkpoint").at(1).records;
  ASSERT_EQ(batch.records.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(std::vector<std::uint8_t>(batch.records[i].begin(), batch.records[i].end()), golden[i]);
  }
  EXPECT_FALSE(snapshot->next().value().has_value());
}

TEST_F(StorageFormat, InfoBeforeAndAfter) {
  EXPECT_EQ(info(1), "Found problems:\n  /d/data does not exist\n  /d/data2 does not exist\n\n");
  ASSERT_EQ(format({.standalone = true}), 0);
  const auto id = storage::read_meta_properties(shards.at(0).files(), "/d/data").value().directory_id->to_string();
  EXPECT_EQ(info(0),
            "Found log directories:\n  /d/data\n  /d/data2\n\nFound metadata: {cluster.id=4L6g3nShT-eMCtK--X86sw, "
            "directory.id=" +
                id + ", node.id=1, version=1}\n\n");
}

TEST_F(StorageFormat, FormattedDirectoriesStay) {
  ASSERT_EQ(format({.standalone = true}), 0);
  EXPECT_EQ(format({.standalone = true}), 1);
  EXPECT_EQ(
      err.str(),
      "Log directory /d/data is already formatted. Use --ignore-formatted to ignore this directory and format the "
      "others.\n");
  EXPECT_EQ(format({.ignore_formatted = true, .standalone = true}), 0);
  EXPECT_EQ(out.str(), "All of the log directories are already formatted.\n");
  settings.log_dirs.emplace_back("/d/data3");
  EXPECT_EQ(format({.ignore_formatted = true, .standalone = true}), 0);
  EXPECT_TRUE(out.str().ends_with("Formatting data directory /d/data3 with metadata.version 4.4-IV2.\n"));
  settings.node_id = 2;
  EXPECT_EQ(format({.ignore_formatted = true, .standalone = true}), 1);
}

TEST_F(StorageFormat, StaticQuorumHasNoVotersInItsSnapshot) {
  settings.has_static_voters = true;
  ASSERT_EQ(format({}), 0) << err.str();
  EXPECT_NE(out.str().find("Formatting metadata directory /d/data with"), std::string::npos);
  const std::string path = "/d/data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint";
  auto snapshot = raft::SnapshotReader::open(shards.at(0).files(), path, raft::kBootstrapSnapshotId).value();
  EXPECT_EQ(snapshot->kraft_version(), 0);
  EXPECT_FALSE(snapshot->voters().has_value());
  EXPECT_EQ(format({.standalone = true}), 1);
  EXPECT_TRUE(err.str().starts_with("You cannot specify controller.quorum.voters and format the node with"));
}

TEST_F(StorageFormat, RefusesWithKafkasSentences) {
  EXPECT_EQ(format({}), 1);
  EXPECT_EQ(err.str(),
            "Because controller.quorum.voters is not set on this controller, you must specify one of the following: "
            "--standalone, --initial-controllers, or --no-initial-controllers.\n");
  EXPECT_EQ(format({.release_version = "2.0", .standalone = true}), 1);
  EXPECT_TRUE(
      err.str().starts_with("Unknown metadata.version '2.0'. Supported metadata.version are: 3.3-IV3, 3.4-IV0, "));
  EXPECT_TRUE(err.str().ends_with("4.4-IV1, 4.4-IV2\n"));
  EXPECT_EQ(format({.features = {"nonsense=1"}, .standalone = true}), 1);
  EXPECT_TRUE(err.str().starts_with("Unsupported feature: nonsense. Supported features are: "));
  EXPECT_EQ(format({.release_version = "3.9", .features = {"eligible.leader.replicas.version=1"}, .standalone = true}),
            1);
  EXPECT_EQ(err.str(),
            "eligible.leader.replicas.version could not be set to 1 because it depends on metadata.version level 23\n");
  EXPECT_EQ(format({.initial_controllers = "1@host"}), 1);
  EXPECT_EQ(err.str(), "No colon following hostname could be found.\n");
  EXPECT_FALSE(shards.at(0).files().exists("/d/data"));
}

TEST_F(StorageFormat, AnOlderReleaseAndChosenLevels) {
  ASSERT_EQ(format({.release_version = "4.0", .features = {"transaction.version=1"}, .standalone = true}), 0);
  const std::string path = "/d/data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint";
  auto snapshot = raft::SnapshotReader::open(shards.at(0).files(), path, raft::kBootstrapSnapshotId).value();
  MetadataDelta delta(MetadataImage::empty());
  const auto batch = snapshot->next().value().value();
  for (const Bytes record : batch.records) ASSERT_TRUE(delta.replay(record).has_value());
  EXPECT_EQ(delta.apply({})->features().finalized,
            (FeatureLevels{{"group.version", 1}, {"metadata.version", 25}, {"transaction.version", 1}}));
}

TEST_F(StorageFormat, InitialControllersNameThisNodesDirectory) {
  ASSERT_EQ(format({.initial_controllers = "1@[::1]:8082:JEXY6aqzQY-32P5TStzaFg,2@b:8083:MvDxzVmcRsaTz33bUuRU6A"}), 0);
  EXPECT_EQ(storage::read_meta_properties(shards.at(0).files(), "/d/data").value().directory_id->to_string(),
            "JEXY6aqzQY-32P5TStzaFg");
}

TEST_F(StorageFormat, MappingsAndDependencies) {
  EXPECT_EQ(tool.version_mapping(std::nullopt), 0);
  EXPECT_EQ(out.str(),
            "metadata.version=33 (4.4-IV2)\nkraft.version=1\ntransaction.version=2\ngroup.version=1\n"
            "eligible.leader.replicas.version=1\nshare.version=2\nstreams.version=1\n");
  out.str("");
  EXPECT_EQ(tool.version_mapping("4.0"), 0);
  EXPECT_EQ(out.str(),
            "metadata.version=25 (4.0)\nkraft.version=1\ntransaction.version=2\ngroup.version=1\n"
            "eligible.leader.replicas.version=0\nshare.version=0\nstreams.version=0\n");
  out.str("");
  EXPECT_EQ(tool.feature_dependencies({"eligible.leader.replicas.version=1", "metadata.version=33", "group.version=1"}),
            0);
  EXPECT_EQ(out.str(),
            "eligible.leader.replicas.version=1 requires:\n    metadata.version=23 (4.0-IV1)\n"
            "metadata.version=33 (4.4-IV2) has no dependencies.\ngroup.version=1 has no dependencies.\n");
  EXPECT_EQ(tool.feature_dependencies({"group.version=x"}), 1);
}

}  // namespace
}  // namespace dohle::metadata
