#include <storage/log_manager.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "storage_world.h"

namespace dohle::storage {
namespace {

using runtime::CrashLoss;

class LogManagerTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  LogManagerTest() : world(GetParam()) {}
  void fill(Log& log, int batches, int epoch = 0) {
    for (int i = 0; i < batches; ++i) ASSERT_TRUE(world.append(log, {.records = 2, .value_bytes = 50}, epoch));
  }
  void start_periodic() {
    const auto scope = world.shards.enter(0);
    world.manager->start();
  }
  std::size_t count_records(Log& log) {
    std::int64_t next = log.log_start().value();
    std::size_t records = 0;
    while (Offset(next) < log.log_end()) {
      const auto read = world.read(log, next);
      EXPECT_TRUE(read);
      for (const auto& batch : offsets_in(read->records)) {
        EXPECT_EQ(batch.base, next);
        records += static_cast<std::size_t>(batch.last - batch.base + 1);
        next = batch.last + 1;
      }
    }
    return records;
  }
  StorageWorld world;
};
INSTANTIATE_TEST_SUITE_P(Shards, LogManagerTest, ::testing::Values(1, 4));

TEST_P(LogManagerTest, ACleanStopIsOpenedWithoutReadingTheLogs) {
  world.start();
  for (int p = 0; p < 6; ++p) fill(world.log("t", p), 10 + p);
  world.stop_cleanly(77);
  EXPECT_EQ(*world.files().content("/data/.kafka_cleanshutdown"), R"({"version":0,"brokerEpoch":77})");
  EXPECT_EQ(*world.files().content("/data/recovery-point-offset-checkpoint"),
            "0\n6\nt 0 20\nt 1 22\nt 2 24\nt 3 26\nt 4 28\nt 5 30\n");
  std::size_t last_done = 0;
  world.start({}, {.on_progress = [&](const LoadProgress& progress) { last_done = progress.partitions_done; }});
  EXPECT_EQ(last_done, 6U);
  EXPECT_EQ(world.manager->previous_broker_epoch(), 77);
  EXPECT_FALSE(world.files().exists("/data/.kafka_cleanshutdown"));
  for (int p = 0; p < 6; ++p) {
    Log* log = world.manager->on(world.shard_of(p)).find({"t", p});
    ASSERT_NE(log, nullptr);
    EXPECT_EQ(log->flushed_end(), Offset(20 + 2 * p));
    EXPECT_EQ(count_records(*log), 20U + 2 * static_cast<std::size_t>(p));
  }
}

TEST_P(LogManagerTest, CommittedRecordsSurviveAPowerLoss) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const CrashLoss loss : {CrashLoss::kUnsynced, CrashLoss::kRandom, CrashLoss::kNothing}) {
      StorageWorld life(GetParam(), seed);
      life.start();
      LogConfig config;
      config.segment_bytes = 1500;
      config.index_interval_bytes = 200;
      std::vector<std::int64_t> committed;
      for (int p = 0; p < 4; ++p) {
        Log& log = life.log("t", p, config);
        for (int i = 0; i < 5 + 7 * p; ++i) ASSERT_TRUE(life.append(log, {.records = 2, .value_bytes = 90}, i / 9));
        ASSERT_TRUE(life.commit(log));
        committed.push_back(log.log_end().value());
        for (int i = 0; i < 8; ++i) ASSERT_TRUE(life.append(log, {.records = 1, .value_bytes = 90}, 9));
      }
      life.crash(loss);
      life.start({}, {.config_for = [&](const std::string&) { return config; }});
      for (int p = 0; p < 4; ++p) {
        Log* log = life.manager->on(life.shard_of(p)).find({"t", p});
        ASSERT_NE(log, nullptr) << "seed " << seed << " partition " << p;
        ASSERT_GE(log->log_end().value(), committed[static_cast<std::size_t>(p)]) << "seed " << seed;
        EXPECT_EQ(log->flushed_end(), log->log_end());
        if (loss == CrashLoss::kNothing) EXPECT_EQ(log->log_end().value(), committed[static_cast<std::size_t>(p)] + 8);
        std::int64_t next = 0;
        while (Offset(next) < log->log_end()) {
          const auto read = life.read(*log, next, {.max_bytes = 500});
          ASSERT_TRUE(read) << read.error().message;
          const auto batches = offsets_in(read->records);
          ASSERT_FALSE(batches.empty()) << "seed " << seed << " at " << next;
          for (const auto& batch : batches) {
            ASSERT_EQ(batch.base, next);
            next = batch.last + 1;
          }
        }
        ASSERT_EQ(log->topic_id(), StorageWorld::topic_id("t"));
        ASSERT_TRUE(life.append(*log, {}, 10));
      }
    }
  }
}

