#include <storage/commit_journal.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <runtime/memory/memory_shards.h>

namespace dohle::storage {
namespace {

using runtime::CrashLoss;
using runtime::FileOperation;
using runtime::OpenMode;

constexpr std::uint64_t kFileBytes = 64U << 10U;
const TopicId kId{Uuid{1, 2}};

class CommitJournalTest : public ::testing::Test {
 protected:
  CommitJournalTest() {
    EXPECT_TRUE(files().create_directories("/d"));
    EXPECT_TRUE(files().sync_directory("/"));
    journal = std::move(*CommitJournal::make(files(), "/d", kFileBytes));
    logs.push_back(std::make_shared<JournaledLog>("a-0"));
    logs.push_back(std::make_shared<JournaledLog>("b-0"));
  }
  runtime::MemoryFileSystem& files() { return shards.files(); }

  // A run of bytes in a log file of its own.
  CommitRun run(std::size_t log, std::uint64_t from, std::string_view bytes, Offset segment = Offset(0)) {
    auto file = *files().open("/d/" + logs[log]->partition + ".log", OpenMode::kCreate);
    EXPECT_TRUE(file->write_at(from, as_bytes(bytes)));
    return {.log = logs[log],
            .topic_id = kId,
            .file = file,
            .segment = segment,
            .from = from,
            .to = from + bytes.size(),
            .cuts = logs[log]->cuts};
  }
  CommitRun cut(std::size_t log, std::uint64_t at, Offset segment = Offset(0)) {
    return {.log = logs[log], .topic_id = kId, .segment = segment, .from = at, .to = at};
  }
  // False: one of them found no room.
  bool append(std::vector<CommitRun> runs) {
    std::vector<CommitRun*> pointers;
    for (auto& each : runs) pointers.push_back(&each);
    EXPECT_TRUE(journal->append(pointers));
    return std::ranges::all_of(runs, [](const auto& each) { return each.generation > 0; });
  }
  std::string at(std::size_t log, std::uint64_t position, Offset segment = Offset(0), TopicId id = kId) {
    const auto contents = *JournalContents::read(files(), "/d");
    return std::string(as_text(contents->at(logs[log]->partition, id, segment, position)));
  }

