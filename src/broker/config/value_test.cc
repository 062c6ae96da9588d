#include <broker/config/value.h>

#include <gtest/gtest.h>

namespace dohle::broker::config {
namespace {

Result<Value> server(std::string_view name, std::optional<std::string_view> text) {
  const Setting* setting = find_setting(Table::kServer, name);
  EXPECT_NE(setting, nullptr) << name;
  return parse_value(*setting, text);
}
Result<Value> topic(std::string_view name, std::optional<std::string_view> text) {
  return parse_value(*find_setting(Table::kTopic, name), text);
}

TEST(Settings, TablesAreSortedAndDefaultsMeetTheirRules) {
  for (const Table table : {Table::kServer, Table::kTopic, Table::kGroup, Table::kClientMetrics}) {
    std::string_view last;
    for (const Setting& setting : settings(table)) {
      EXPECT_LT(last, setting.name);
      last = setting.name;
      if (setting.required) continue;
      const auto value = default_value(setting);
      ASSERT_TRUE(value) << setting.name << ": " << value.error().message;
      if (setting.type != ValueType::kList) {
        EXPECT_EQ(to_text(*value), setting.fallback) << setting.name;
      }
    }
  }
  EXPECT_GE(settings(Table::kServer).size(), 380U);
  EXPECT_EQ(settings(Table::kTopic).size(), 38U);
}

TEST(Settings, EveryTopicAndGroupSynonymIsAServerSetting) {
  for (const Table table : {Table::kTopic, Table::kGroup}) {
    for (const Setting& setting : settings(table)) {
      for (const Synonym& synonym : setting.synonyms)
        EXPECT_NE(find_setting(Table::kServer, synonym.name), nullptr) << synonym.name;
    }
  }
}

TEST(Settings, OursDifferInTheFlushDefaultOnly) {
  EXPECT_EQ(find_setting(Table::kServer, "log.flush.interval.messages")->fallback, "1");
  EXPECT_EQ(find_setting(Table::kTopic, "flush.messages")->fallback, "1");
  EXPECT_TRUE(find_setting(Table::kServer, "shards")->internal);
}

TEST(Values, Types) {
  EXPECT_EQ(server("num.partitions", " +7 "), Value(std::int32_t{7}));
  EXPECT_EQ(server("log.retention.bytes", "-1"), Value(std::int64_t{-1}));
  EXPECT_EQ(server("auto.create.topics.enable", "TRUE"), Value(true));
  EXPECT_EQ(server("offsets.topic.replication.factor", "3"), Value(std::int32_t{3}));
  EXPECT_EQ(server("log.cleaner.min.cleanable.ratio", "0.25"), Value(0.25));
  EXPECT_EQ(server("log.dirs", " /a , /b,/a "), Value(std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(topic("cleanup.policy", ""), Value(std::vector<std::string>{}));
  EXPECT_EQ(server("log.retention.ms", std::nullopt), Value());
}

TEST(Values, BadOnesSayKeyValueAndWhatIsAllowed) {
  EXPECT_EQ(server("num.partitions", "0").error().message,
            "'0' for configuration num.partitions is not allowed; allowed is a 32-bit integer of at least 1");
  EXPECT_EQ(server("num.partitions", "many").error().message,
            "'many' for configuration num.partitions is not allowed; allowed is a 32-bit integer of at least 1");
  EXPECT_EQ(topic("cleanup.policy", "compact,keep").error().message,
            "'compact,keep' for configuration cleanup.policy is not allowed; allowed is a comma-separated list of "
            "compact, delete");
  EXPECT_EQ(topic("message.timestamp.type", "createtime").error().message,
            "'createtime' for configuration message.timestamp.type is not allowed; allowed is one of CreateTime, "
            "LogAppendTime");
  EXPECT_EQ(server("auto.create.topics.enable", "yes").error().message,
            "'yes' for configuration auto.create.topics.enable is not allowed; allowed is true or false");
  EXPECT_EQ(topic("retention.ms", "-2").error().code, Errc::kInvalidConfig);
  EXPECT_FALSE(server("num.partitions", "2147483648"));
  EXPECT_FALSE(server("offsets.topic.replication.factor", "40000"));
  EXPECT_FALSE(topic("compression.gzip.level", "0"));
  EXPECT_TRUE(topic("compression.gzip.level", "-1"));
  EXPECT_FALSE(server("listeners", ""));
  EXPECT_FALSE(server("log.dirs", "a,,b"));
}

TEST(Values, SecretsAreNotRepeated) {
  const Setting secret{.name = "ssl.key.password", .type = ValueType::kPassword, .rules = {}, .documentation = ""};
  constexpr Rule kRules[] = {{.kind = Rule::Kind::kNonEmpty}};
  Setting strict = secret;
  strict.rules = kRules;
  EXPECT_EQ(parse_value(strict, "").error().message.find("''"), std::string::npos);
  EXPECT_TRUE(secret.sensitive());
}

TEST(Values, ReplicaLists) {
  for (const auto* good : {"*", "", "0:1,1:2"})
    EXPECT_TRUE(topic("leader.replication.throttled.replicas", good)) << good;
  for (const auto* bad : {"0", "0:", "a:1", "*,0:1"})
    EXPECT_FALSE(topic("leader.replication.throttled.replicas", bad)) << bad;
}

TEST(Values, ResetStrategy) {
  const Setting& setting = *find_setting(Table::kGroup, "share.auto.offset.reset");
  for (const auto* good : {"earliest", "latest", "by_duration:PT1H", "by_duration:P1DT2H3M4.5S", "by_duration:p3d"}) {
    EXPECT_TRUE(parse_value(setting, good)) << good;
  }
  for (const auto* bad : {"none", "by_duration:", "by_duration:P", "by_duration:PT", "by_duration:1H",
                          "by_duration:PT1D", "by_duration:-PT1H", "by_duration:P1H", "by_duration:PT1.5H"}) {
    EXPECT_FALSE(parse_value(setting, bad)) << bad;
  }
}

TEST(Values, DoublesPrintAsInJava) {
  EXPECT_EQ(to_text(Value(0.5)), "0.5");
  EXPECT_EQ(to_text(Value(1.0)), "1.0");
  EXPECT_EQ(to_text(Value(1.7976931348623157e308)), "1.7976931348623157E308");
  EXPECT_EQ(to_text(Value(0.0001)), "1.0E-4");
  EXPECT_EQ(to_text(Value(1e7)), "1.0E7");
  EXPECT_EQ(to_text(Value(9999999.0)), "9999999.0");
  EXPECT_EQ(to_text(Value(0.0)), "0.0");
}

}  // namespace
}  // namespace dohle::broker::config