TEST_P(LogManagerTest, ADamagedTailIsCutAndIndexesRebuilt) {
  world.start();
  LogConfig config;
  config.index_interval_bytes = 100;
  Log& log = world.log("t", 0, config);
  fill(log, 20);
  ASSERT_TRUE(world.commit(log));
  world.crash(CrashLoss::kNothing);
  const std::string path = "/data/t-0/00000000000000000000.log";
  auto file = *world.files().open(path, runtime::OpenMode::kReadWrite);
  const auto size = *file->size();
  ASSERT_TRUE(file->write_at(size - 5, as_bytes("xxxxx")));
  ASSERT_TRUE((*world.files().open("/data/t-0/00000000000000000000.index", runtime::OpenMode::kCreate))
                  ->write_at(0, as_bytes("junk!")));
  world.start({}, {.config_for = [&](const std::string&) { return config; }});
  Log* again = world.manager->on(0).find({"t", 0});
  EXPECT_EQ(again->log_end(), Offset(38));
  EXPECT_EQ(count_records(*again), 38U);
  world.stop_cleanly();
  EXPECT_EQ(*world.files().file_size("/data/t-0/00000000000000000000.index") % 8, 0U);
  EXPECT_GT(*world.files().file_size("/data/t-0/00000000000000000000.index"), 8U);
}

TEST_P(LogManagerTest, AnIndexThatIsRebuiltIsWrittenAtTheNextCleanStop) {
  const LogConfig config{.index_interval_bytes = 100};
  const LoadOptions options{.config_for = [&](const std::string&) { return config; }};
  const std::string base = "/data/t-0/00000000000000000000";
  world.start();
  fill(world.log("t", 0, config), 20);
  world.stop_cleanly();
  const std::string index = *world.files().content(base + ".index");
  const std::string times = *world.files().content(base + ".timeindex");
  ASSERT_GT(index.size(), 8U);
  ASSERT_FALSE(times.empty());
  ASSERT_TRUE(world.files().remove_file(base + ".index"));
  world.start({}, options);
  EXPECT_EQ(count_records(*world.manager->on(0).find({"t", 0})), 40U);
  world.stop_cleanly();
  EXPECT_EQ(*world.files().content(base + ".index"), index);
  EXPECT_EQ(*world.files().content(base + ".timeindex"), times);
}

TEST_P(LogManagerTest, TheRecoveryOfOneLogMakesTheEpochsThatItFindsDurable) {
  world.start();
  const std::string epochs = "/data/u-0/leader-epoch-checkpoint";
  const auto open = [&](bool clean) {
    const auto scope = world.shards.enter(0);
    return *world.manager->on(0).open_unmanaged(
        *world.manager->directories()[0],
        {.path = "/data/u-0", .partition = {"u", 0}, .config = {}, .had_clean_shutdown = clean});
  };
  auto log = open(true);
  ASSERT_TRUE(world.append(*log, {}, 3));
  const std::string written = *world.files().content(epochs);
  {
    const auto scope = world.shards.enter(0);
    log.reset();
  }
  log = open(false);
  EXPECT_EQ(*world.files().content(epochs), written);
  EXPECT_EQ(*world.files().durable_content(epochs), written);
  const auto scope = world.shards.enter(0);
  log.reset();
}