  runtime::MemoryShards shards{1};
  std::unique_ptr<CommitJournal> journal;
  std::vector<std::shared_ptr<JournaledLog>> logs;
};

TEST_F(CommitJournalTest, TellsWhatALogHoldsAndWhere) {
  ASSERT_TRUE(append({run(0, 0, "0123456789"), run(1, 100, "abc")}));
  ASSERT_TRUE(append({run(0, 10, "ABC")}));
  ASSERT_TRUE(append({run(0, 0, "second", Offset(7))}));
  files().crash(CrashLoss::kUnsynced);
  EXPECT_EQ(at(0, 0), "0123456789");
  EXPECT_EQ(at(0, 4), "456789");
  EXPECT_EQ(at(0, 10), "ABC");
  EXPECT_EQ(at(0, 13), "");
  EXPECT_EQ(at(0, 0, Offset(7)), "second");
  EXPECT_EQ(at(0, 0, Offset(8)), "");
  EXPECT_EQ(at(1, 99), "");
  EXPECT_EQ(at(1, 100), "abc");
  EXPECT_EQ(at(1, 100, Offset(0), TopicId{Uuid{1, 3}}), "");  // another topic of that name
}

TEST_F(CommitJournalTest, OneSyncForAll) {
  std::vector<CommitRun> runs;
  for (int i = 0; i < 500; ++i) {
    logs.push_back(std::make_shared<JournaledLog>("many-" + std::to_string(i)));
    runs.push_back(run(logs.size() - 1, 0, "some"));
  }
  const auto syncs = files().count(FileOperation::kSync);
  ASSERT_TRUE(append(std::move(runs)));
  EXPECT_EQ(files().count(FileOperation::kSync) - syncs, 1U);
  EXPECT_EQ(at(2, 0), "some");
  EXPECT_EQ(at(501, 0), "some");
}

TEST_F(CommitJournalTest, WhatWasCutDoesNotComeBack) {
  ASSERT_TRUE(append({run(0, 0, "0123456789")}));
  ASSERT_TRUE(append({run(0, 10, "old")}));
  ASSERT_TRUE(append({run(0, 0, "old", Offset(7))}));
  ASSERT_TRUE(append({cut(0, 5)}));
  EXPECT_EQ(at(0, 0), "01234");
  EXPECT_EQ(at(0, 5), "");
  EXPECT_EQ(at(0, 10), "");
  EXPECT_EQ(at(0, 0, Offset(7)), "");
  ASSERT_TRUE(append({run(0, 5, "new")}));
  EXPECT_EQ(at(0, 5), "new");
  EXPECT_EQ(at(0, 8), "");
}

TEST_F(CommitJournalTest, GoesOnInTheOtherFileAndWaitsForTheFirst) {
  const std::string some(3000, 'x');
  std::uint64_t position = 0;
  while (!journal->take_sealed()) {
    ASSERT_TRUE(append({run(0, position, some)}));
    position += some.size();
  }
  EXPECT_EQ(at(0, 0), some);  // the first file is still there
  EXPECT_EQ(at(0, position - some.size()), some);
  while (append({run(0, position, some)})) position += some.size();
  EXPECT_EQ(journal->cleared(), 1U);
  ASSERT_TRUE(journal->clear(2));
  EXPECT_EQ(journal->cleared(), 2U);
  EXPECT_EQ(at(0, 0), "");
  ASSERT_TRUE(append({run(0, position, some)}));
  EXPECT_EQ(journal->take_sealed()->generation, 3U);
  EXPECT_EQ(at(0, position), some);
}

TEST_F(CommitJournalTest, SealsEachFileOnce) {
  ASSERT_TRUE(append({run(0, 0, "a"), run(1, 0, "b")}));
  CommitRun again = run(0, 1, "c");
  again.file = nullptr;
  again.file = *files().open("/d/a-0.log", OpenMode::kReadWrite);  // closed meanwhile, and opened anew
  ASSERT_TRUE(append({again}));
  again.from = 2;
  again.to = 2;
  ASSERT_TRUE(append({again}));
  EXPECT_FALSE(journal->take_sealed());
  ASSERT_TRUE(journal->turn());
  const auto sealed = journal->take_sealed();
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->files.size(), 3U);
  EXPECT_FALSE(sealed->too_many);
  ASSERT_TRUE(journal->turn());
  EXPECT_FALSE(journal->take_sealed()) << "nothing was added";
}

TEST_F(CommitJournalTest, ALogThatIsCutMeanwhileStaysOut) {
  CommitRun overtaken = run(0, 0, "before");
  ++logs[0]->cuts;
  EXPECT_FALSE(append({overtaken, run(1, 0, "other")}));
  EXPECT_EQ(at(0, 0), "");
  EXPECT_EQ(at(1, 0), "other");
  CommitRun too_long = run(0, 0, "now");
  too_long.to = 100;
  EXPECT_FALSE(append({too_long}));
}

TEST_F(CommitJournalTest, AnUnfinishedGroupCountsForNothing) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    runtime::MemoryFileSystem fs(shards.clock(), seed);
    ASSERT_TRUE(fs.create_directories("/d"));
    ASSERT_TRUE(fs.sync_directory("/"));
    auto mine = std::move(*CommitJournal::make(fs, "/d", kFileBytes));
    auto file = *fs.open("/d/log", OpenMode::kCreate);
    const std::string first(5000, 'f');
    const std::string second(9000, 's');
    ASSERT_TRUE(file->write_at(0, as_bytes(first + second)));
    CommitRun one{.log = logs[0], .topic_id = kId, .file = file, .from = 0, .to = first.size()};
    CommitRun two{
        .log = logs[0], .topic_id = kId, .file = file, .from = first.size(), .to = first.size() + second.size()};
    CommitRun* runs[] = {&one};
    ASSERT_TRUE(mine->append(runs));
    fs.inject({.operation = FileOperation::kSync, .path_part = "journal"});
    runs[0] = &two;
    EXPECT_FALSE(mine->append(runs));
    fs.crash(CrashLoss::kAnyOrder);
    const auto contents = *JournalContents::read(fs, "/d");
    EXPECT_TRUE(as_text(contents->at("a-0", kId, Offset(0), 0)) == first) << "seed " << seed;
    const auto rest = contents->at("a-0", kId, Offset(0), first.size());
    EXPECT_TRUE(rest.empty() || as_text(rest) == second);
  }
}

