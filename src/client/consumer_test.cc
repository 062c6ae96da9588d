#include <client/consumer.h>

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/messages/find_coordinator_request.h>
#include <protocol/messages/find_coordinator_response.h>
#include <protocol/messages/heartbeat_request.h>
#include <protocol/messages/heartbeat_response.h>
#include <protocol/messages/join_group_request.h>
#include <protocol/messages/join_group_response.h>
#include <protocol/messages/leave_group_request.h>
#include <protocol/messages/leave_group_response.h>
#include <protocol/messages/list_offsets_request.h>
#include <protocol/messages/list_offsets_response.h>
#include <protocol/messages/metadata_request.h>
#include <protocol/messages/metadata_response.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>
#include <protocol/messages/offset_fetch_request.h>
#include <protocol/messages/offset_fetch_response.h>
#include <protocol/messages/sync_group_request.h>
#include <protocol/messages/sync_group_response.h>
#include <records/builder.h>
#include <runtime/memory/memory_shards.h>

#include "scripted_broker.h"

namespace dohle::client {
namespace {

using protocol::ErrorCode;
using runtime::Task;

constexpr std::uint16_t kPort = 9092;
const Uuid kTopicId{3, 4};
constexpr runtime::Duration kLongPoll = std::chrono::milliseconds(50);

struct BatchKind {
  std::int64_t producer = -1;
  bool transactional = false;
  std::optional<records::ControlType> control;
};

// One broker: partition logs of ready batches, a group of one member, committed offsets.
class ConsumerTest : public testing::Test {
 protected:
  ConsumerTest() : broker_(shards_.at(0), kPort) {
    cluster_config_.bootstrap_servers = {{"boot", kPort}};
    config_.auto_offset_reset = OffsetReset::kEarliest;
    broker_.on<protocol::MetadataRequest>([this](const auto& request) { return metadata(request); });
    broker_.on<protocol::FetchRequest>([this](const auto& request) { return fetch(request); });
    broker_.on<protocol::ListOffsetsRequest>([this](const auto& request) { return list_offsets(request); });
    broker_.delay(protocol::FetchRequest::kApiKey, [this] { return fetched_ ? runtime::Duration{} : kLongPoll; });
    script_group();
    script_offsets();
  }
  ~ConsumerTest() override {
    shards_.run(0, [&]() -> Task<void> { co_await broker_.stop(); });
  }

  std::optional<protocol::MetadataResponse> metadata(const protocol::MetadataRequest& request) {
    protocol::MetadataResponse response;
    auto& node = response.brokers.emplace_back();
    node.node_id = 1;
    node.host = "host";
    node.port = kPort;
    std::vector<std::string> names;
    if (request.topics) {
      for (const auto& asked : *request.topics) names.push_back(asked.name->str());
    } else {
      names = {"other", "t"};
    }
    for (const auto& name : names) {
      auto& topic = response.topics.emplace_back();
      topic.name = name;
      topic.topic_id = name == "t" ? kTopicId : Uuid{9, 9};
      for (std::int32_t index = 0; index < partitions_; ++index) {
        auto& partition = topic.partitions.emplace_back();
        partition.partition_index = index;
        partition.leader_id = 1;
        partition.leader_epoch = 2;
      }
    }
    return response;
  }

  std::optional<protocol::FetchResponse> fetch(const protocol::FetchRequest& request) {
    protocol::FetchResponse response;
    fetched_ = false;
    for (const auto& asked : request.topics) {
      EXPECT_EQ(asked.topic_id, kTopicId);
      auto& topic = response.responses.emplace_back();
      topic.topic_id = asked.topic_id;
      for (const auto& wanted : asked.partitions) {
        auto& partition = topic.partitions.emplace_back();
        partition.partition_index = wanted.partition;
        auto& log = logs_[wanted.partition];
        partition.high_watermark = partition.last_stable_offset = log.end;
        if (wanted.fetch_offset < log.start || wanted.fetch_offset > log.end) {
          partition.error_code = number(ErrorCode::kOffsetOutOfRange);
          fetched_ = true;
          continue;
        }
        for (const auto& [last, batch] : log.batches) {
          if (last < wanted.fetch_offset) continue;
          partition.records = protocol::Records::view(batch.bytes());
          fetched_ = true;
          break;
        }
        partition.aborted_transactions.emplace();
        for (const auto& [producer, first] : log.aborted) {
          auto& aborted = partition.aborted_transactions->emplace_back();
          aborted.producer_id = producer;
          aborted.first_offset = first;
        }
      }
    }
    return response;
  }