TEST_P(LogManagerTest, ProducersSurviveACleanStopAndACrash) {
  world.start();
  const ProducerId id(9);
  Log& log = world.log("t", 0);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(world.append(log, {.producer = id, .producer_epoch = 2, .base_sequence = i}));
  world.stop_cleanly();
  world.start();
  Log& second = world.log("t", 0);
  const auto retry = world.append(second, {.producer = id, .producer_epoch = 2, .base_sequence = 3});
  ASSERT_TRUE(retry);
  EXPECT_TRUE(retry->duplicate);
  ASSERT_TRUE(world.append(second, {.producer = id, .producer_epoch = 2, .base_sequence = 4}));
  ASSERT_TRUE(world.commit(second));
  world.crash(CrashLoss::kUnsynced);
  world.start();
  Log& third = world.log("t", 0);
  EXPECT_TRUE(world.append(third, {.producer = id, .producer_epoch = 2, .base_sequence = 4})->duplicate);
  EXPECT_EQ(world.append(third, {.producer = id, .producer_epoch = 1, .base_sequence = 0}).error().error.code,
            Errc::kInvalidProducerEpoch);
}

// Five requests may be in flight when the node dies; each of them may come again.
TEST_P(LogManagerTest, ACrashKeepsTheLastFiveBatchesOfAProducer) {
  world.start();
  const ProducerId id(9);
  Log& log = world.log("t", 0, {.segment_bytes = 300});
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(world.append(log, {.producer = id, .producer_epoch = 0, .base_sequence = i}));
  world.crash(CrashLoss::kNothing);
  world.start();
  Log& again = world.log("t", 0, {.segment_bytes = 300});
  for (int i = 4; i < 9; ++i) {
    const auto retry = world.append(again, {.producer = id, .producer_epoch = 0, .base_sequence = i});
    ASSERT_TRUE(retry) << i << ": " << retry.error().error.message;
    EXPECT_TRUE(retry->duplicate);
    EXPECT_EQ(retry->first_offset, Offset(i));
  }
}

// What was appended shortly before a checkpoint is read again after a crash, whatever was synced and rolled meanwhile.
TEST_P(LogManagerTest, ACheckpointDoesNotShortenTheWindowOfAProducer) {
  world.start();
  start_periodic();
  const ProducerId id(9);
  Log& log = world.log("t", 0, {.segment_bytes = 300});
  world.shards.advance(std::chrono::seconds(58));
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(world.append(log, {.producer = id, .producer_epoch = 0, .base_sequence = i}));
  ASSERT_TRUE(world.commit(log));
  world.shards.advance(std::chrono::seconds(4));
  world.crash(CrashLoss::kNothing);
  world.start();
  Log& again = world.log("t", 0, {.segment_bytes = 300});
  const auto retry = world.append(again, {.producer = id, .producer_epoch = 0, .base_sequence = 4});
  ASSERT_TRUE(retry) << retry.error().error.message;
  EXPECT_TRUE(retry->duplicate);
}

TEST_P(LogManagerTest, TwoProcessesOnOneDirectoryAreRefused) {
  world.start();
  const auto scope = world.shards.enter(0);
  const auto second = LogManager::open(world.shards, {.log_dirs = {"/data"}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kLocked);
  EXPECT_NE(second.error().message.find("/data"), std::string::npos);
}

TEST_P(LogManagerTest, ForeignDirectoriesAreRefusedAndMetaIsCompleted) {
  world.start();
  const auto meta = world.manager->directories()[0]->meta();
  ASSERT_TRUE(meta && meta->directory_id);
  EXPECT_EQ(meta->cluster_id, "test-cluster");
  {
    const auto scope = world.shards.enter(0);
    EXPECT_EQ(world.manager->check_and_complete_meta("another", 1).error().code, Errc::kInvalidConfig);
    EXPECT_EQ(world.manager->check_and_complete_meta("test-cluster", 2).error().code, Errc::kInvalidConfig);
  }
  world.stop_cleanly();
  ASSERT_TRUE(world.files().create_directories("/data/notes"));
  const auto refused = world.try_start();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("notes"), std::string::npos);
}

