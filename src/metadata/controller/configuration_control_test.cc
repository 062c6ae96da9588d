#include <controller/configuration_control.h>

#include <gtest/gtest.h>

#include <testing/control_fixture.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

class ConfigurationControlTest : public ControlFixture {
 protected:
  const ConfigResource topic{ConfigResourceType::kTopic, "t"};
  const ConfigResource broker{ConfigResourceType::kBroker, "1"};
  const ConfigResource everywhere{ConfigResourceType::kBroker, ""};

  void SetUp() override {
    set_levels(33, 1);
    add_broker(1);
    add_topic("t", {{1}});
  }
  ErrorCode alter(const ConfigResource& resource, const ConfigChanges& changes) {
    RecordList records;
    const ApiError error = configs.alter_incrementally(view(), resource, changes, false, true, records);
    EXPECT_TRUE(!error.failed() || records.empty());
    apply(records);
    return error.code;
  }
  ConfigMap values(const ConfigResource& resource) { return image->configs().of(resource); }
};

TEST_F(ConfigurationControlTest, SetAndDelete) {
  EXPECT_EQ(alter(topic, {{"retention.ms", {ConfigOperation::kSet, "5"}}}), ErrorCode::kNone);
  EXPECT_EQ(values(topic), (ConfigMap{{"retention.ms", "5"}}));
  EXPECT_EQ(alter(topic, {{"retention.ms", {ConfigOperation::kDelete, std::nullopt}}}), ErrorCode::kNone);
  EXPECT_TRUE(values(topic).empty());
  EXPECT_EQ(alter(topic, {{"nonsense", {ConfigOperation::kSet, "5"}}}), ErrorCode::kInvalidConfig);
  EXPECT_EQ(alter({ConfigResourceType::kTopic, "x"}, {{"retention.ms", {ConfigOperation::kSet, "5"}}}),
            ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(alter(topic, {{"retention.ms", {ConfigOperation::kSet, std::string(32768, '1')}}}),
            ErrorCode::kInvalidConfig);
}

TEST_F(ConfigurationControlTest, AppendAndSubtractStartFromTheDefault) {
  EXPECT_EQ(alter(topic, {{"cleanup.policy", {ConfigOperation::kAppend, "compact"}}}), ErrorCode::kNone);
  EXPECT_EQ(values(topic).at("cleanup.policy"), "delete,compact");
  EXPECT_EQ(alter(topic, {{"cleanup.policy", {ConfigOperation::kAppend, "compact"}}}), ErrorCode::kNone);
  EXPECT_EQ(values(topic).at("cleanup.policy"), "delete,compact");
  EXPECT_EQ(alter(topic, {{"cleanup.policy", {ConfigOperation::kSubtract, "delete"}}}), ErrorCode::kNone);
  EXPECT_EQ(values(topic).at("cleanup.policy"), "compact");
  EXPECT_EQ(alter(topic, {{"retention.ms", {ConfigOperation::kAppend, "5"}}}), ErrorCode::kInvalidConfig);
}

TEST_F(ConfigurationControlTest, UnchangedBrokerSettingsAreWrittenAgain) {
  EXPECT_EQ(alter(broker, {{"ssl.keystore.location", {ConfigOperation::kSet, "/k"}}}), ErrorCode::kNone);
  const Offset before = next;
  EXPECT_EQ(alter(broker, {{"ssl.keystore.location", {ConfigOperation::kSet, "/k"}}}), ErrorCode::kNone);
  EXPECT_EQ(next, before.next());
  EXPECT_EQ(alter(topic, {{"retention.ms", {ConfigOperation::kDelete, std::nullopt}}}), ErrorCode::kNone);
  EXPECT_EQ(next, before.next());  // but a topic's are not
  EXPECT_EQ(alter({ConfigResourceType::kBroker, "7"}, {{"x", {ConfigOperation::kSet, "1"}}}),
            ErrorCode::kBrokerIdNotRegistered);
}

TEST_F(ConfigurationControlTest, MinInSyncReplicasUnderElr) {
  const ConfigChanges two{{"min.insync.replicas", {ConfigOperation::kSet, "2"}}};
  EXPECT_EQ(alter(broker, two), ErrorCode::kInvalidConfig);
  const Offset before = next;
  EXPECT_EQ(alter(everywhere, two), ErrorCode::kNone);
  EXPECT_EQ(next, before + 2);  // and a ClearElrRecord
  EXPECT_EQ(alter(everywhere, {{"min.insync.replicas", {ConfigOperation::kDelete, std::nullopt}}}),
            ErrorCode::kInvalidConfig);
  EXPECT_EQ(configs.effective_min_isr(*image, *image->topics().find("t")), 1);  // there is one replica only
  EXPECT_EQ(configs.topic_config(*image, "t", "min.insync.replicas").value, "2");
}

TEST_F(ConfigurationControlTest, ChangingMinInSyncReplicasClearsTheElr) {
  RecordList records;
  partitions.broker_stops_leading(view(), 1, records);
  apply(records);
  ASSERT_FALSE(partition("t").elr.empty());
  const auto epoch = partition("t").partition_epoch;
  EXPECT_EQ(alter(topic, {{"min.insync.replicas", {ConfigOperation::kSet, "1"}}}), ErrorCode::kNone);
  EXPECT_TRUE(partition("t").elr.empty());
  EXPECT_TRUE(partition("t").last_known_elr.empty());
  EXPECT_EQ(partition("t").partition_epoch, epoch + 1);
}

TEST_F(ConfigurationControlTest, LegacyAlterReplacesEverything) {
  EXPECT_EQ(
      alter(topic, {{"retention.ms", {ConfigOperation::kSet, "5"}}, {"segment.bytes", {ConfigOperation::kSet, "9"}}}),
      ErrorCode::kNone);
  RecordList records;
  const std::map<std::string, std::optional<std::string>, std::less<>> wanted{{"segment.bytes", "10"}};
  EXPECT_FALSE(configs.alter_legacy(view(), topic, wanted, true, records).failed());
  apply(records);
  EXPECT_EQ(values(topic), (ConfigMap{{"segment.bytes", "10"}}));
}

TEST_F(ConfigurationControlTest, CordonedDirectoriesFromOutsideMayOnlyShrink) {
  const auto set = [&](const char* value, bool forwarded) {
    RecordList records;
    const ConfigChanges changes{{"cordoned.log.dirs", {ConfigOperation::kSet, value}}};
    const ApiError error = configs.alter_incrementally(view(), broker, changes, false, forwarded, records);
    apply(records);
    return error.code;
  };
  EXPECT_EQ(set("/a", false), ErrorCode::kInvalidConfig);
  EXPECT_EQ(set("/a,/b", true), ErrorCode::kNone);
  EXPECT_EQ(set("/a", false), ErrorCode::kNone);
  EXPECT_EQ(set("/a, /b", false), ErrorCode::kInvalidConfig);
}

}  // namespace
}  // namespace dohle::metadata
