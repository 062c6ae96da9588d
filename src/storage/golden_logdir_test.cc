// A log directory made by Apache Kafka 4.4 (tests/golden/README.md): opened in place, rebuilt from its log files alone,
// and written again batch by batch, byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "log_state.h"
#include "producer_snapshot.h"
#include "storage/file_formats.h"
#include "storage_world.h"

namespace dohle::storage {
namespace {

constexpr std::string_view kFolder = "tests/golden/logdir";
constexpr std::string_view kLog = "/data/golden-0/";

std::map<std::string, std::string> golden_files() {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kFolder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    out["/data/" + std::filesystem::relative(entry.path(), kFolder).string()] = content.str();
  }
  return out;
}

bool ends_with_any(const std::string& name, std::initializer_list<std::string_view> suffixes) {
  return std::ranges::any_of(suffixes, [&](std::string_view suffix) { return name.ends_with(suffix); });
}

LogConfig golden_config() {
  LogConfig config;
  config.segment_index_bytes = 48;
  config.index_interval_bytes = 150;
  return config;
}

class GoldenLogDir : public ::testing::Test {
 protected:
  void put(const std::map<std::string, std::string>& files) {
    ASSERT_TRUE(world.files().create_directories("/data/golden-0"));
    for (const auto& [path, content] : files) {
      auto file = world.files().open(path, runtime::OpenMode::kTruncate);
      ASSERT_TRUE(file) << path;
      ASSERT_TRUE((*file)->write_at(0, as_bytes(content)));
    }
  }
  void start(LogManagerConfig config = {}) {
    config.log_dirs = {"/data"};
    const auto scope = world.shards.enter(0);
    auto opened = LogManager::open(world.shards, config);
    ASSERT_TRUE(opened) << opened.error().message;
    world.manager = std::move(*opened);
    const auto loaded = world.shards.run(
        0, [&] { return world.manager->load({.config_for = [](const std::string&) { return golden_config(); }}); });
    ASSERT_TRUE(loaded) << loaded.error().message;
    log = world.manager->on(0).find({"golden", 0});
    ASSERT_NE(log, nullptr);
  }
  // What is in the partition directory now must be what Kafka wrote.
  void expect_golden(std::initializer_list<std::string_view> suffixes) {
    std::size_t compared = 0;
    for (const auto& [path, content] : golden) {
      if (!path.starts_with(kLog) || !ends_with_any(path, suffixes)) continue;
      const auto ours = world.files().content(path);
      ASSERT_TRUE(ours) << path;
      EXPECT_EQ(*ours, content) << path;
      ++compared;
    }
    EXPECT_GT(compared, 7U);
    for (const auto& entry : *world.files().list("/data/golden-0")) {
      if (ends_with_any(entry.name, suffixes))
        EXPECT_TRUE(golden.contains(std::string(kLog) + entry.name)) << entry.name;
    }
  }
  StorageWorld world;
  std::map<std::string, std::string> golden = golden_files();
  Log* log = nullptr;
};

TEST_F(GoldenLogDir, ToolsDecodeItsFiles) {
  const auto content = [&](std::string_view name) { return as_bytes(golden.at(std::string(kLog).append(name))); };
  const auto index = decode_offset_index(content("00000000000000000007.index"), Offset(7));
  ASSERT_EQ(index.size(), 3U);
  EXPECT_EQ(written_entries(index, Offset(7)), 3U);
  EXPECT_GT(index[0].offset, Offset(7));
  EXPECT_LT(index[0].position, index[1].position);
  const auto times = decode_time_index(content("00000000000000000007.timeindex"), Offset(7));
  ASSERT_FALSE(times.empty());
  EXPECT_EQ(times.back().timestamp, 1'767'225'600'000 + 130);
  EXPECT_EQ(times.back().offset, Offset(13));
  const auto aborted = decode_transaction_index(content("00000000000000000041.txnindex"));
  ASSERT_TRUE(aborted);
  ASSERT_EQ(aborted->size(), 1U);
  EXPECT_EQ((*aborted)[0].last_offset, Offset(41));
  const auto producers = decode_producer_snapshot(content("00000000000000000044.snapshot"));
  ASSERT_TRUE(producers);
  ASSERT_EQ(producers->size(), 2U);
  EXPECT_EQ((*producers)[0].last_sequence, 39);
  EXPECT_EQ((*producers)[0].last_offset, Offset(39));
}

TEST_F(GoldenLogDir, ToolsDecodeWhatABrokerWouldNotLoad) {
  const auto content = [&](std::string_view name) { return as_bytes(golden.at(std::string(kLog).append(name))); };
  // A running Kafka's index: zeroes after the entries, and not even whole ones.
  std::string running(as_text(content("00000000000000000007.index")));
  running.append(81, '\0');
  const auto index = decode_offset_index(as_bytes(running), Offset(7));
  EXPECT_EQ(index.size(), 13U);
  EXPECT_EQ(written_entries(index, Offset(7)), 3U);
  std::string aborted(as_text(content("00000000000000000041.txnindex")));
  EXPECT_EQ(decode_transaction_index(as_bytes(aborted + aborted))->size(), 2U);  // offsets go back
  EXPECT_EQ(decode_transaction_index(as_bytes(aborted).first(33))->size(), 0U);
  aborted[1] = 1;
  EXPECT_FALSE(decode_transaction_index(as_bytes(aborted)));
}

TEST_F(GoldenLogDir, OpensInPlaceAndACleanStopChangesNothing) {
  put(golden);
  start();
  EXPECT_EQ(world.manager->previous_broker_epoch(), 18);
  EXPECT_EQ(world.manager->directories()[0]->meta()->node_id, 1);
  EXPECT_EQ(log->log_start(), Offset(0));
  EXPECT_EQ(log->log_end(), Offset(44));
  EXPECT_EQ(log->high_watermark(), Offset(44));
  EXPECT_EQ(log->last_stable_offset(), Offset(44));
  EXPECT_EQ(log->segment_count(), 7U);
  EXPECT_EQ(log->latest_epoch(), LeaderEpoch(0));
  ASSERT_TRUE(log->topic_id());
  std::int64_t next = 0;
  while (next < 44) {
    const auto read = world.read(*log, next, {.max_bytes = 100});
    ASSERT_TRUE(read);
    for (const auto& batch : offsets_in(read->records)) {
      ASSERT_EQ(batch.base, next);
      next = batch.last + 1;
    }
  }
  for (int i = 0; i < 40; ++i) {
    const auto found = world.offset_for_timestamp(*log, 1'767'225'600'000 + 10 * i);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->offset, Offset(i));
  }
  world.stop_cleanly(18);
  expect_golden({".log", ".index", ".timeindex", ".txnindex", ".snapshot", "checkpoint", ".metadata"});
}