TEST_P(LogManagerTest, RemovedPartitionsAreRenamedAndGoLater) {
  LogManagerConfig config;
  config.flush_check_interval_ms = 100;
  world.start(config);
  start_periodic();
  LogConfig topic;
  topic.file_delete_delay_ms = 1000;
  fill(world.log("t", 0, topic), 3);
  ASSERT_TRUE(world.shards.run(0, [&] { return world.manager->on(0).remove({"t", 0}); }));
  EXPECT_EQ(world.manager->on(0).find({"t", 0}), nullptr);
  const auto deleted = [&] {
    for (const auto& entry : *world.files().list("/data")) {
      if (entry.name.starts_with("t-0.") && entry.name.ends_with("-delete")) return true;
    }
    return false;
  };
  EXPECT_TRUE(deleted());
  fill(world.log("t", 0, topic), 1);
  EXPECT_EQ(world.manager->on(0).find({"t", 0})->log_end(), Offset(2));
  world.shards.advance(std::chrono::seconds(3));
  EXPECT_FALSE(deleted());
  world.stop_cleanly();
}

// A topic that is created again has another id, and so may have its log on another shard.
TEST_P(LogManagerTest, ALogIsNotMadeBeforeTheOldOneOfItsNameIsGone) {
  world.start();
  fill(world.log("t", 0), 3);
  const std::size_t other = GetParam() - 1;
  const TopicId again{{77, 7}};
  std::optional<Result<Log*>> made;
  const auto make = [](ShardLogs& logs, TopicId id, std::optional<Result<Log*>>& out) -> runtime::Task<void> {
    out = co_await logs.get_or_create({"t", 0}, id, {}, std::nullopt, Offset(5));
  };
  if (other != 0) {
    {
      const auto scope = world.shards.enter(other);
      runtime::spawn(make(world.manager->on(other), again, made));
    }
    world.shards.advance(std::chrono::seconds(1));
    EXPECT_FALSE(made) << "the old log is still there";
  }
  const auto removed = world.shards.run(0, [&] { return world.manager->on(0).remove({"t", 0}); });
  ASSERT_TRUE(removed);
  if (other == 0) {
    const auto scope = world.shards.enter(0);
    runtime::spawn(make(world.manager->on(0), again, made));
  }
  world.shards.advance(std::chrono::seconds(1));
  ASSERT_TRUE(made && *made);
  EXPECT_EQ((**made)->log_end(), Offset(0));
  EXPECT_TRUE(world.files().exists("/data/t-0"));
  world.stop_cleanly();
}

TEST_P(LogManagerTest, WhoWaitsForANameIsLetGoAtAStop) {
  if (GetParam() == 1) GTEST_SKIP() << "one shard never waits";
  world.start();
  fill(world.log("t", 0), 1);
  std::optional<Result<Log*>> made;
  {
    const auto scope = world.shards.enter(1);
    runtime::spawn([](ShardLogs& logs, std::optional<Result<Log*>>& out) -> runtime::Task<void> {
      out = co_await logs.get_or_create({"t", 0}, TopicId{{77, 7}}, {});
    }(world.manager->on(1), made));
  }
  world.shards.advance(std::chrono::seconds(1));
  {
    const auto scope = world.shards.enter(0);
    world.manager->stop_making_logs();
  }
  world.shards.advance(std::chrono::seconds(1));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->error().code, Errc::kClosed);
  world.stop_cleanly();
}

TEST_P(LogManagerTest, StraysAreSetAside) {
  world.start();
  fill(world.log("mine", 0), 1);
  fill(world.log("gone", 1), 1);
  world.stop_cleanly();
  world.start({}, {.is_stray = [](const TopicPartition& tp, const std::optional<TopicId>& id) {
                EXPECT_TRUE(id);
                return tp.topic == "gone";
              }});
  EXPECT_EQ(world.manager->on(world.shard_of(1)).find({"gone", 1}), nullptr);
  EXPECT_NE(world.manager->on(0).find({"mine", 0}), nullptr);
  bool stray = false;
  for (const auto& entry : *world.files().list("/data")) stray = stray || entry.name.ends_with("-stray");
  EXPECT_TRUE(stray);
}