  std::optional<protocol::ListOffsetsResponse> list_offsets(const protocol::ListOffsetsRequest& request) {
    protocol::ListOffsetsResponse response;
    for (const auto& asked : request.topics) {
      auto& topic = response.topics.emplace_back();
      topic.name = asked.name.str();
      for (const auto& wanted : asked.partitions) {
        auto& partition = topic.partitions.emplace_back();
        partition.partition_index = wanted.partition_index;
        const auto& log = logs_[wanted.partition_index];
        partition.offset = wanted.timestamp == kEarliestTimestamp ? log.start : log.end;
      }
    }
    return response;
  }

  static protocol::FindCoordinatorResponse coordinator_of(const protocol::FindCoordinatorRequest& request,
                                                          ErrorCode error) {
    protocol::FindCoordinatorResponse response;
    auto& found = response.coordinators.emplace_back();
    found.key = request.coordinator_keys.at(0).str();
    found.node_id = 1;
    found.host = "host";
    found.port = kPort;
    found.error_code = number(error);
    return response;
  }

  void script_group() {
    broker_.on<protocol::FindCoordinatorRequest>(
        [](const auto& request) { return std::optional(coordinator_of(request, ErrorCode::kNone)); });
    broker_.on<protocol::JoinGroupRequest>([this](const protocol::JoinGroupRequest& request) {
      protocol::JoinGroupResponse response;
      if (request.member_id.empty()) {
        response.error_code = number(ErrorCode::kMemberIdRequired);
        response.member_id = Text("member-" + std::to_string(++members_));
        return std::optional(std::move(response));
      }
      response.generation_id = ++generation_;
      response.protocol_type = Text("consumer");
      response.protocol_name = request.protocols.at(0).name.str();
      response.leader = request.member_id.str();
      response.member_id = request.member_id.str();
      auto& member = response.members.emplace_back();
      member.member_id = request.member_id.str();
      member.metadata = Blob::copy_of(request.protocols.at(0).metadata.get());
      return std::optional(std::move(response));
    });
    broker_.on<protocol::SyncGroupRequest>([](const protocol::SyncGroupRequest& request) {
      protocol::SyncGroupResponse response;
      response.assignment = Blob::copy_of(request.assignments.at(0).assignment.get());
      return std::optional(std::move(response));
    });
    broker_.on<protocol::HeartbeatRequest>([this](const auto& request) {
      protocol::HeartbeatResponse response;
      EXPECT_EQ(request.generation_id, generation_);
      response.error_code = number(std::exchange(heartbeat_error_, ErrorCode::kNone));
      return std::optional(std::move(response));
    });
    broker_.on<protocol::LeaveGroupRequest>([this](const auto& request) {
      left_.push_back(request.members.at(0).member_id.str());
      return std::optional(protocol::LeaveGroupResponse{});
    });
  }

  void script_offsets() {
    broker_.on<protocol::OffsetCommitRequest>([this](const protocol::OffsetCommitRequest& request) {
      protocol::OffsetCommitResponse response;
      for (const auto& asked : request.topics) {
        auto& topic = response.topics.emplace_back();
        topic.name = asked.name.str();
        for (const auto& partition : asked.partitions) {
          topic.partitions.emplace_back().partition_index = partition.partition_index;
          committed_[partition.partition_index] = partition.committed_offset;
        }
      }
      return std::optional(std::move(response));
    });
    broker_.on<protocol::OffsetFetchRequest>([this](const protocol::OffsetFetchRequest& request) {
      protocol::OffsetFetchResponse response;
      auto& group = response.groups.emplace_back();
      group.group_id = request.groups.at(0).group_id.str();
      for (const auto& asked : *request.groups.at(0).topics) {
        auto& topic = group.topics.emplace_back();
        topic.name = asked.name.str();
        for (const std::int32_t index : asked.partition_indexes) {
          auto& partition = topic.partitions.emplace_back();
          partition.partition_index = index;
          const auto found = committed_.find(index);
          partition.committed_offset = found == committed_.end() ? -1 : found->second;
        }
      }
      return std::optional(std::move(response));
    });
  }

