// A partition of __consumer_offsets that Apache Kafka 4.4.0 wrote (tests/golden/generate/GoldenGroups.java) is loaded.
#include <fstream>
#include <iterator>

#include <base/reader.h>
#include <gtest/gtest.h>
#include <records/batch.h>
#include <records/reader.h>
#include <runtime/memory/memory_shards.h>

#include "group/group_machine.h"
#include "memory_partition.h"

namespace dohle::coordinator {
namespace {

class GoldenGroups : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file("tests/golden/groups/consumer_offsets.log", std::ios::binary);
    log.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    ASSERT_FALSE(log.empty());
    auto scope = shards.enter(0);
    writer.set_log(0, log);
    auto owned = std::make_unique<GroupMachine>(config, shards.random());
    machine = owned.get();
    runtime = std::make_unique<PartitionRuntime>(0, LeaderEpoch(1), std::move(owned), writer, clock, RuntimeConfig{});
    runtime->start();
  }
  void TearDown() override {
    {
      auto scope = shards.enter(0);
      runtime->close();
    }
    shards.run(0, [this] { return runtime->drained(); });
    auto scope = shards.enter(0);
    runtime.reset();
  }
  [[nodiscard]] const CommittedOffset* committed(const std::string& group, int partition) const {
    return machine->offsets().find(group, "orders", partition);
  }

  runtime::MemoryShards shards{1};
  runtime::SettledClock clock{shards.clock()};
  MemoryPartition writer;
  GroupConfig config;
  std::vector<std::uint8_t> log;
  GroupMachine* machine = nullptr;
  std::unique_ptr<PartitionRuntime> runtime;
};

TEST_F(GoldenGroups, AreLoaded) {
  shards.run_until_idle();
  ASSERT_EQ(runtime->state(), PartitionRuntime::State::kActive);
  GroupMap& groups = machine->groups();

  const ClassicGroup* stable = groups.find("stable");
  ASSERT_NE(stable, nullptr);
  EXPECT_TRUE(stable->is(GroupState::kStable));
  EXPECT_EQ(stable->generation(), 1);
  EXPECT_EQ(stable->protocol_type(), "consumer");
  EXPECT_EQ(stable->protocol_name(), "range");
  ASSERT_TRUE(stable->subscribed_topics());
  EXPECT_EQ(*stable->subscribed_topics(), (std::set<std::string, std::less<>>{"orders"}));
  const std::string* static_id = stable->static_member("one");
  ASSERT_NE(static_id, nullptr);
  const ClassicMember& one = stable->members().find(*static_id)->second;
  EXPECT_EQ(one.client_id, "client-a");
  EXPECT_EQ(one.client_host, "/127.0.0.1");
  EXPECT_EQ(one.session_timeout_ms, 30'000);
  EXPECT_EQ(one.rebalance_timeout_ms, 60'000);
  EXPECT_FALSE(one.assignment.empty());
  ASSERT_NE(committed("stable", 0), nullptr);
  EXPECT_EQ(committed("stable", 0)->offset, 11);
  EXPECT_EQ(committed("stable", 0)->metadata, "w\u00f6rk");
  EXPECT_EQ(committed("stable", 0)->leader_epoch, 0);
  EXPECT_FALSE(committed("stable", 0)->topic_id.is_zero());

  const ClassicGroup* left = groups.find("left");
  ASSERT_NE(left, nullptr);
  EXPECT_TRUE(left->is(GroupState::kEmpty));
  EXPECT_EQ(left->generation(), 2);
  EXPECT_EQ(left->protocol_type(), "consumer");
  EXPECT_EQ(committed("left", 2)->offset, 7);

  EXPECT_EQ(groups.find("deleted"), nullptr);
  EXPECT_EQ(machine->offsets().find("deleted"), nullptr);
  EXPECT_EQ(groups.find("simple")->protocol_type(), std::nullopt);
  EXPECT_EQ(committed("simple", 0)->offset, 100);
  EXPECT_EQ(committed("simple", 0)->metadata, "by hand");
  EXPECT_EQ(committed("simple", 1), nullptr) << "deleted again";
  EXPECT_EQ(machine->offsets().find("simple", "gone", 0), nullptr) << "its topic was deleted";

  EXPECT_EQ(committed("transactions", 0)->offset, 50) << "committed";
  EXPECT_EQ(committed("transactions", 1), nullptr) << "aborted";
  EXPECT_EQ(committed("transactions", 2), nullptr) << "still open";
  EXPECT_TRUE(machine->offsets().has_pending("transactions", "orders", 2));

  EXPECT_EQ(groups.find("modern"), nullptr) << "of the newer protocol: kept, but not ours";
  EXPECT_TRUE(groups.is_modern("modern"));
  EXPECT_EQ(committed("modern", 3)->offset, 33);
}

// Every record that we would write for the state we loaded is, byte for byte, the record Kafka wrote.
TEST_F(GoldenGroups, AreWrittenAsKafkaWritesThem) {
  shards.run_until_idle();
  auto scope = shards.enter(0);
  std::size_t compared = 0;
  records::BatchCursor cursor(log);
  for (;;) {
    auto batch = cursor.next();
    ASSERT_TRUE(batch);
    if (!*batch) break;
    if ((*batch)->is_control()) continue;
    const auto visited = records::for_each(**batch, [&](const records::RecordView& record) -> Result<> {
      const auto type = load_be<std::int16_t>(record.key->data());
      if (type > 2 || !record.value) return {};
      CoordinatorRecord ours;
      if (type == 2) {
        const auto group_id = as_text(record.key->subspan(4));
        DOHLE_ASSIGN(const auto group, decode_group(group_id, *record.value));
        if (!group->protocol_type()) {
          ours = empty_group_record(*group);
        } else if (group->members().size() > 1) {
          return {};  // the order of members is Java's hash order there
        } else {
          ours =
              group_record(*group, [](const ClassicMember& member) -> const ByteVector& { return member.assignment; });
        }
      } else {
        DOHLE_ASSIGN(const auto offset, decode_offset(record.offset, *record.value));
        Reader key(record.key->subspan(2));
        const auto group = as_text(key.read_bytes(static_cast<std::size_t>(key.read<std::int16_t>())));
        const auto topic = as_text(key.read_bytes(static_cast<std::size_t>(key.read<std::int16_t>())));
        ours = offset_record(group, topic, key.read<std::int32_t>(), offset);
      }
      EXPECT_TRUE(std::ranges::equal(ours.key, *record.key)) << "at " << record.offset.value();
      EXPECT_TRUE(std::ranges::equal(*ours.value, *record.value)) << "at " << record.offset.value();
      ++compared;
      return {};
    });
    ASSERT_TRUE(visited) << visited.error().message;
  }
  EXPECT_GE(compared, 10U);
}

}  // namespace
}  // namespace dohle::coordinator