TEST_P(LogManagerTest, CheckpointsAreWrittenWhileRunning) {
  LogManagerConfig config;
  config.log_dirs = {"/data", "/more"};
  world.start(config);
  start_periodic();
  Log& log = world.log("t", 0);
  Log& other = world.log("t", 1);
  fill(log, 5);
  fill(other, 5);
  EXPECT_NE(log.path().substr(0, 5), other.path().substr(0, 5));
  {
    const auto scope = world.shards.enter(0);
    log.set_high_watermark(Offset(7));
  }
  world.shards.advance(std::chrono::seconds(6));
  EXPECT_EQ(*world.files().durable_content(log.path().substr(0, 5) + "/replication-offset-checkpoint"),
            "0\n1\nt 0 7\n");
  ASSERT_TRUE(world.commit(log));
  world.shards.advance(std::chrono::seconds(60));
  ASSERT_TRUE(world.append(log, {}));
  ASSERT_TRUE(world.commit(log));
  world.shards.advance(std::chrono::seconds(60));
  const std::string flushed_a_minute_ago = std::to_string(log.flushed_end().value() - 1);
  EXPECT_EQ(*world.files().durable_content(log.path().substr(0, 5) + "/recovery-point-offset-checkpoint"),
            "0\n1\nt 0 " + flushed_a_minute_ago + "\n");
  const auto described = world.shards.run(0, [&] { return world.manager->describe(); });
  ASSERT_EQ(described.size(), 2U);
  EXPECT_EQ(described[0].replicas.size() + described[1].replicas.size(), 2U);
  world.stop_cleanly();
}

TEST_P(LogManagerTest, ADirectoryThatDoesNotOpenIsLeftOut) {
  LogManagerConfig config;
  config.log_dirs = {"/data", "/broken"};
  world.files().inject(
      {.operation = runtime::FileOperation::kCreateDirectory, .path_part = "broken", .error = Errc::kIo});
  world.start(config);
  fill(world.log("t", 0), 2);
  const auto described = world.shards.run(0, [&] { return world.manager->describe(); });
  ASSERT_EQ(described.size(), 2U);
  EXPECT_TRUE(described[0].online);
  EXPECT_FALSE(described[1].online);
  world.stop_cleanly();
  config.log_dirs = {"/broken", "/data"};
  EXPECT_FALSE(world.try_start(config));
}

TEST_P(LogManagerTest, NobodyWaitsForALogWhoseDirectoryFailsWhileItIsLoaded) {
  LogManagerConfig config;
  config.log_dirs = {"/data", "/broken"};
  world.start(config);
  for (int p = 0; p < 4; ++p) fill(world.log("t", p), 2);
  world.crash(CrashLoss::kNothing);
  world.files().inject({.operation = runtime::FileOperation::kSync, .path_part = "broken"});
  world.start(config);
  ASSERT_TRUE(world.manager->directories()[1]->offline());
  const Uuid broken = world.manager->directories()[1]->id();
  int missing = 0;
  for (int p = 0; p < 4; ++p) {
    auto& logs = world.manager->on(world.shard_of(p));
    if (logs.find({"t", p}) != nullptr && !logs.directory_of({"t", p})->offline()) continue;
    ++missing;
    const auto made = world.shards.run(
        world.shard_of(p), [&] { return logs.get_or_create({"t", p}, StorageWorld::topic_id("t"), {}, broken); });
    EXPECT_EQ(made.error().code, Errc::kStorage);
  }
  EXPECT_EQ(missing, 2);
}