  // Adds a batch of the values to the log; offsets go on from its end.
  void add(std::int32_t partition, const std::vector<std::string>& values, BatchKind kind = {}) {
    auto& log = logs_[partition];
    records::BatchBuilder builder({.compression = {records::CompressionType::kZstd, {}},
                                   .base_offset = Offset(log.end),
                                   .producer_id = ProducerId(kind.producer),
                                   .producer_epoch = 0,
                                   .base_sequence = 0,
                                   .transactional = kind.transactional,
                                   .control = kind.control.has_value(),
                                   .leader_epoch = LeaderEpoch(2)});
    if (kind.control) builder.append_control(1, *kind.control, records::encode_end_transaction_marker({}));
    const std::vector<records::Header> headers = {{"h", as_bytes("v")}};
    for (const auto& value : values) builder.append(1000, as_bytes("key"), as_bytes(value), headers);
    log.end = builder.next_offset().value();
    log.batches.emplace(log.end - 1, builder.build());
  }

  template <typename F>
  void with_consumer(F body) {
    shards_.run(0, [&]() -> Task<void> {
      Cluster cluster(shards_.at(0), cluster_config_);
      Consumer consumer(cluster, config_);
      co_await body(consumer);
      co_await consumer.close();
      co_await cluster.close();
      for (auto& [partition, log] : logs_) log.batches.clear();
    });
  }

  // Everything that comes within `timeout_ms`, as partition:value.
  static Task<std::vector<std::string>> read(Consumer& consumer, std::int64_t timeout_ms, std::size_t at_least) {
    std::vector<std::string> out;
    for (std::int64_t waited = 0; waited < timeout_ms && out.size() < at_least; waited += 100) {
      const auto records = co_await consumer.poll(100);
      EXPECT_TRUE(records.has_value()) << records.error().message;
      if (!records) break;
      for (const auto& record : *records) {
        out.push_back(std::to_string(record.partition) + ":" + std::string(as_text(*record.value)));
      }
    }
    co_return out;
  }

  struct Log {
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::map<std::int64_t, Slice> batches;  // by last offset
    std::vector<std::pair<std::int64_t, std::int64_t>> aborted;
  };

