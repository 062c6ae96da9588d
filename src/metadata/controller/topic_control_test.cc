#include <controller/topic_control.h>

#include <gtest/gtest.h>

#include <testing/control_fixture.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;
using protocol::number;

class TopicControlTest : public ControlFixture {
 protected:
  void SetUp() override {
    set_levels(33, 1);
    add_broker(1);
  }
  protocol::CreateTopicsRequest asking(const std::string& name, std::int32_t count, std::int16_t factor) {
    protocol::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = count;
    topic.replication_factor = factor;
    return request;
  }
  // The single result; applies the records.
  protocol::CreateTopicsResponse::CreatableTopicResult create(const protocol::CreateTopicsRequest& request) {
    auto decided = topics.create_topics(view(), request, true);
    EXPECT_TRUE(decided.has_value());
    apply(decided->records);
    return decided->response.topics.at(0);
  }
  std::int16_t error_of(const std::string& name, std::int32_t count, std::int16_t factor) {
    return create(asking(name, count, factor)).error_code;
  }
};

TEST_F(TopicControlTest, CreatesWithDefaultsAndSaysWhatItDid) {
  auto request = asking("orders", -1, -1);
  request.topics[0].configs.push_back({"retention.ms", Text("1000"), {}});
  const auto result = create(request);
  EXPECT_EQ(result.error_code, 0);
  EXPECT_FALSE(result.error_message.has_value());
  EXPECT_EQ(result.num_partitions, 2);
  EXPECT_EQ(result.replication_factor, 1);
  ASSERT_TRUE(result.configs.has_value());
  const auto& retention = result.configs->at(2);
  EXPECT_EQ(retention.name.get(), "retention.ms");
  EXPECT_EQ(retention.value, Text("1000"));
  EXPECT_EQ(retention.config_source, 1);
  EXPECT_EQ(result.configs->at(0).config_source, 5);
  const TopicImage* topic = image->topics().find("orders");
  ASSERT_NE(topic, nullptr);
  EXPECT_EQ(topic->id.uuid, result.topic_id);
  EXPECT_EQ(topic->partitions.size(), 2U);
  EXPECT_EQ(partition("orders").leader, 1);
  EXPECT_EQ(partition("orders").directories, std::vector<Uuid>{directory_of(1)});
  EXPECT_EQ(image->configs().of(ConfigResourceType::kTopic, "orders").at("retention.ms"), "1000");
}

TEST_F(TopicControlTest, ABrokerWithSeveralDirectoriesChoosesLater) {
  add_broker(2, false, 2);
  add_topic("t", {{2}});
  EXPECT_EQ(partition("t").directories, std::vector<Uuid>{kDirectoryUnassigned});
}

TEST_F(TopicControlTest, NamesAreChecked) {
  add_topic("a.b_c", {{1}});
  const auto text = [&](const std::string& name) { return create(asking(name, 1, 1)).error_message->str(); };
  EXPECT_EQ(error_of("a.b_c", 1, 1), number(ErrorCode::kTopicAlreadyExists));
  EXPECT_EQ(text("a.b_c"), "Topic 'a.b_c' already exists.");
  for (const char* other : {"a_b_c", "a.b.c", "a_b.c"}) {
    EXPECT_EQ(error_of(other, 1, 1), number(ErrorCode::kInvalidTopicException)) << other;
    EXPECT_EQ(text(other), std::string("Topic '") + other + "' collides with existing topic: a.b_c");
  }
  EXPECT_EQ(error_of("a.b_d", 1, 1), 0);
  EXPECT_EQ(error_of("a.b", 1, 1), 0);
  for (const char* bad : {"", ".", "..", "a b", "ä"}) {
    EXPECT_EQ(error_of(bad, 1, 1), number(ErrorCode::kInvalidTopicException)) << bad;
  }
  EXPECT_EQ(error_of(std::string(250, 'x'), 1, 1), number(ErrorCode::kInvalidTopicException));
  EXPECT_EQ(error_of(std::string(249, 'x'), 1, 1), 0);
}

