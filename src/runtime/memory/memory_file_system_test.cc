#include <runtime/memory/memory_file_system.h>

#include <gtest/gtest.h>

#include <runtime/memory/manual_clock.h>

namespace dohle::runtime {
namespace {

class MemoryFiles : public testing::Test {
 protected:
  FileRef make(const std::string& path, std::string_view content, bool synced) {
    FileRef file = fs.open(path, OpenMode::kCreate).value();
    EXPECT_TRUE(file->write_at(0, as_bytes(content)));
    if (synced) EXPECT_TRUE(file->sync());
    return file;
  }
  std::string read(const std::string& path) {
    auto text = read_file(fs, path);
    return text ? *text : "<" + std::string(to_string(text.error().code)) + ">";
  }
  ManualClock clock;
  MemoryFileSystem fs{clock};
};

TEST_F(MemoryFiles, ReadsWhatWasWritten) {
  ASSERT_TRUE(fs.create_directories("/d/e"));
  const FileRef file = make("/d/e/f", "hello", false);
  const std::array<Bytes, 2> pieces{as_bytes("ab"), as_bytes("cd")};
  ASSERT_TRUE(file->write_at(7, pieces));
  EXPECT_EQ(read("/d/e/f"), std::string("hello\0\0abcd", 11));
  EXPECT_EQ(file->size().value(), 11U);
  std::array<std::uint8_t, 4> buffer{};
  EXPECT_EQ(file->read_at(9, buffer).value(), 2U);
  EXPECT_EQ(file->read_at(11, buffer).value(), 0U);
  ASSERT_TRUE(file->truncate(3));
  EXPECT_EQ(read("/d/e/f"), "hel");
  EXPECT_EQ(fs.file_size("/d/e/f").value(), 3U);
}

TEST_F(MemoryFiles, OpenModes) {
  EXPECT_EQ(fs.open("/a", OpenMode::kRead).error().code, Errc::kNotFound);
  EXPECT_EQ(fs.open("/x/a", OpenMode::kCreate).error().code, Errc::kNotFound);
  make("/a", "1", false);
  EXPECT_EQ(fs.open("/a", OpenMode::kCreateNew).error().code, Errc::kAlreadyExists);
  EXPECT_FALSE(fs.open("/a", OpenMode::kRead).value()->write_at(0, as_bytes("2")));
  EXPECT_TRUE(fs.open("/a", OpenMode::kTruncate));
  EXPECT_EQ(read("/a"), "");
}

TEST_F(MemoryFiles, DirectoriesAndRename) {
  ASSERT_TRUE(fs.create_directories("/d"));
  make("/d/b", "B", false);
  make("/d/a", "A", false);
  const auto entries = fs.list("/d").value();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[0].size, 1U);
  ASSERT_TRUE(fs.rename("/d/a", "/d/b"));
  EXPECT_EQ(read("/d/b"), "A");
  EXPECT_FALSE(fs.exists("/d/a"));
  ASSERT_TRUE(fs.rename("/d", "/e"));
  EXPECT_EQ(read("/e/b"), "A");
  EXPECT_EQ(fs.remove_file("/e/none").error().code, Errc::kNotFound);
  ASSERT_TRUE(fs.remove_all("/e"));
  EXPECT_FALSE(fs.exists("/e"));
}

TEST_F(MemoryFiles, PowerLossDropsWhatWasNotSynced) {
  ASSERT_TRUE(fs.create_directories("/d"));
  ASSERT_TRUE(fs.sync_directory("/"));
  const FileRef file = make("/d/kept", "synced", true);
  make("/d/lost", "synced, but its name was not", false);
  ASSERT_TRUE(fs.remove_file("/d/lost"));
  ASSERT_TRUE(fs.sync_directory("/d"));
  make("/d/late", "x", true);
  ASSERT_TRUE(file->write_at(6, as_bytes(" and more")));
  EXPECT_EQ(fs.durable_content("/d/kept").value(), "synced");
  fs.crash(CrashLoss::kUnsynced);
  EXPECT_EQ(read("/d/kept"), "synced");
  EXPECT_FALSE(fs.exists("/d/late"));
  EXPECT_EQ(file->write_at(0, as_bytes("zombie")).error().code, Errc::kIo);
  EXPECT_EQ(read("/d/kept"), "synced");
}

TEST_F(MemoryFiles, ARenameIsUndoneUntilTheDirectoryIsSynced) {
  make("/f", "old", true);
  ASSERT_TRUE(fs.sync_directory("/"));
  make("/f.tmp", "new", true);
  ASSERT_TRUE(fs.rename("/f.tmp", "/f"));
  EXPECT_EQ(read("/f"), "new");
  fs.crash(CrashLoss::kUnsynced);
  EXPECT_EQ(read("/f"), "old");
  ASSERT_TRUE(write_file_atomically(fs, "/f", "newer"));
  fs.crash(CrashLoss::kUnsynced);
  EXPECT_EQ(read("/f"), "newer");
}

TEST_F(MemoryFiles, AKilledProcessLosesNothingButItsFilesAndLocks) {
  const FileRef file = make("/f", "unsynced", false);
  auto lock = fs.lock("/.lock").value();
  fs.crash(CrashLoss::kNothing);
  EXPECT_EQ(read("/f"), "unsynced");
  EXPECT_FALSE(file->sync());
  const auto again = fs.lock("/.lock");
  ASSERT_TRUE(again);
  lock.reset();
  EXPECT_EQ(fs.lock("/.lock").error().code, Errc::kLocked);
}

TEST_F(MemoryFiles, ARandomCrashKeepsAPrefixOfTheWrites) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    MemoryFileSystem disk(clock, seed);
    const FileRef file = disk.open("/f", OpenMode::kCreate).value();
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk.sync_directory("/"));
    ASSERT_TRUE(file->write_at(0, as_bytes("aaaa")));
    ASSERT_TRUE(file->write_at(4, as_bytes("bbbb")));
    disk.crash(CrashLoss::kRandom);
    const std::string left = disk.content("/f").value();
    EXPECT_EQ(left, std::string("aaaabbbb").substr(0, left.size()));
    outcomes.insert(left);
  }
  EXPECT_GT(outcomes.size(), 4U);
}

