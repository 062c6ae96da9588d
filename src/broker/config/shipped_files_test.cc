// The files in config/ are what people start with: they must be accepted. The only warning is about topics that come
// with transactions and share groups.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <broker/config/properties.h>
#include <broker/config/server_config.h>

namespace dohle::broker::config {
namespace {

class ShippedFiles : public testing::TestWithParam<const char*> {};

TEST_P(ShippedFiles, AreAccepted) {
  std::ifstream file(std::string("config/") + GetParam());
  std::stringstream text;
  text << file.rdbuf();
  auto properties = parse_properties(text.str());
  ASSERT_TRUE(properties);
  ASSERT_FALSE(properties->empty());
  const auto config = ServerConfig::from(std::move(*properties));
  ASSERT_TRUE(config) << config.error().message;
  for (const auto& warning : config->warnings()) {
    EXPECT_EQ(warning,
              "accepted, but without effect yet: share.coordinator.state.topic.min.isr, "
              "share.coordinator.state.topic.replication.factor, "
              "transaction.state.log.min.isr, transaction.state.log.replication.factor");
  }
  EXPECT_TRUE(check_served(*config));
}

INSTANTIATE_TEST_SUITE_P(All, ShippedFiles,
                         testing::Values("server.properties", "broker.properties", "controller.properties"));

}  // namespace
}  // namespace dohle::broker::config