TEST_F(TopicControlTest, CountsAndFactorsAreChecked) {
  EXPECT_EQ(error_of("t", 0, 1), number(ErrorCode::kInvalidPartitions));
  EXPECT_EQ(error_of("t", -2, 1), number(ErrorCode::kInvalidPartitions));
  EXPECT_EQ(error_of("t", 1, 0), number(ErrorCode::kInvalidReplicationFactor));
  const auto result = create(asking("t", 1, 3));
  EXPECT_EQ(result.error_code, number(ErrorCode::kInvalidReplicationFactor));
  EXPECT_EQ(
      result.error_message->get(),
      "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only "
      "1 broker(s) are registered or some brokers have all their log directories cordoned.");
  EXPECT_FALSE(topics.create_topics(view(), asking("t", 10'001, 1), true).has_value());
}

TEST_F(TopicControlTest, ValidateOnlyWritesNothing) {
  auto request = asking("t", 1, 1);
  request.validate_only = true;
  const auto decided = topics.create_topics(view(), request, true);
  ASSERT_TRUE(decided.has_value());
  EXPECT_TRUE(decided->records.empty());
  EXPECT_EQ(decided->response.topics.at(0).error_code, 0);
}

TEST_F(TopicControlTest, DuplicatesAndTheMetadataTopicAreRefused) {
  auto request = asking("twice", 1, 1);
  request.topics.push_back(request.topics[0]);
  request.topics.push_back(asking("__cluster_metadata", 1, 1).topics[0]);
  request.topics.push_back(asking("fine", 1, 1).topics[0]);
  const auto decided = topics.create_topics(view(), request, true);
  ASSERT_TRUE(decided.has_value());
  ASSERT_EQ(decided->response.topics.size(), 3U);
  EXPECT_EQ(decided->response.topics[0].name.get(), "fine");
  EXPECT_EQ(decided->response.topics[1].error_message, Text("Duplicate topic name."));
  EXPECT_EQ(decided->response.topics[2].error_code, number(ErrorCode::kInvalidRequest));
}

TEST_F(TopicControlTest, AssignmentsByHand) {
  add_broker(2);
  add_broker(3, /*fenced=*/true);
  const auto error = [&](std::vector<std::pair<std::int32_t, ReplicaIds>> assignments) {
    auto request = asking("manual", -1, -1);
    for (auto& [id, replicas] : assignments) request.topics[0].assignments.push_back({id, replicas, {}});
    const auto decided = topics.create_topics(view(), request, true);
    return decided->response.topics.at(0).error_code;
  };
  const auto invalid = number(ErrorCode::kInvalidReplicaAssignment);
  EXPECT_EQ(error({{0, {1, 2}}, {1, {2, 3}}}), 0);
  EXPECT_EQ(error({{0, {1}}, {0, {2}}}), invalid);     // twice
  EXPECT_EQ(error({{1, {1}}}), invalid);               // does not begin at 0
  EXPECT_EQ(error({{0, {1, 1}}}), invalid);            // a broker twice
  EXPECT_EQ(error({{0, {9}}}), invalid);               // unknown broker
  EXPECT_EQ(error({{0, {}}}), invalid);                // nobody
  EXPECT_EQ(error({{0, {1, 2}}, {1, {1}}}), invalid);  // different factors
  EXPECT_EQ(error({{0, {3}}}), invalid);               // only fenced ones
  auto request = asking("manual", 1, -1);
  request.topics[0].assignments.push_back({0, {1}, {}});
  EXPECT_EQ(topics.create_topics(view(), request, true)->response.topics.at(0).error_code,
            number(ErrorCode::kInvalidRequest));
}

TEST_F(TopicControlTest, AllBrokersFenced) {
  MetadataDelta delta(image);
  add_broker(1, /*fenced=*/true);
  EXPECT_EQ(error_of("t", 1, 1), number(ErrorCode::kInvalidReplicationFactor));
}

TEST_F(TopicControlTest, SettingsAreCheckedFirst) {
  auto request = asking("t", 1, 1);
  request.topics[0].configs.push_back({"nonsense", Text("1"), {}});
  EXPECT_EQ(create(request).error_code, number(ErrorCode::kInvalidConfig));
  request.topics[0].configs[0].value.reset();
  const auto result = create(request);
  EXPECT_EQ(result.error_code, number(ErrorCode::kInvalidConfig));
  EXPECT_EQ(result.error_message->get(), "Null value not supported for topic configs: nonsense");
  EXPECT_EQ(image->topics().size(), 0U);
}

TEST_F(TopicControlTest, DeletesByNameAndById) {
  add_topic("a", {{1}}, {{"retention.ms", "5"}});
  add_topic("b", {{1}});
  add_topic("c", {{1}});
  const Uuid b = image->topics().find("b")->id.uuid;
  const Uuid c = image->topics().find("c")->id.uuid;
  protocol::DeleteTopicsRequest request;
  request.topic_names = {Text("a"), Text("missing"), Text("c"), Text("x"), Text("x")};
  request.topics.push_back({std::nullopt, b, {}});
  request.topics.push_back({std::nullopt, c, {}});  // c is also named
  request.topics.push_back({std::nullopt, Uuid{9, 9}, {}});
  request.topics.push_back({std::nullopt, kZeroUuid, {}});
  request.topics.push_back({Text("b"), b, {}});
  auto decided = topics.delete_topics(view(), request);
  ASSERT_TRUE(decided.has_value());
  std::map<std::pair<std::string, std::string>, std::int16_t> codes;
  for (const auto& result : decided->response.responses) {
    codes[{result.name ? result.name->str() : "-", result.topic_id.to_string()}] = result.error_code;
  }
  const auto id_of = [&](const char* name) { return image->topics().find(name)->id.uuid.to_string(); };
  const std::string zero = kZeroUuid.to_string();
  EXPECT_EQ((codes.at({"a", id_of("a")})), 0);
  // b is asked for twice: by id, which works, and by name and id at once, which does not.
  EXPECT_EQ((codes.at({"b", id_of("b")})), 0);
  EXPECT_EQ(decided->response.responses.size(), 8U);
  EXPECT_EQ((codes.at({"missing", zero})), number(ErrorCode::kUnknownTopicOrPartition));
  EXPECT_EQ((codes.at({"x", zero})), number(ErrorCode::kInvalidRequest));
  EXPECT_EQ((codes.at({"c", id_of("c")})), number(ErrorCode::kInvalidRequest));
  EXPECT_EQ((codes.at({"-", Uuid({9, 9}).to_string()})), number(ErrorCode::kUnknownTopicId));
  EXPECT_EQ((codes.at({"-", zero})), number(ErrorCode::kInvalidRequest));
  apply(decided->records);
  EXPECT_EQ(image->topics().find("a"), nullptr);
  EXPECT_NE(image->topics().find("c"), nullptr);
  EXPECT_TRUE(image->configs().of(ConfigResourceType::kTopic, "a").empty());
}

TEST_F(TopicControlTest, TopicsGrow) {
  add_topic("t", {{1}, {1}});
  const auto grow = [&](std::int32_t count, std::optional<std::vector<ReplicaIds>> by_hand = std::nullopt) {
    protocol::CreatePartitionsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    topic.count = count;
    topic.assignments.reset();
    if (by_hand) {
      topic.assignments.emplace();
      for (auto& replicas : *by_hand) topic.assignments->push_back({replicas, {}});
    }
    auto decided = topics.create_partitions(view(), request);
    EXPECT_TRUE(decided.has_value());
    apply(decided->records);
    return decided->response.results.at(0).error_code;
  };
  EXPECT_EQ(grow(2), number(ErrorCode::kInvalidPartitions));
  EXPECT_EQ(grow(1), number(ErrorCode::kInvalidPartitions));
  EXPECT_EQ(grow(4), 0);
  EXPECT_EQ(image->topics().find("t")->partitions.size(), 4U);
  EXPECT_EQ(partition("t", 3).leader, 1);
  EXPECT_EQ(grow(6, {{{1}}}), number(ErrorCode::kInvalidReplicaAssignment));
  EXPECT_EQ(grow(6, {{{1}, {1}}}), 0);
  EXPECT_EQ(grow(7, {{{1, 1}}}), number(ErrorCode::kInvalidReplicaAssignment));
  EXPECT_EQ(grow(20'000), number(ErrorCode::kPolicyViolation));
}

TEST(ReplicaPlacer, SpreadsLeadersAndRacksEvenly) {
  runtime::SeededRandom random(3);
  std::vector<UsableBroker> brokers;
  for (std::int32_t id = 0; id < 6; ++id) brokers.push_back({id, id % 2 == 0 ? "even" : "odd", false});
  const auto placed = place_replicas(brokers, 600, 2, random);
  ASSERT_TRUE(placed.has_value());
  std::map<std::int32_t, int> leaders;
  std::map<std::int32_t, int> replicas;
  for (const auto& list : *placed) {
    ASSERT_EQ(list.size(), 2U);
    EXPECT_NE(list[0] % 2, list[1] % 2);  // one in each rack
    ++leaders[list[0]];
    for (const std::int32_t id : list) ++replicas[id];
  }
  for (std::int32_t id = 0; id < 6; ++id) {
    EXPECT_NEAR(leaders[id], 100, 15) << id;
    EXPECT_NEAR(replicas[id], 200, 30) << id;
  }
}

TEST(ReplicaPlacer, FencedBrokersFollowButDoNotLead) {
  runtime::SeededRandom random(3);
  const std::vector<UsableBroker> brokers{{1, std::nullopt, true}, {2, std::nullopt, false}};
  const auto placed = place_replicas(brokers, 10, 2, random);
  ASSERT_TRUE(placed.has_value());
  for (const auto& list : *placed) EXPECT_EQ(list, (std::vector<std::int32_t>{2, 1}));
  EXPECT_FALSE(place_replicas(std::span(brokers).first(1), 1, 1, random).has_value());
}

}  // namespace
}  // namespace dohle::metadata
