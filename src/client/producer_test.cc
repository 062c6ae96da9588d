#include <client/producer.h>

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <client/partitioner.h>
#include <protocol/messages/init_producer_id_request.h>
#include <protocol/messages/init_producer_id_response.h>
#include <protocol/messages/metadata_request.h>
#include <protocol/messages/metadata_response.h>
#include <protocol/messages/produce_request.h>
#include <protocol/messages/produce_response.h>
#include <records/reader.h>
#include <runtime/memory/memory_shards.h>

#include "scripted_broker.h"

namespace dohle::client {
namespace {

using protocol::ErrorCode;
using runtime::Task;

constexpr std::uint16_t kPort = 9092;
constexpr std::int32_t kPartitions = 3;

TEST(Murmur2, IsKafkas) {
  const auto hash = [](std::string_view text) { return static_cast<std::int32_t>(murmur2(as_bytes(text))); };
  EXPECT_EQ(hash("21"), -973932308);
  EXPECT_EQ(hash("foobar"), -790332482);
  EXPECT_EQ(hash("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(hash("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(hash("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(hash("abc"), 479470107);
}

// One broker with a partition log as a leader keeps it: numbers are checked, repeats recognised.
class ProducerTest : public testing::Test {
 protected:
  ProducerTest() : broker_(shards_.at(0), kPort) {
    cluster_config_.bootstrap_servers = {{"boot", kPort}};
    broker_.on<protocol::MetadataRequest>([](const protocol::MetadataRequest& request) {
      protocol::MetadataResponse response;
      auto& node = response.brokers.emplace_back();
      node.node_id = 1;
      node.host = "host";
      node.port = kPort;
      for (const auto& asked : *request.topics) {
        auto& topic = response.topics.emplace_back();
        topic.name = asked.name->str();
        topic.topic_id = Uuid{7, 7};
        for (std::int32_t index = 0; index < kPartitions; ++index) {
          auto& partition = topic.partitions.emplace_back();
          partition.partition_index = index;
          partition.leader_id = 1;
          partition.leader_epoch = 0;
        }
      }
      return std::optional(std::move(response));
    });
    broker_.on<protocol::InitProducerIdRequest>([this](const auto& request) {
      EXPECT_FALSE(request.transactional_id.has_value());
      protocol::InitProducerIdResponse response;
      response.producer_id = ++producer_id_;
      response.producer_epoch = 0;
      return std::optional(std::move(response));
    });
    broker_.on<protocol::ProduceRequest>([this](const auto& request) { return produce(request); });
  }
  ~ProducerTest() override {
    shards_.run(0, [&]() -> Task<void> { co_await broker_.stop(); });
  }

  std::optional<protocol::ProduceResponse> produce(const protocol::ProduceRequest& request) {
    ++produce_requests_;
    protocol::ProduceResponse response;
    for (const auto& asked : request.topic_data) {
      auto& topic = response.responses.emplace_back();
      topic.topic_id = asked.topic_id;
      topic.name = asked.name.str();
      for (const auto& data : asked.partition_data) {
        auto& partition = topic.partition_responses.emplace_back();
        partition.index = data.index;
        const ErrorCode injected = next_error_ ? next_error_() : ErrorCode::kNone;
        if (injected != ErrorCode::kNone) {
          partition.error_code = number(injected);
          partition.base_offset = -1;
        } else {
          append(data.records->bytes(), partition);
        }
      }
    }
    if (lose_answer_ && lose_answer_()) {
      broker_.disconnect_all();
      return std::nullopt;
    }
    return request.acks == 0 ? std::nullopt : std::optional(std::move(response));
  }

  void append(Bytes bytes, protocol::ProduceResponse::PartitionProduceResponse& answer) {
    const auto batch = records::BatchView::parse(bytes).value();
    EXPECT_TRUE(batch.crc_ok());
    auto& log = logs_[answer.index];
    if (batch.has_producer_id()) {
      auto& last = log.last[batch.producer_id().value()];
      for (const auto& [sequence, offset] : last) {
        if (sequence == batch.base_sequence()) {
          answer.base_offset = offset;  // a repeat
          return;
        }
      }
      const std::int32_t expected = log.next_sequence[batch.producer_id().value()];
      if (batch.base_sequence() != expected) {
        answer.error_code = number(ErrorCode::kOutOfOrderSequenceNumber);
        return;
      }
      log.next_sequence[batch.producer_id().value()] = expected + *batch.record_count();
      last.emplace_back(batch.base_sequence(), static_cast<std::int64_t>(log.values.size()));
    }
    answer.base_offset = static_cast<std::int64_t>(log.values.size());
    EXPECT_TRUE(records::for_each(batch, [&](const records::RecordView& record) -> Result<> {
      log.values.emplace_back(as_text(*record.value));
      return {};
    }));
  }

  template <typename F>
  void with_producer(F body) {
    shards_.run(0, [&]() -> Task<void> {
      Cluster cluster(shards_.at(0), cluster_config_);
      Producer producer(cluster, config_);
      co_await body(producer);
      co_await producer.close();
      co_await cluster.close();
    });
  }

  struct Log {
    std::vector<std::string> values;
    std::map<std::int64_t, std::int32_t> next_sequence;
    std::map<std::int64_t, std::vector<std::pair<std::int32_t, std::int64_t>>> last;
  };

  runtime::MemoryShards shards_{1, 13};
  ScriptedBroker broker_;
  ClientConfig cluster_config_;
  ProducerConfig config_;
  std::map<std::int32_t, Log> logs_;
  std::int64_t producer_id_ = 100;
  int produce_requests_ = 0;
  std::function<ErrorCode()> next_error_;
  std::function<bool()> lose_answer_;
};

TEST_F(ProducerTest, GathersRecordsAndTellsTheirOffsets) {
  config_.compression.type = records::CompressionType::kLz4;
  with_producer([&](Producer& producer) -> Task<void> {
    std::map<std::int32_t, std::vector<std::int64_t>> offsets;
    for (int i = 0; i < 300; ++i) {
      const std::string key = "key" + std::to_string(i % 10);
      const std::string value = std::to_string(i);
      const auto taken = co_await producer.send({.topic = "t", .key = as_bytes(key), .value = as_bytes(value)},
                                                [&offsets](const Answer<RecordMetadata>& fate) {
                                                  EXPECT_TRUE(fate.has_value());
                                                  offsets[fate->partition.partition].push_back(fate->offset);
                                                });
      EXPECT_TRUE(taken.has_value());
    }
    co_await producer.flush();
    EXPECT_EQ(producer.unsettled(), 0U);
    EXPECT_EQ(producer.buffered_bytes(), 0U);
    std::size_t all = 0;
    for (const auto& [partition, seen] : offsets) {
      for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<std::int64_t>(i));
      EXPECT_EQ(logs_[partition].values.size(), seen.size());
      all += seen.size();
    }
    EXPECT_EQ(all, 300U);
    EXPECT_LE(produce_requests_, 6);
  });
}

TEST_F(ProducerTest, LingersForAsLongAsItShould) {
  config_.linger_ms = 50;
  with_producer([&](Producer& producer) -> Task<void> {
    const auto before = shards_.clock().now();
    const auto fate = co_await producer.send_and_wait({.topic = "t", .value = as_bytes("v")});
    EXPECT_TRUE(fate.has_value());
    const auto waited = shards_.clock().now() - before;
    EXPECT_GE(waited, std::chrono::milliseconds(50));
    EXPECT_LT(waited, std::chrono::milliseconds(60));
  });
}

// Errors, lost answers and cut connections at random: each record is there once, in order, and its fate is known.
TEST_F(ProducerTest, IdempotenceKeepsOrderAndCountOverRetries) {
  runtime::SeededRandom random(93);
  next_error_ = [&random] {
    switch (random.below(6)) {
      case 0:
        return ErrorCode::kNotLeaderOrFollower;
      case 1:
        return ErrorCode::kNotEnoughReplicas;
      default:
        return ErrorCode::kNone;
    }
  };
  lose_answer_ = [&random] { return random.below(7) == 0; };
  config_.linger_ms = 0;
  config_.batch_size = 200;
  with_producer([&](Producer& producer) -> Task<void> {
    int settled = 0;
    for (int i = 0; i < 600; ++i) {
      const std::string value = std::to_string(i);
      (void)co_await producer.send({.topic = "t", .partition = i % kPartitions, .value = as_bytes(value)},
                                   [&settled](const Answer<RecordMetadata>& fate) {
                                     EXPECT_TRUE(fate.has_value()) << fate.error().message;
                                     ++settled;
                                   });
      if (i % 20 == 0) co_await runtime::sleep_for(std::chrono::milliseconds(3));
    }
    co_await producer.flush();
    EXPECT_EQ(settled, 600);
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      const auto& values = logs_[partition].values;
      EXPECT_EQ(values.size(), 200U);
      for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(values[i], std::to_string(i * kPartitions + static_cast<std::size_t>(partition)));
      }
    }
  });
}

TEST_F(ProducerTest, WhatCannotBeSentInTimeFails) {
  next_error_ = [] { return ErrorCode::kNotLeaderOrFollower; };
  config_.delivery_timeout_ms = 40'000;
  with_producer([&](Producer& producer) -> Task<void> {
    const auto before = shards_.clock().now();
    const auto fate = co_await producer.send_and_wait({.topic = "t", .value = as_bytes("v")});
    EXPECT_FALSE(fate.has_value());
    const auto waited = shards_.clock().now() - before;
    EXPECT_GE(waited, std::chrono::seconds(39));
    EXPECT_LE(waited, std::chrono::seconds(41));
    next_error_ = {};
    // Under a new producer id, as the lost record's number is spent.
    const auto next = co_await producer.send_and_wait({.topic = "t", .value = as_bytes("w")});
    EXPECT_TRUE(next.has_value());
    EXPECT_EQ(producer_id_, 102);
  });
}

TEST_F(ProducerTest, AFinalErrorGoesToItsRecordsOnly) {
  int times = 1;
  next_error_ = [&times] { return times-- > 0 ? ErrorCode::kMessageTooLarge : ErrorCode::kNone; };
  with_producer([&](Producer& producer) -> Task<void> {
    const auto fate = co_await producer.send_and_wait({.topic = "t", .partition = 1, .value = as_bytes("v")});
    EXPECT_EQ(fate.error().code, ErrorCode::kMessageTooLarge);
    const auto next = co_await producer.send_and_wait({.topic = "t", .partition = 1, .value = as_bytes("w")});
    EXPECT_TRUE(next.has_value());
    EXPECT_EQ(next->offset, 0);
  });
}

TEST_F(ProducerTest, WithoutAcknowledgementsEverythingIsSent) {
  config_.acks = 0;
  config_.enable_idempotence = false;
  with_producer([&](Producer& producer) -> Task<void> {
    for (int i = 0; i < 10; ++i) {
      const auto fate = co_await producer.send_and_wait({.topic = "t", .partition = 0, .value = as_bytes("v")});
      EXPECT_TRUE(fate.has_value());
      EXPECT_EQ(fate->offset, -1);
    }
    co_await runtime::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(logs_[0].values.size(), 10U);
  });
}

TEST_F(ProducerTest, RefusesWhatIsTooLargeAndWaitsForRoom) {
  config_.max_request_size = 1000;
  config_.buffer_memory = 500;
  config_.max_block_ms = 1000;
  config_.linger_ms = 100'000;
  with_producer([&](Producer& producer) -> Task<void> {
    const std::string large(2000, 'x');
    const auto refused = co_await producer.send({.topic = "t", .value = as_bytes(large)});
    EXPECT_EQ(refused.error().code, ErrorCode::kMessageTooLarge);
    const std::string some(400, 'x');
    for (int i = 0; i < 5; ++i) {
      // A full buffer does not linger.
      const auto taken = co_await producer.send({.topic = "t", .partition = 0, .value = as_bytes(some)});
      EXPECT_TRUE(taken.has_value());
    }
    next_error_ = [] { return ErrorCode::kNotLeaderOrFollower; };
    (void)co_await producer.send({.topic = "t", .partition = 0, .value = as_bytes(some)});
    const auto full = co_await producer.send({.topic = "t", .partition = 0, .value = as_bytes(some)});
    EXPECT_FALSE(full.has_value());
    EXPECT_EQ(full.error().code, ErrorCode::kRequestTimedOut);
    next_error_ = {};
  });
}

TEST_F(ProducerTest, RecordsWithoutKeyStayTogetherAndMoveOn) {
  config_.batch_size = 1000;
  with_producer([&](Producer& producer) -> Task<void> {
    const std::string value(100, 'x');
    for (int i = 0; i < 200; ++i) (void)co_await producer.send({.topic = "t", .value = as_bytes(value)});
    co_await producer.flush();
    EXPECT_EQ(logs_.size(), 3U);
    EXPECT_LE(produce_requests_, 30);
  });
}

TEST(ProducerConfig, ContradictionsAreRefused) {
  EXPECT_TRUE(ProducerConfig::from({})->enable_idempotence);
  EXPECT_FALSE(ProducerConfig::from({{"acks", "1"}})->enable_idempotence);
  EXPECT_FALSE(ProducerConfig::from({{"acks", "1"}, {"enable.idempotence", "true"}}));
  EXPECT_FALSE(ProducerConfig::from({{"acks", "2"}}));
  EXPECT_FALSE(ProducerConfig::from({{"compression.type", "brotli"}}));
  EXPECT_FALSE(ProducerConfig::from({{"delivery.timeout.ms", "10"}}));
  EXPECT_EQ(ProducerConfig::from({{"compression.type", "zstd"}, {"compression.zstd.level", "9"}})->compression.level,
            9);
}

}  // namespace
}  // namespace dohle::client