TEST_F(GoldenLogDir, IndexesAndProducersAreRebuiltAsKafkaWroteThem) {
  std::map<std::string, std::string> bare;
  for (const auto& [path, content] : golden) {
    if (ends_with_any(path, {".log", ".metadata", "meta.properties"})) bare[path] = content;
  }
  put(bare);
  start();
  EXPECT_EQ(log->log_end(), Offset(44));
  world.stop_cleanly(18);  // which writes those of the last segment
  expect_golden({".log", ".index", ".timeindex", ".txnindex", "leader-epoch-checkpoint"});
  const auto kafkas = parse_producer_snapshot(as_bytes(golden.at(std::string(kLog) + "00000000000000000044.snapshot")));
  const auto ours =
      parse_producer_snapshot(as_bytes(*world.files().content(std::string(kLog) + "00000000000000000044.snapshot")));
  ASSERT_TRUE(kafkas && ours);
  // Expiry by the records' own, old timestamps took out those whose last batch is old, as it does in Kafka.
  for (const auto& [id, entry] : *ours) {
    ASSERT_TRUE(kafkas->contains(id));
    EXPECT_EQ(entry.epoch, kafkas->at(id).epoch);
    EXPECT_EQ(entry.last_timestamp, kafkas->at(id).last_timestamp);
  }
}

TEST_F(GoldenLogDir, TheSameBatchesGiveTheSameFiles) {
  world.start();
  Log& ours = world.log("golden", 0, golden_config());
  {
    const auto scope = world.shards.enter(0);
    for (const auto& [path, content] : golden) {
      if (!path.ends_with(".log")) continue;
      records::BatchCursor cursor(as_bytes(content));
      for (;;) {
        const auto batch = cursor.next();
        ASSERT_TRUE(batch);
        if (!*batch) break;
        const auto appended = ours.append_as_follower(Slice::copy_of((*batch)->bytes()), LeaderEpoch(0));
        ASSERT_TRUE(appended) << appended.error().message;
      }
    }
    ours.set_high_watermark(Offset(44));
  }
  world.stop_cleanly();
  expect_golden({".log", ".index", ".timeindex", ".txnindex", "leader-epoch-checkpoint"});
  for (const auto& [path, content] : golden) {
    if (!path.ends_with(".snapshot")) continue;
    const auto kafkas = parse_producer_snapshot(as_bytes(content));
    const auto mine = parse_producer_snapshot(as_bytes(*world.files().content(path)));
    ASSERT_TRUE(kafkas && mine) << path;
    // Kafka writes them in no order.
    EXPECT_EQ(format_producer_snapshot(*mine), format_producer_snapshot(*kafkas)) << path;
  }
}

}  // namespace
}  // namespace dohle::storage
