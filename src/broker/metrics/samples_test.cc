#include "metrics/samples.h"

#include <gtest/gtest.h>

#include <runtime/memory/memory_shards.h>

namespace dohle::broker {
namespace {

class SamplesTest : public testing::Test {
 protected:
  static std::string text_of(const Samples& samples) {
    std::string out;
    for (const auto& part : samples.text()) out += as_text(part.bytes());
    return out;
  }
  runtime::MemoryShards shards{1};
  runtime::MemoryShards::Scope scope = shards.enter(0);
};

TEST_F(SamplesTest, ShardsAreSummed) {
  Samples all;
  all.add(Metric::kConnections, 2);
  all.add(Metric::kBytesIn, label_text({{"topic", "a"}}), 10);
  Samples more;
  more.add(Metric::kConnections, 3);
  more.add(Metric::kBytesIn, label_text({{"topic", "a"}}), 5e9);
  more.add(Metric::kBytesIn, label_text({{"topic", "b"}}), 0.5);
  all.merge(std::move(more));
  EXPECT_EQ(text_of(all),
            "# HELP kafka_server_brokertopicmetrics_bytesin_total Bytes that were appended, as they are stored.\n"
            "# TYPE kafka_server_brokertopicmetrics_bytesin_total counter\n"
            "kafka_server_brokertopicmetrics_bytesin_total{topic=\"a\"} 5000000010\n"
            "kafka_server_brokertopicmetrics_bytesin_total{topic=\"b\"} 0.5\n"
            "# HELP dohle_connections Open connections on all listeners of Kafka's protocol.\n"
            "# TYPE dohle_connections gauge\n"
            "dohle_connections 5\n");
}

TEST_F(SamplesTest, AFamilyStaysTogether) {
  Samples all;
  all.put(Metric::kLogEnd, "partition=\"0\"", 9223372036854775807);
  Samples more;
  more.put(Metric::kLogEnd, "partition=\"1\"", 2);
  all.merge(std::move(more));
  const auto text = text_of(all);
  EXPECT_EQ(text.find("# TYPE"), text.rfind("# TYPE"));
  EXPECT_TRUE(
      text.ends_with("kafka_log_log_logendoffset{partition=\"0\"} 9223372036854775807\n"
                     "kafka_log_log_logendoffset{partition=\"1\"} 2\n"))
      << text;
}

TEST(LabelText, IsEscaped) {
  EXPECT_EQ(label_text({{"consumergroup", "a\"b\\c\nd"}, {"topic", "t"}}),
            "consumergroup=\"a\\\"b\\\\c\\nd\",topic=\"t\"");
}

}  // namespace
}  // namespace dohle::broker
