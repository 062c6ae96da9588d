// A metadata log and a bootstrap snapshot that Apache Kafka 4.4.0 wrote mean to us what they mean to Kafka.
#include <gtest/gtest.h>
#include <protocol/metadata_record.h>
#include <protocol/writer.h>

#include <metadata/delta.h>
#include <metadata/features.h>
#include <testing/golden_log.h>

namespace dohle::metadata {
namespace {

constexpr const char* kLog = "kafka-4.4.0.log";

// Replays up to and with the batch that ends at `last`, or everything.
ImageRef replay(std::int64_t last = INT64_MAX) {
  MetadataReplayer replayer;
  for (const GoldenBatch& batch : read_golden(kLog)) {
    if (batch.base_offset.value() > last) break;
    const auto update = replayer.replay_batch(batch.base_offset, batch.views(), batch.end);
    EXPECT_TRUE(update.has_value()) << update.error().message;
  }
  return replayer.image();
}

TEST(GoldenLog, TopicsAndPartitions) {
  const ImageRef image = replay();
  EXPECT_EQ(image->last_offset(), Offset(84));
  EXPECT_EQ(image->provenance().last_epoch, LeaderEpoch(2));
  EXPECT_EQ(image->topics().size(), 2U);
  EXPECT_EQ(image->topics().find("gone"), nullptr);
  const TopicImage* alpha = image->topics().find("alpha");
  ASSERT_NE(alpha, nullptr);
  EXPECT_EQ(alpha->id.uuid.to_string(), "CcR0K0r4QGuKokLeXXgt3g");
  EXPECT_EQ(image->topics().find(alpha->id), alpha);
  ASSERT_EQ(alpha->partitions.size(), 5U);
  for (auto [id, partition] : alpha->partitions) {
    EXPECT_EQ(partition->replicas, std::vector<std::int32_t>{1});
    EXPECT_EQ(partition->leader, kNoLeader);
    EXPECT_EQ(partition->leader_epoch, 3);  // -1 at the first stop, 1 at the second start, -1 again
    EXPECT_TRUE(partition->isr.empty());
    EXPECT_EQ(partition->elr, std::vector<std::int32_t>{1});
    EXPECT_EQ(partition->last_known_elr, std::vector<std::int32_t>{1});
    EXPECT_FALSE(is_reserved_directory(partition->directory(1)));
  }
  EXPECT_EQ(image->topics().find("alpha", 5), nullptr);
}

TEST(GoldenLog, EverythingElse) {
  const ImageRef image = replay();
  const FeatureLevels levels{{"eligible.leader.replicas.version", 1},
                             {"group.version", 1},
                             {"metadata.version", 33},
                             {"share.version", 2},
                             {"streams.version", 1},
                             {"transaction.version", 2}};
  EXPECT_EQ(image->features().finalized, levels);
  const BrokerRegistration* broker = image->cluster().broker(1);
  ASSERT_NE(broker, nullptr);
  EXPECT_EQ(broker->epoch, 64);
  EXPECT_TRUE(broker->fenced && broker->in_controlled_shutdown);
  EXPECT_EQ(broker->directories.size(), 2U);
  EXPECT_EQ(broker->cordoned_directories, std::vector<Uuid>{});
  ASSERT_NE(broker->endpoint("PLAINTEXT"), nullptr);
  EXPECT_EQ(broker->endpoint("PLAINTEXT")->port, 19092);
  EXPECT_EQ(broker->features.at("metadata.version"), (VersionRange{7, 33}));
  EXPECT_EQ(image->cluster().controllers.at(1)->endpoints.front().host, "localhost");
  EXPECT_EQ(image->configs().of(ConfigResourceType::kTopic, "beta.one"),
            (ConfigMap{{"retention.ms", "1000"}, {"segment.bytes", "1048576"}}));
  EXPECT_EQ(image->configs().of(ConfigResourceType::kBroker, ""),
            (ConfigMap{{"log.retention.ms", "123456789"}, {"min.insync.replicas", "1"}}));
  EXPECT_EQ(image->producer_ids().next_producer_id, 1000);
  EXPECT_EQ(image->security().scram.size(), 1U);
  EXPECT_EQ(image->security().acls.size(), 1U);
  ASSERT_EQ(image->security().client_quotas.size(), 1U);  // the other one was removed again
  EXPECT_EQ((*image->security().client_quotas.begin()).key.key, "producer_byte_rate");
}

TEST(GoldenLog, BootstrapRecordsShowOnlyWhenTheirTransactionEnds) {
  MetadataReplayer replayer;
  const auto batches = read_golden(kLog);
  const GoldenBatch& bootstrap = batches.at(1);
  const auto records = bootstrap.views();
  const std::span<const Bytes> all(records);
  const auto first = replayer.replay_batch(bootstrap.base_offset, all.first(4), bootstrap.end);
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(first->has_value());
  EXPECT_EQ(replayer.open_transaction(), bootstrap.base_offset);
  EXPECT_TRUE(replayer.image()->is_empty());
  const auto rest = replayer.replay_batch(bootstrap.base_offset + 4, all.subspan(4), bootstrap.end);
  ASSERT_TRUE(rest.has_value() && rest->has_value());
  EXPECT_EQ(replayer.image()->features().metadata_version(), 33);
  EXPECT_TRUE((*rest)->changes->features);
  EXPECT_FALSE(replayer.open_transaction().has_value());
}

TEST(GoldenLog, AnImageWrittenAsRecordsIsTheSameImage) {
  const ImageRef image = replay();
  std::vector<EncodedRecord> written;
  ASSERT_TRUE(write_image(*image, [&](EncodedRecord record) -> Result<> {
                written.push_back(std::move(record));
                return {};
              }).has_value());
  MetadataReplayer reader;
  reader.begin_snapshot();
  const std::vector<Bytes> views(written.begin(), written.end());
  ASSERT_TRUE(reader.add_to_snapshot(views).has_value());
  const MetadataUpdate update = reader.finish_snapshot(image->provenance());
  const MetadataChanges left = compare(*image, *update.image);
  EXPECT_EQ(left.topics.size(), 0U);
  EXPECT_EQ(left.configs.size(), 0U);
  EXPECT_EQ(left.brokers.size(), 0U);
  EXPECT_FALSE(left.controllers || left.features || left.producer_ids);
  std::vector<EncodedRecord> again;
  ASSERT_TRUE(write_image(*update.image, [&](EncodedRecord record) -> Result<> {
                again.push_back(std::move(record));
                return {};
              }).has_value());
  EXPECT_EQ(again, written);
}

TEST(GoldenLog, ChangesNameWhatChanged) {
  MetadataReplayer replayer;
  ImageRef before;
  for (const GoldenBatch& batch : read_golden(kLog)) {
    before = replayer.image();
    const auto update = replayer.replay_batch(batch.base_offset, batch.views(), batch.end);
    ASSERT_TRUE(update && *update);
    EXPECT_EQ((*update)->previous, before);
    // What was counted while replaying covers what a full comparison finds.
    const MetadataChanges found = compare(*before, *(*update)->image);
    for (const auto& [id, partitions] : found.topics) {
      ASSERT_TRUE((*update)->changes->topics.contains(id));
      for (const std::int32_t partition : partitions)
        EXPECT_TRUE((*update)->changes->topics.at(id).contains(partition));
    }
    for (const auto& resource : found.configs) EXPECT_TRUE((*update)->changes->configs.contains(resource));
    EXPECT_EQ(found.brokers, (*update)->changes->brokers);
    EXPECT_EQ(found.security, (*update)->changes->security);
  }
}

TEST(GoldenLog, ABootstrapSnapshotHoldsTheFeatureLevels) {
  MetadataDelta delta(MetadataImage::empty());
  for (const GoldenBatch& batch : read_golden("kafka-4.4.0-bootstrap.checkpoint")) {
    for (const Bytes record : batch.views()) ASSERT_TRUE(delta.replay(record).has_value());
  }
  const ImageRef image = delta.apply({});
  EXPECT_EQ(image->features().level("share.version"), 2);
  EXPECT_EQ(image->security().scram.size(), 1U);
}

TEST(MetadataDelta, RefusesWhatDoesNotFit) {
  const auto batches = read_golden(kLog);
  MetadataDelta delta(MetadataImage::empty());
  for (const GoldenBatch& batch : batches) {
    for (const Bytes record : batch.views()) {
      for (std::size_t cut = 0; cut < record.size(); ++cut) {
        // A cut record is refused or, where a shorter one makes sense, taken; it never reads past its end.
        MetadataDelta scratch(MetadataImage::empty());
        static_cast<void>(scratch.replay(record.first(cut)));
      }
    }
  }
  const auto late = batches.back().views();  // fences a broker that an empty image does not know
  const auto refused = delta.replay(late.front());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kCorrupt);
  const std::vector<std::uint8_t> unknown_type{1, 99, 0, 0};
  EXPECT_EQ(delta.replay(unknown_type).error().code, Errc::kUnsupported);
  const std::vector<std::uint8_t> old_frame{0, 20, 0, 0};
  EXPECT_EQ(delta.replay(old_frame).error().code, Errc::kUnsupported);
}

// delta_fuzz found a partition whose next epoch was no number any more.
TEST(MetadataDelta, RefusesAnEpochThatHasNoNextOne) {
  MetadataDelta delta(MetadataImage::empty());
  const protocol::TopicRecord topic{.name = "t", .topic_id = Uuid{7, 7}};
  protocol::PartitionRecord partition{.topic_id = topic.topic_id, .replicas = {1}, .isr = {1}, .leader = 1};
  const auto replay = [&delta](const auto& record, std::int16_t version) {
    protocol::Writer writer;
    protocol::encode_metadata_record(writer, protocol::MetadataRecord(record), version);
    return delta.replay(writer.bytes());
  };
  ASSERT_TRUE(replay(topic, 0));
  partition.partition_epoch = INT32_MAX;
  EXPECT_EQ(replay(partition, 0).error().code, Errc::kCorrupt);
  partition.partition_epoch = INT32_MAX - 1;
  ASSERT_TRUE(replay(partition, 0));
  const protocol::PartitionChangeRecord change{.topic_id = topic.topic_id, .leader = 1};
  EXPECT_EQ(replay(change, 0).error().code, Errc::kCorrupt);
}

}  // namespace
}  // namespace dohle::metadata