TEST_F(CommitJournalTest, ATornGroupEndsTheFile) {
  ASSERT_TRUE(append({run(0, 0, "first")}));
  ASSERT_TRUE(append({run(0, 5, std::string(9000, 's'))}));
  ASSERT_TRUE(append({run(0, 9005, "third")}));
  const auto kept = *files().content("/d/.dohle-journal-0");
  for (std::uint64_t byte = 8200; byte < 8200 + 9000; byte += 501) {
    ASSERT_TRUE(files().flip_bit("/d/.dohle-journal-0", byte * 8));
    EXPECT_EQ(at(0, 0), "first");
    EXPECT_EQ(at(0, 5), "") << byte;
    EXPECT_EQ(at(0, 9005), "") << byte;
    ASSERT_TRUE(files().flip_bit("/d/.dohle-journal-0", byte * 8));
  }
  for (std::uint64_t size = 0; size < kept.size(); size += 1711) {
    ASSERT_TRUE((*files().open("/d/.dohle-journal-0", OpenMode::kReadWrite))->truncate(size));
    ASSERT_TRUE(JournalContents::read(files(), "/d"));
    ASSERT_TRUE((*files().open("/d/.dohle-journal-0", OpenMode::kReadWrite))->write_at(0, as_bytes(kept)));
  }
  EXPECT_EQ(at(0, 9005), "third");
}

TEST_F(CommitJournalTest, AnEarlierOneIsTakenOverEmpty) {
  ASSERT_TRUE(append({run(0, 0, "earlier")}));
  journal = *CommitJournal::take_over(files(), "/d", kFileBytes);
  ASSERT_NE(journal, nullptr);
  EXPECT_TRUE((*JournalContents::read(files(), "/d"))->empty());
  ASSERT_TRUE(append({run(1, 0, "x")}));
  EXPECT_EQ(at(0, 0), "");
  EXPECT_EQ(at(1, 0), "x");
}

TEST_F(CommitJournalTest, OneOfAnotherSizeOrDamagedIsRemoved) {
  EXPECT_EQ(*CommitJournal::take_over(files(), "/d", 2 * kFileBytes), nullptr);
  EXPECT_FALSE(files().exists("/d/.dohle-journal-0"));
  EXPECT_FALSE(files().exists("/d/.dohle-journal-1"));
  EXPECT_EQ(*CommitJournal::take_over(files(), "/d", kFileBytes), nullptr);
  ASSERT_TRUE(CommitJournal::make(files(), "/d", kFileBytes));
  ASSERT_TRUE(files().flip_bit("/d/.dohle-journal-1", 100));
  EXPECT_EQ(*CommitJournal::take_over(files(), "/d", kFileBytes), nullptr);
  EXPECT_FALSE(files().exists("/d/.dohle-journal-1"));
}

TEST_F(CommitJournalTest, WithoutSpaceNothingIsLeftBehind) {
  ASSERT_TRUE(files().create_directories("/full"));
  files().set_capacity(files().used_bytes() + kFileBytes + kFileBytes / 2);
  EXPECT_EQ(CommitJournal::make(files(), "/full", kFileBytes).error().code, Errc::kNoSpace);
  EXPECT_TRUE(files().list("/full")->empty());
}

TEST_F(CommitJournalTest, StartsOverWhateverACheckpointIsAt) {
  const std::string some(3000, 'x');
  std::uint64_t position = 0;
  while (append({run(0, position, some)})) position += some.size();
  const auto sealed = journal->take_sealed();
  ASSERT_TRUE(sealed);
  EXPECT_FALSE(append({cut(0, 0)}));
  ASSERT_TRUE(journal->start_over());
  EXPECT_TRUE((*JournalContents::read(files(), "/d"))->empty());
  ASSERT_TRUE(append({run(1, 0, "after")}));
  ASSERT_TRUE(journal->clear(sealed->generation));  // of the checkpoint that was under way
  EXPECT_EQ(at(1, 0), "after");
  EXPECT_EQ(journal->cleared(), 3U);
}

}  // namespace
}  // namespace dohle::storage