  runtime::MemoryShards shards_{1, 3};
  ScriptedBroker broker_;
  ClientConfig cluster_config_;
  ConsumerConfig config_;
  std::map<std::int32_t, Log> logs_;
  std::map<std::int32_t, std::int64_t> committed_;
  std::int32_t partitions_ = 2;
  std::int32_t generation_ = 0;
  int members_ = 0;
  ErrorCode heartbeat_error_ = ErrorCode::kNone;
  std::vector<std::string> left_;
  bool fetched_ = false;  // the last fetch had something to answer
};

TEST_F(ConsumerTest, ReadsAssignedPartitionsFromTheBeginning) {
  with_consumer([&](Consumer& consumer) -> Task<void> {
    add(0, {"a", "b"});
    add(0, {"c"});
    add(1, {"x"});
    consumer.assign({{"t", 0}, {"t", 1}});
    auto got = co_await read(consumer, 5'000, 4);
    std::ranges::sort(got);
    EXPECT_EQ(got, (std::vector<std::string>{"0:a", "0:b", "0:c", "1:x"}));
    EXPECT_EQ(co_await consumer.position({"t", 0}, 100), 3);
    EXPECT_EQ(consumer.lag({"t", 0}), 0);
    // What comes later is read from there.
    add(0, {"d"});
    EXPECT_EQ(co_await read(consumer, 5'000, 1), std::vector<std::string>{"0:d"});
    consumer.seek({"t", 0}, 1);
    EXPECT_EQ(co_await read(consumer, 5'000, 3), (std::vector<std::string>{"0:b", "0:c", "0:d"}));
    consumer.seek_to_end({});
    EXPECT_EQ(co_await consumer.position({"t", 0}, 1'000), 4);
    consumer.seek_to_beginning({{"t", 1}});
    EXPECT_EQ(co_await read(consumer, 5'000, 1), std::vector<std::string>{"1:x"});
  });
}

TEST_F(ConsumerTest, GivesAtMostMaxPollRecordsWithAllTheirParts) {
  config_.max_poll_records = 2;
  with_consumer([&](Consumer& consumer) -> Task<void> {
    add(0, {"a", "b", "c"});
    consumer.assign({{"t", 0}});
    Answer<ConsumerRecords> records;
    for (int i = 0; i < 20 && (!records || records->empty()); ++i) records = co_await consumer.poll(500);
    EXPECT_EQ(records->size(), 2U);
    const ConsumerRecord& first = (*records)[0];
    EXPECT_EQ(first.topic, "t");
    EXPECT_EQ(first.offset, 0);
    EXPECT_EQ(first.timestamp_ms, 1000);
    EXPECT_EQ(first.leader_epoch, 2);
    EXPECT_EQ(as_text(*first.key), "key");
    EXPECT_EQ(first.headers.size(), 1U);
    EXPECT_EQ(first.headers[0].key, "h");
    EXPECT_EQ(as_text(*first.headers[0].value), "v");
    records = co_await consumer.poll(500);
    EXPECT_EQ(records->size(), 1U);
  });
}

TEST_F(ConsumerTest, PausedPartitionsWait) {
  with_consumer([&](Consumer& consumer) -> Task<void> {
    add(0, {"a"});
    add(1, {"x"});
    consumer.assign({{"t", 0}, {"t", 1}});
    consumer.pause({{"t", 0}});
    EXPECT_EQ(co_await read(consumer, 1'000, 2), std::vector<std::string>{"1:x"});
    EXPECT_EQ(consumer.paused().size(), 1U);
    consumer.resume({{"t", 0}});
    EXPECT_EQ(co_await read(consumer, 1'000, 1), std::vector<std::string>{"0:a"});
  });
}

TEST_F(ConsumerTest, ReadCommittedLeavesOutWhatWasAborted) {
  config_.isolation_level = IsolationLevel::kReadCommitted;
  with_consumer([&](Consumer& consumer) -> Task<void> {
    add(0, {"before"});
    add(0, {"aborted"}, {.producer = 5, .transactional = true});
    add(0, {"other"}, {.producer = 6, .transactional = true});
    add(0, {}, {.producer = 5, .transactional = true, .control = records::ControlType::kAbort});
    add(0, {"again"}, {.producer = 5, .transactional = true});
    add(0, {}, {.producer = 5, .transactional = true, .control = records::ControlType::kCommit});
    logs_[0].aborted = {{5, 1}};
    // As a broker does: in one answer, so that the list of aborted transactions counts.
    std::vector<std::uint8_t> all;
    for (const auto& [last, batch] : logs_[0].batches) {
      all.insert(all.end(), batch.bytes().begin(), batch.bytes().end());
    }
    const std::int64_t last = logs_[0].batches.rbegin()->first;
    logs_[0].batches.clear();
    logs_[0].batches.emplace(last, Slice::copy_of(all));
    consumer.assign({{"t", 0}});
    EXPECT_EQ(co_await read(consumer, 1'000, 4), (std::vector<std::string>{"0:before", "0:other", "0:again"}));
    EXPECT_EQ(co_await consumer.position({"t", 0}, 100), 6);  // behind the markers
  });
}

TEST_F(ConsumerTest, AnOffsetOutOfRangeGoesByThePolicy) {
  with_consumer([&](Consumer& consumer) -> Task<void> {
    add(0, {"a", "b"});
    consumer.assign({{"t", 0}});
    consumer.seek({"t", 0}, 99);
    EXPECT_EQ(co_await read(consumer, 2'000, 2), (std::vector<std::string>{"0:a", "0:b"}));
  });
  config_.auto_offset_reset = OffsetReset::kNone;
  with_consumer([&](Consumer& consumer) -> Task<void> {
    consumer.assign({{"t", 0}});
    auto records = co_await consumer.poll(1'000);
    EXPECT_FALSE(records.has_value());
    EXPECT_EQ(records.error().code, ErrorCode::kOffsetOutOfRange);
    consumer.seek({"t", 0}, 99);
    for (int i = 0; i < 10 && records.has_value() == false; ++i) records = co_await consumer.poll(10);
    for (int i = 0; i < 10 && records.has_value(); ++i) records = co_await consumer.poll(100);
    EXPECT_FALSE(records.has_value());
  });
}

TEST_F(ConsumerTest, ACorruptRecordIsToldAndNotPassedOver) {
  with_consumer([&](Consumer& consumer) -> Task<void> {
    add(0, {"a"});
    add(0, {"b"});
    Slice& second = logs_[0].batches.at(1);
    second.mutable_bytes()[second.size() - 1] ^= 0x55;
    consumer.assign({{"t", 0}});
    EXPECT_EQ(co_await read(consumer, 1'000, 1), std::vector<std::string>{"0:a"});
    Answer<ConsumerRecords> records;
    for (int i = 0; i < 10 && records; ++i) records = co_await consumer.poll(100);
    EXPECT_FALSE(records.has_value());
    EXPECT_EQ(records.error().code, ErrorCode::kCorruptMessage);
    EXPECT_EQ(co_await consumer.position({"t", 0}, 100), 1);
    consumer.seek({"t", 0}, 2);
    add(0, {"c"});
    EXPECT_EQ(co_await read(consumer, 1'000, 1), std::vector<std::string>{"0:c"});
  });
}

TEST_F(ConsumerTest, JoinsAGroupReadsCommitsAndLeaves) {
  config_.group_id = "g";
  with_consumer([&](Consumer& consumer) -> Task<void> {
    add(0, {"a", "b"});
    add(1, {"x"});
    committed_[0] = 1;
    std::vector<TopicPartition> assigned;
    consumer.subscribe({"t"}, {.assigned = [&](const auto& partitions) { assigned = partitions; }});
    auto got = co_await read(consumer, 5'000, 2);
    std::ranges::sort(got);
    EXPECT_EQ(got, (std::vector<std::string>{"0:b", "1:x"}));
    EXPECT_EQ(assigned, (std::vector<TopicPartition>{{"t", 0}, {"t", 1}}));
    EXPECT_EQ(consumer.membership().member_id, "member-1");
    EXPECT_EQ(consumer.membership().protocol, "range");
    EXPECT_TRUE((co_await consumer.commit()).has_value());
    EXPECT_EQ(committed_[0], 2);
    EXPECT_EQ(committed_[1], 1);
    const auto committed = co_await consumer.committed({{"t", 0}});
    EXPECT_EQ((committed->at({"t", 0})->offset), 2);
    // Now and then by itself.
    add(1, {"y"});
    (void)co_await read(consumer, 2'000, 1);
    for (int i = 0; i < 60; ++i) (void)co_await consumer.poll(100);
    EXPECT_EQ(committed_[1], 2);
  });
  EXPECT_EQ(left_, std::vector<std::string>{"member-1"});
  EXPECT_GE(broker_.count(protocol::HeartbeatRequest::kApiKey), 1U);
}

TEST_F(ConsumerTest, JoinsAgainWhenTheGroupRebalances) {
  config_.group_id = "g";
  std::vector<std::string> events;  // the last of them comes when the consumer closes
  with_consumer([&](Consumer& consumer) -> Task<void> {
    add(0, {"a"});
    const auto note = [&events](std::string what) {
      return [&events, what](const std::vector<TopicPartition>& partitions) {
        events.push_back(what + std::to_string(partitions.size()));
      };
    };
    consumer.subscribe({"t"}, {note("assigned"), note("revoked"), note("lost")});
    EXPECT_EQ(co_await read(consumer, 5'000, 1), std::vector<std::string>{"0:a"});
    heartbeat_error_ = ErrorCode::kRebalanceInProgress;
    for (int i = 0; i < 40; ++i) (void)co_await consumer.poll(100);
    EXPECT_EQ(generation_, 2);
    EXPECT_EQ(events, (std::vector<std::string>{"assigned2", "revoked2", "assigned2"}));
    EXPECT_EQ(committed_[0], 1);  // before it let go
    heartbeat_error_ = ErrorCode::kUnknownMemberId;
    for (int i = 0; i < 60; ++i) (void)co_await consumer.poll(100);
    EXPECT_EQ(consumer.membership().member_id, "member-2");
    EXPECT_EQ(events.size(), 5U);
    EXPECT_EQ(events.at(3), "lost2");
    // New partitions are noticed by the leader.
    partitions_ = 3;
    co_await runtime::sleep_for(std::chrono::seconds(299));
    for (int i = 0; i < 50; ++i) (void)co_await consumer.poll(100);
    EXPECT_EQ(consumer.assignment().size(), 3U);
  });
}

// From a node that lost its power no answer comes: a member that leaves before its join is sent must not send it any
// more.
TEST_F(ConsumerTest, SendsNoJoinOnceItLeaves) {
  config_.group_id = "g";
  runtime::MonotonicTime left{};
  with_consumer([&](Consumer& consumer) -> Task<void> {
    broker_.on<protocol::JoinGroupRequest>(
        [](const auto&) -> std::optional<protocol::JoinGroupResponse> { return std::nullopt; });
    broker_.delay(protocol::FindCoordinatorRequest::kApiKey, [] { return std::chrono::seconds(2); });
    broker_.on<protocol::FindCoordinatorRequest>([asked = 0](const auto& request) mutable {
      const bool first = asked++ == 0;
      return std::optional(coordinator_of(request, first ? ErrorCode::kNone : ErrorCode::kCoordinatorNotAvailable));
    });
    consumer.subscribe({"t"});
    (void)co_await consumer.poll(1'000);
    left = shards_.at(0).clock().now();
  });
  EXPECT_EQ(broker_.count(protocol::JoinGroupRequest::kApiKey), 0U);
  EXPECT_LT(shards_.at(0).clock().now() - left, std::chrono::seconds(30));
}

TEST_F(ConsumerTest, APatternFindsItsTopics) {
  config_.group_id = "g";
  with_consumer([&](Consumer& consumer) -> Task<void> {
    add(0, {"a"});
    consumer.subscribe([](std::string_view name) { return name == "t"; });
    EXPECT_EQ(co_await read(consumer, 5'000, 1), std::vector<std::string>{"0:a"});
    EXPECT_EQ(consumer.assignment().size(), 2U);
  });
}

TEST_F(ConsumerTest, WhoDoesNotPollLeavesTheGroup) {
  config_.group_id = "g";
  config_.max_poll_interval_ms = 10'000;
  with_consumer([&](Consumer& consumer) -> Task<void> {
    consumer.subscribe({"t"});
    for (int i = 0; i < 20; ++i) (void)co_await consumer.poll(100);
    EXPECT_EQ(generation_, 1);
    co_await runtime::sleep_for(std::chrono::seconds(15));
    EXPECT_EQ(left_, std::vector<std::string>{"member-1"});
    for (int i = 0; i < 20; ++i) (void)co_await consumer.poll(100);
    EXPECT_EQ(consumer.membership().member_id, "member-2");
  });
}

TEST(ConsumerConfig, BadValuesAreRefused) {
  EXPECT_TRUE(ConsumerConfig::from({}));
  EXPECT_FALSE(ConsumerConfig::from({{"auto.offset.reset", "middle"}}));
  EXPECT_FALSE(ConsumerConfig::from({{"isolation.level", "some"}}));
  EXPECT_FALSE(ConsumerConfig::from({{"partition.assignment.strategy", "fair"}}));
  EXPECT_FALSE(ConsumerConfig::from({{"max.poll.records", "0"}}));
  const auto config = ConsumerConfig::from(
      {{"partition.assignment.strategy", "org.apache.kafka.clients.consumer.StickyAssignor, roundrobin"}});
  EXPECT_EQ(config->partition_assignment_strategy, (std::vector{Assignor::kSticky, Assignor::kRoundRobin}));
}

}  // namespace
}  // namespace dohle::client