// With many logs one sync of the file system stands for theirs.
TEST_P(LogManagerTest, ManyLogsAreClosedByOneSync) {
  const LogManagerConfig one_sync{.logs_closed_one_by_one = 0};
  LogConfig config;
  config.segment_bytes = 1500;
  config.index_interval_bytes = 200;
  const LoadOptions options{.config_for = [&](const std::string&) { return config; }};
  world.start(one_sync, options);
  for (int p = 0; p < 6; ++p) {
    Log& log = world.log("t", p, config);
    fill(log, 10 + p);
    if (p % 2 == 0) ASSERT_TRUE(world.commit(log));
    fill(log, p, 3);
  }
  {
    Log& cut = world.log("t", 5);
    const auto scope = world.shards.enter(world.shard_of(5));
    ASSERT_TRUE(cut.truncate_to(Offset(22)));
  }
  world.stop_cleanly(77);
  world.files().crash(CrashLoss::kUnsynced);
  world.start(one_sync, options);
  EXPECT_EQ(world.manager->previous_broker_epoch(), 77);
  for (int p = 0; p < 6; ++p) {
    Log* log = world.manager->on(world.shard_of(p)).find({"t", p});
    ASSERT_NE(log, nullptr);
    const std::int64_t records = p == 5 ? 22 : 20 + 4 * p;
    EXPECT_EQ(log->log_end(), Offset(records));
    EXPECT_EQ(log->flushed_end(), Offset(records));
    EXPECT_EQ(count_records(*log), static_cast<std::size_t>(records));
    EXPECT_EQ(log->latest_epoch(), LeaderEpoch(p == 0 || p == 5 ? 0 : 3));
  }
}

TEST_P(LogManagerTest, AStopWhoseOneSyncFailsIsNotClean) {
  const LogManagerConfig one_sync{.logs_closed_one_by_one = 0};
  world.start(one_sync);
  for (int p = 0; p < 6; ++p) {
    fill(world.log("t", p), 10);
    ASSERT_TRUE(world.commit(world.log("t", p)));
    fill(world.log("t", p), 10);
  }
  world.files().inject({.operation = runtime::FileOperation::kSync, .path_part = "/data", .times = 1});
  world.stop_cleanly(77);
  EXPECT_FALSE(world.files().exists("/data/.kafka_cleanshutdown"));
  world.files().crash(CrashLoss::kUnsynced);
  world.start(one_sync);
  for (int p = 0; p < 6; ++p) {
    Log* log = world.manager->on(world.shard_of(p)).find({"t", p});
    ASSERT_NE(log, nullptr);
    EXPECT_GE(count_records(*log), 20U);
  }
}

// As when each log syncs for itself: a disk that fails is no reason for the others to be recovered.
TEST_P(LogManagerTest, AFailedWriteOfManyThatCloseTakesTheirDirectoryOffline) {
  const LogManagerConfig one_sync{.log_dirs = {"/data", "/other"}, .logs_closed_one_by_one = 0};
  world.start(one_sync);
  for (int p = 0; p < 6; ++p) {
    Log& log = world.log("t", p);
    fill(log, 3);
    const auto scope = world.shards.enter(world.shard_of(p));
    ASSERT_TRUE(log.assign_epoch_start(LeaderEpoch(7), log.log_end()));
  }
  const std::string there = world.files().exists("/other/t-0") ? "/other/t-0/" : "/other/t-1/";
  world.files().inject(
      {.operation = runtime::FileOperation::kWrite, .path_part = there + "leader-epoch-checkpoint", .times = 1});
  world.stop_cleanly(77);
  EXPECT_TRUE(world.files().exists("/data/.kafka_cleanshutdown"));
  EXPECT_FALSE(world.files().exists("/other/.kafka_cleanshutdown"));
}

// What a failed sync should have written is read as before, and the next sync succeeds without it.
TEST_P(LogManagerTest, AStartMakesGoodForASyncThatFailedBeforeIt) {
  world.start();
  Log& log = world.log("t", 0);
  fill(log, 3);
  ASSERT_TRUE(world.commit(log));
  fill(log, 3);
  world.files().inject({.operation = runtime::FileOperation::kSync, .path_part = ".log", .times = 1});
  EXPECT_FALSE(world.commit(log));
  world.crash(CrashLoss::kNothing);
  world.start();
  Log& again = world.log("t", 0);
  fill(again, 3);
  ASSERT_TRUE(world.commit(again));
  const Offset committed = again.log_end();
  world.crash(CrashLoss::kUnsynced);
  world.start();
  EXPECT_EQ(world.log("t", 0).log_end(), committed);
  EXPECT_EQ(count_records(world.log("t", 0)), static_cast<std::size_t>(committed.value()));
}

