#include "producer_state.h"

#include <gtest/gtest.h>
#include <records/builder.h>

#include "producer_snapshot.h"
#include "runtime/memory/memory_shards.h"
#include "storage_world.h"

namespace dohle::storage {
namespace {

class ProducerStateTest : public ::testing::Test {
 protected:
  Result<> append(const BatchSpec& spec, AppendOrigin origin = AppendOrigin::kClient) {
    return apply(make_batch(spec), origin);
  }
  Result<> marker(ProducerId id, std::int16_t epoch, std::int64_t offset, records::ControlType type,
                  int coordinator_epoch) {
    records::BatchBuilder builder({.base_offset = Offset(offset),
                                   .producer_id = id,
                                   .producer_epoch = epoch,
                                   .transactional = true,
                                   .control = true});
    builder.append_control(1, type, records::encode_end_transaction_marker({coordinator_epoch}));
    return apply(builder.build(), AppendOrigin::kCoordinator);
  }
  Result<> apply(const Slice& batch, AppendOrigin origin) {
    ProducerUpdate update;
    const auto view = records::BatchView::parse(batch.bytes());
    DOHLE_TRY(state.prepare(*view, origin, update));
    state.apply(update);
    for (const auto& txn : update.completed) state.complete(txn);
    completed.insert(completed.end(), update.completed.begin(), update.completed.end());
    return {};
  }
  runtime::MemoryShards shards{1};
  runtime::MemoryShards::Scope scope = shards.enter(0);
  ProducerState state{1000};
  std::vector<CompletedTxn> completed;
};

TEST_F(ProducerStateTest, SequenceNumbersWrap) {
  const ProducerId id(1);
  ASSERT_TRUE(append({.records = 2, .producer = id, .producer_epoch = 0, .base_sequence = 2147483646}));
  ASSERT_TRUE(
      append({.records = 2, .producer = id, .producer_epoch = 0, .base_sequence = 0, .base_offset = Offset(2)}));
  EXPECT_EQ(append({.producer = id, .producer_epoch = 0, .base_sequence = 0, .base_offset = Offset(4)}).error().code,
            Errc::kOutOfOrderSequence);
  // Over the wrap inside one batch.
  const ProducerId other(2);
  ASSERT_TRUE(append({.records = 4, .producer = other, .producer_epoch = 0, .base_sequence = 2147483646}));
  EXPECT_EQ(state.find(other)->last().last_sequence, 1);
  EXPECT_EQ(state.find(other)->last().first_sequence(), 2147483646);
  EXPECT_NE(state.find(other)->find_duplicate(0, 2147483646, 1), nullptr);
}

TEST_F(ProducerStateTest, UnknownProducersMayBeginAnywhere) {
  EXPECT_TRUE(append({.producer = ProducerId(1), .producer_epoch = 3, .base_sequence = 1000}));
  EXPECT_EQ(append({.producer = ProducerId(1), .producer_epoch = 4, .base_sequence = 1}).error().code,
            Errc::kOutOfOrderSequence);
  EXPECT_EQ(append({.producer = ProducerId(1), .producer_epoch = 2, .base_sequence = 0}).error().code,
            Errc::kInvalidProducerEpoch);
}

TEST_F(ProducerStateTest, ReplicationIsNotChecked) {
  ASSERT_TRUE(append({.producer = ProducerId(1), .producer_epoch = 3, .base_sequence = 5}, AppendOrigin::kReplication));
  ASSERT_TRUE(
      append({.producer = ProducerId(1), .producer_epoch = 3, .base_sequence = 50}, AppendOrigin::kReplication));
  EXPECT_EQ(state.find(ProducerId(1))->last().last_sequence, 50);
}

TEST_F(ProducerStateTest, TransactionsHoldTheStableOffset) {
  const ProducerId id(1);
  ASSERT_TRUE(append({.records = 2,
                      .producer = id,
                      .producer_epoch = 0,
                      .base_sequence = 0,
                      .base_offset = Offset(10),
                      .transactional = true},
                     AppendOrigin::kReplication));
  EXPECT_EQ(state.first_unstable_offset(), Offset(10));
  ASSERT_TRUE(marker(id, 0, 12, records::ControlType::kAbort, 3));
  ASSERT_EQ(completed.size(), 1U);
  EXPECT_TRUE(completed[0].aborted);
  EXPECT_EQ(completed[0].first_offset, Offset(10));
  EXPECT_EQ(completed[0].last_offset, Offset(12));
  EXPECT_EQ(state.first_unstable_offset(), Offset(10));  // the marker is not replicated yet
  state.on_high_watermark(Offset(13));
  EXPECT_FALSE(state.first_unstable_offset());
  EXPECT_EQ(marker(id, 0, 13, records::ControlType::kCommit, 2).error().code, Errc::kFencedEpoch);
}

TEST_F(ProducerStateTest, ExpiryByTheBatchesTimestamp) {
  ASSERT_TRUE(append({.timestamp_ms = 5000, .producer = ProducerId(1), .producer_epoch = 0, .base_sequence = 0}));
  state.remove_expired(5999);
  EXPECT_NE(state.find(ProducerId(1)), nullptr);
  state.remove_expired(6000);
  EXPECT_EQ(state.find(ProducerId(1)), nullptr);
}

TEST_F(ProducerStateTest, SnapshotRoundTripAndDamage) {
  ASSERT_TRUE(append(
      {.records = 3, .producer = ProducerId(7), .producer_epoch = 2, .base_sequence = 9, .base_offset = Offset(100)}));
  auto bytes = format_producer_snapshot(state.producers());
  const auto back = parse_producer_snapshot(bytes);
  ASSERT_TRUE(back);
  const auto& entry = back->at(ProducerId(7));
  EXPECT_EQ(entry.epoch, 2);
  EXPECT_EQ(entry.last().last_sequence, 11);
  EXPECT_EQ(entry.last().first_offset(), Offset(100));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= 0x10;
    EXPECT_FALSE(parse_producer_snapshot(damaged)) << i;
  }
  EXPECT_FALSE(parse_producer_snapshot(Bytes(bytes).first(bytes.size() - 1)));
}

}  // namespace
}  // namespace dohle::storage