TEST_F(MemoryFiles, ADirectorySyncThatFailsLeavesNamesToTheNext) {
  ASSERT_TRUE(fs.create_directories("/d"));
  ASSERT_TRUE(fs.sync_directory("/"));
  for (const bool again : {true, false}) {
    make("/d/f", "synced", true);
    fs.inject({.operation = FileOperation::kSyncDirectory, .path_part = "/d", .times = 1});
    EXPECT_EQ(fs.sync_directory("/d").error().code, Errc::kIo);
    if (again) EXPECT_TRUE(fs.sync_directory("/d"));
    fs.crash(CrashLoss::kUnsynced);
    EXPECT_EQ(fs.exists("/d/f"), again);
    ASSERT_TRUE(fs.remove_all("/d/f"));
    ASSERT_TRUE(fs.sync_directory("/d"));
  }
}

TEST_F(MemoryFiles, ASyncOfEverythingThatFailsLosesWhatWasNotSynced) {
  const FileRef file = make("/f", "synced", true);
  ASSERT_TRUE(fs.sync_directory("/"));
  ASSERT_TRUE(file->write_at(0, as_bytes("SYNCED")));
  fs.inject({.operation = FileOperation::kSync, .times = 1});
  EXPECT_FALSE(fs.sync_all("/"));
  EXPECT_TRUE(fs.sync_all("/"));
  fs.crash(CrashLoss::kUnsynced);
  EXPECT_EQ(read("/f"), "synced");
}

TEST_F(MemoryFiles, InjectedFailures) {
  const FileRef file = make("/log", "", false);
  fs.inject({.operation = FileOperation::kSync, .path_part = "log", .skip = 1, .times = 1});
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(file->sync().error().code, Errc::kIo);
  EXPECT_TRUE(file->sync());
  fs.inject({.operation = FileOperation::kWrite, .path_part = "log", .error = Errc::kIo, .times = 1, .write_bytes = 3});
  EXPECT_EQ(file->write_at(0, as_bytes("abcdef")).error().code, Errc::kIo);
  EXPECT_EQ(read("/log"), "abc");
  fs.inject({.operation = FileOperation::kReadNowait, .error = Errc::kWouldBlock, .times = 1});
  std::array<std::uint8_t, 4> buffer{};
  EXPECT_EQ(file->read_at_nowait(0, buffer).error().code, Errc::kWouldBlock);
  EXPECT_EQ(file->read_at_nowait(0, buffer).value(), 3U);
  EXPECT_EQ(fs.count(FileOperation::kSync), 3U);
}

TEST_F(MemoryFiles, AFullDisk) {
  const FileRef file = make("/log", "12345", false);
  fs.set_capacity(10);
  EXPECT_EQ(fs.space("/").value().usable_bytes, 5U);
  ASSERT_TRUE(file->allocate(5, 3));
  EXPECT_EQ(fs.space("/").value().usable_bytes, 2U);
  EXPECT_EQ(file->size().value(), 5U);
  EXPECT_TRUE(file->write_at(5, as_bytes("678")));
  EXPECT_EQ(file->allocate(8, 3).error().code, Errc::kNoSpace);
  EXPECT_EQ(file->write_at(8, as_bytes("9ABC")).error().code, Errc::kNoSpace);
  EXPECT_EQ(read("/log"), "123456789A");
  EXPECT_TRUE(file->write_at(0, as_bytes("overwriting needs no room")).error().code == Errc::kNoSpace);
  EXPECT_TRUE(file->write_at(0, as_bytes("0123456789")));
}

TEST_F(MemoryFiles, ModificationTimeFollowsTheWallClock) {
  make("/f", "x", false);
  const std::int64_t made = fs.modified_ms("/f").value();
  clock.advance(std::chrono::seconds(3));
  make("/f", "y", false);
  EXPECT_EQ(fs.modified_ms("/f").value(), made + 3000);
}

}  // namespace
}  // namespace dohle::runtime