TEST_P(LogManagerTest, TheReserveCarriesInternalTopicsOverAFullDisk) {
  world.start();
  ASSERT_TRUE(world.manager->directories()[0]->make_reserve(1U << 20U));
  Log& offsets = world.log("__consumer_offsets", 0);
  Log& user = world.log("t", 1);
  world.files().set_capacity(world.files().used_bytes());
  EXPECT_EQ(world.append(user, {.value_bytes = 1000}).error().error.code, Errc::kNoSpace);
  EXPECT_TRUE(world.files().exists("/data/.dohle-reserve"));
  EXPECT_TRUE(world.append(offsets, {.value_bytes = 1000}));
  EXPECT_FALSE(world.files().exists("/data/.dohle-reserve"));
}

TEST_P(LogManagerTest, AStartWithoutAFreeBlockLeavesIndexesForLater) {
  const LogConfig config{.segment_bytes = 1500, .index_interval_bytes = 100};
  const LoadOptions options{.config_for = [&](const std::string&) { return config; }};
  world.start();
  Log& log = world.log("t", 0, config);
  fill(log, 40);
  ASSERT_TRUE(world.commit(log));
  world.crash(CrashLoss::kNothing);
  for (const auto& path : world.files().files_below("/data/t-0")) {
    if (path.ends_with("index")) ASSERT_TRUE(world.files().remove_file(path));
  }
  world.files().set_capacity(world.files().used_bytes());
  ASSERT_TRUE(world.try_start({}, options));
  start_periodic();
  Log* again = world.manager->on(0).find({"t", 0});
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->log_end(), Offset(80));
  EXPECT_EQ(count_records(*again), 80U);
  EXPECT_EQ(world.append(*again, {.value_bytes = 1200}).error().error.code, Errc::kNoSpace);
  world.files().set_capacity(1U << 30U);
  world.shards.advance(std::chrono::seconds(3));
  EXPECT_GT(*world.files().file_size("/data/t-0/00000000000000000000.index"), 0U);
  ASSERT_TRUE(world.append(*again, {}));
  world.stop_cleanly();
  world.start({}, options);
  EXPECT_EQ(count_records(*world.manager->on(0).find({"t", 0})), 81U);
}

TEST_P(LogManagerTest, AStartHasBlocksThatNothingElseMayUse) {
  constexpr std::uint64_t kReserve = 64U << 20U;
  constexpr std::uint64_t kDisk = 4ULL << 30U;
  world.files().set_capacity(kDisk);
  world.start();
  LogDirectory& directory = *world.manager->directories()[0];
  directory.keep_room_to_start(kReserve);
  ASSERT_TRUE(world.files().exists("/data/.dohle-start"));
  // Not for a start that has space, but for one that has none; again and again.
  directory.make_room_to_start(kReserve);
  EXPECT_TRUE(world.files().exists("/data/.dohle-start"));
  world.stop_cleanly();
  for (int starts = 0; starts < 5; ++starts) {
    const auto filler = world.files().open(fmt::format("/filler{}", starts), runtime::OpenMode::kCreate);
    ASSERT_TRUE((*filler)->allocate(0, kDisk - world.files().used_bytes()));
    ASSERT_TRUE(world.try_start());
    LogDirectory& full = *world.manager->directories()[0];
    full.make_room_to_start(kReserve);
    EXPECT_FALSE(world.files().exists("/data/.dohle-start"));
    ASSERT_TRUE(runtime::write_file_atomically(world.files(), "/data/vote", "a vote"));
    full.keep_room_to_start(kReserve);
    EXPECT_TRUE(world.files().exists("/data/.dohle-start"));
    world.crash(CrashLoss::kNothing);
  }
}

TEST_P(LogManagerTest, FlushMsFlushesInTheBackground) {
  world.start();
  start_periodic();
  LogConfig config;
  config.flush_messages = kMaxLong;
  config.flush_ms = 2000;
  Log& log = world.log("t", 0, config);
  fill(log, 1);
  world.shards.advance(std::chrono::milliseconds(1500));
  EXPECT_EQ(log.flushed_end(), Offset(0));
  world.shards.advance(std::chrono::seconds(3));
  EXPECT_EQ(log.flushed_end(), Offset(2));
  world.stop_cleanly();
}

}  // namespace
}  // namespace dohle::storage
