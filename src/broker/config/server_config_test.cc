#include <broker/config/server_config.h>

#include <algorithm>

#include <gtest/gtest.h>

namespace dohle::broker::config {
namespace {

// Kafka's shipped config/server.properties, without what plays no part here.
TextMap combined() {
  return {{"process.roles", "broker,controller"},
          {"node.id", "1"},
          {"controller.quorum.bootstrap.servers", "localhost:9093"},
          {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"},
          {"inter.broker.listener.name", "PLAINTEXT"},
          {"advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"},
          {"controller.listener.names", "CONTROLLER"},
          {"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL"},
          {"log.dirs", "/tmp/kraft-combined-logs"}};
}

TextMap with(std::initializer_list<std::pair<const std::string, std::string>> changes) {
  TextMap out = combined();
  for (const auto& [key, value] : changes) {
    if (value == "(none)") {
      out.erase(key);
    } else {
      out.insert_or_assign(key, value);
    }
  }
  return out;
}

ServerConfig good(TextMap map) {
  auto config = ServerConfig::from(std::move(map));
  EXPECT_TRUE(config) << config.error().message;
  return std::move(*config);
}

std::string refused(TextMap map) {
  const auto config = ServerConfig::from(std::move(map));
  EXPECT_FALSE(config);
  return config ? "" : config.error().message;
}

TEST(ServerConfig, KafkasShippedFile) {
  const ServerConfig config = good(combined());
  EXPECT_TRUE(config.is_combined());
  EXPECT_EQ(config.node_id(), 1);
  EXPECT_EQ(config.listeners().size(), 2U);
  EXPECT_EQ(config.broker_listeners(),
            (std::vector{Endpoint{"PLAINTEXT", SecurityProtocol::kPlaintext, std::nullopt, 9092}}));
  EXPECT_EQ(config.advertised_broker_listeners(),
            (std::vector{Endpoint{"PLAINTEXT", SecurityProtocol::kPlaintext, "localhost", 9092}}));
  EXPECT_EQ(config.advertised_controller_listeners(),
            (std::vector{Endpoint{"CONTROLLER", SecurityProtocol::kPlaintext, "localhost", 9093}}));
  EXPECT_EQ(config.inter_broker_listener(), "PLAINTEXT");
  EXPECT_EQ(config.quorum_bootstrap_servers(), (std::vector{HostPort{"localhost", 9093}}));
  EXPECT_EQ(config.metadata_log_dir(), "/tmp/kraft-combined-logs");
  EXPECT_EQ(config.log_retention_ms(), 168LL * 3600 * 1000);
  EXPECT_TRUE(config.warnings().empty());
  EXPECT_TRUE(check_served(config));
}

TEST(ServerConfig, NodeIdAndBrokerIdAreOne) {
  EXPECT_EQ(good(with({{"node.id", "(none)"}, {"broker.id", "7"}})).node_id(), 7);
  EXPECT_NE(refused(with({{"broker.id", "2"}})).find("must be the same"), std::string::npos);
  EXPECT_NE(refused(with({{"node.id", "(none)"}})).find("node.id"), std::string::npos);
}

TEST(ServerConfig, AdvertisedFallsBackToListenersAndThenToTheHostName) {
  const ServerConfig config =
      good(with({{"advertised.listeners", "(none)"}, {"listeners", "PLAINTEXT://:9092,CONTROLLER://0.0.0.0:9093"}}));
  EXPECT_EQ(config.advertised_broker_listeners()[0].host, std::nullopt);
  EXPECT_EQ(config.advertised_controller_listeners()[0].host, std::nullopt);
  EXPECT_EQ(with_hosts(config.advertised_broker_listeners(), "box.example")[0].host, "box.example");
  // A broker listener on 0.0.0.0 cannot be advertised as it is.
  EXPECT_NE(
      refused(with({{"advertised.listeners", "(none)"}, {"listeners", "PLAINTEXT://0.0.0.0:9092,CONTROLLER://:9093"}}))
          .find("0.0.0.0"),
      std::string::npos);
}

TEST(ServerConfig, ControllerAddressComesFromTheVoters) {
  const ServerConfig config = good(with({{"advertised.listeners", "(none)"},
                                         {"controller.quorum.bootstrap.servers", "(none)"},
                                         {"controller.quorum.voters", "1@ctrl.example:19093"}}));
  EXPECT_EQ(config.advertised_controller_listeners(),
            (std::vector{Endpoint{"CONTROLLER", SecurityProtocol::kPlaintext, "ctrl.example", 19093}}));
  EXPECT_EQ(config.voters().at(1), (HostPort{"ctrl.example", 19093}));
}

TEST(ServerConfig, ControllerListenersSpeakPlaintextByDefault) {
  const auto config = good(with({{"listener.security.protocol.map", "(none)"}}));
  EXPECT_EQ(config.protocol_map().at("CONTROLLER"), SecurityProtocol::kPlaintext);
  EXPECT_NE(
      refused(with({{"listener.security.protocol.map", "(none)"}, {"listeners", "SSL://:9092,CONTROLLER://:9093"}}))
          .find("CONTROLLER"),
      std::string::npos);
}

TEST(ServerConfig, Listeners) {
  EXPECT_NE(
      refused(with({{"listeners", "PLAINTEXT://:9092,PLAINTEXT://:9094,CONTROLLER://:9093"}})).find("different name"),
      std::string::npos);
  EXPECT_NE(refused(with({{"listeners", "PLAINTEXT://:9092,CONTROLLER://:9092"}})).find("different port"),
            std::string::npos);
  EXPECT_NE(refused(with({{"listeners", "PLAINTEXT:9092,CONTROLLER://:9093"}})).find("NAME://host:port"),
            std::string::npos);
  EXPECT_NE(refused(with({{"listeners", "PLAIN://:9092,CONTROLLER://:9093"}})).find("no protocol for PLAIN"),
            std::string::npos);
  good(with({{"listeners", "PLAINTEXT://:0,CONTROLLER://:0"}}));
  good(with({{"listeners", "PLAINTEXT://127.0.0.1:9092,SSL://[::1]:9092,CONTROLLER://:9093"}}));
  EXPECT_NE(refused(with({{"listeners", "PLAINTEXT://127.0.0.1:9092,SSL://127.0.0.2:9092,CONTROLLER://:9093"}}))
                .find("different port"),
            std::string::npos);
  EXPECT_NE(refused(with({{"advertised.listeners", "SSL://h:1"}})).find("inter.broker.listener.name"),
            std::string::npos);
  EXPECT_NE(refused(with({{"controller.listener.names", "OTHER"}})).find("controller.listener.names"),
            std::string::npos);
}

TEST(ServerConfig, Roles) {
  const TextMap broker =
      with({{"process.roles", "broker"}, {"listeners", "PLAINTEXT://:9092"}, {"advertised.listeners", "(none)"}});
  EXPECT_FALSE(good(broker).is_controller());
  EXPECT_NE(refused(with({{"process.roles", "broker"}})).find("does not hold controller"), std::string::npos);
  EXPECT_NE(refused(with({{"process.roles", "boss"}})).find("broker, controller"), std::string::npos);
  EXPECT_NE(refused(with({{"controller.quorum.voters", "2@h:1"}})).find("not in controller.quorum.voters"),
            std::string::npos);
  EXPECT_NE(refused(with({{"controller.quorum.bootstrap.servers", "(none)"}})).find("names a controller"),
            std::string::npos);
  const TextMap controller = with({{"process.roles", "controller"},
                                   {"listeners", "CONTROLLER://:9093"},
                                   {"advertised.listeners", "(none)"},
                                   {"inter.broker.listener.name", "(none)"}});
  EXPECT_TRUE(good(controller).advertised_broker_listeners().empty());
}

TEST(ServerConfig, AcrossSettings) {
  EXPECT_NE(refused(with({{"log.retention.ms", "0"}})).find("log.retention.ms"), std::string::npos);
  EXPECT_EQ(good(with({{"log.retention.ms", "-5"}})).log_retention_ms(), -1);
  EXPECT_EQ(good(with({{"log.retention.minutes", "2"}, {"log.retention.hours", "1"}})).log_retention_ms(), 120'000);
  EXPECT_NE(refused(with({{"log.roll.ms", "0"}})).find("log.roll.ms"), std::string::npos);
  EXPECT_NE(refused(with({{"queued.max.request.bytes", "1000"}})).find("socket.request.max.bytes"), std::string::npos);
  EXPECT_NE(refused(with({{"max.connections.per.ip", "0"}})).find("overrides"), std::string::npos);
  EXPECT_NE(refused(with({{"replica.fetch.wait.max.ms", "40000"}})).find("replica.socket.timeout.ms"),
            std::string::npos);
  EXPECT_NE(refused(with({{"cordoned.log.dirs", "/other"}})).find("/other"), std::string::npos);
}

TEST(ServerConfig, Warnings) {
  const auto config = good(with({{"log.dirz", "/x"},
                                 {"num.io.threads", "16"},
                                 {"num.network.threads", "3"},
                                 {"log.cleaner.backoff.ms", "1"},
                                 {"rsm.config.x", "1"},
                                 {"listener.name.plaintext.max.connections", "5"}}));
  EXPECT_EQ(config.warnings(),
            (std::vector<std::string>{
                "configuration log.dirz is not known and is ignored",
                "accepted, but without effect yet: log.cleaner.backoff.ms",
                "accepted, but without effect, for they tune what Dohle does not have: num.io.threads",
            }));
}

TEST(ServerConfig, ChangedSettingsHideSecrets) {
  const auto config = good(with({{"ssl.key.password", "s3cret"}, {"num.partitions", "1"}}));
  const auto changed = config.changed_settings();
  EXPECT_NE(std::ranges::find(changed, "ssl.key.password=(hidden)"), changed.end());
  EXPECT_EQ(std::ranges::count_if(changed, [](const std::string& s) { return s.starts_with("num.partitions"); }), 0);
}

TEST(ServerConfig, MetricsListenWhereTheyAreTold) {
  EXPECT_FALSE(good(with({})).metrics_listener());
  EXPECT_FALSE(good(with({{"metrics.listener", ""}})).metrics_listener());
  EXPECT_EQ(good(with({{"metrics.listener", "[::1]:9404"}})).metrics_listener(), (HostPort{"::1", 9404}));
  EXPECT_EQ(good(with({{"metrics.listener", ":0"}})).metrics_listener(), (HostPort{"", 0}));
  for (const char* text : {"9404", "localhost:", "localhost:70000", "http://localhost:9404", "a b:1"}) {
    const auto config = ServerConfig::from(with({{"metrics.listener", text}}));
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().message,
              std::string("'") + text + "' for configuration metrics.listener is not allowed; allowed is host:port");
  }
}

TEST(ServerConfig, WhatIsNotServedIsNotIgnored) {
  EXPECT_FALSE(check_served(good(with({{"listeners", "SSL://:9092,CONTROLLER://:9093"},
                                       {"advertised.listeners", "(none)"},
                                       {"inter.broker.listener.name", "SSL"}}))));
  const auto result =
      check_served(good(with({{"authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"}})));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("authorizer.class.name"), std::string::npos);
}

}  // namespace
}  // namespace dohle::broker::config
