#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <runtime/live/system.h>

namespace dohle::runtime {
namespace {

class SystemFiles : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(fs->create_directories(root)); }
  void TearDown() override { ASSERT_TRUE(fs->remove_all(root)); }
  std::unique_ptr<FileSystem> fs = make_system_files();
  std::string root = testing::TempDir() + "/system_files_" + std::to_string(::getpid());
  std::string path = root + "/f";
};

TEST_F(SystemFiles, WritesAndReads) {
  EXPECT_EQ(fs->open(path, OpenMode::kRead).error().code, Errc::kNotFound);
  const FileRef file = fs->open(path, OpenMode::kCreateNew).value();
  EXPECT_EQ(fs->open(path, OpenMode::kCreateNew).error().code, Errc::kAlreadyExists);
  std::vector<Bytes> pieces(200, as_bytes("ab"));
  pieces[7] = {};
  ASSERT_TRUE(file->write_at(5, pieces));
  EXPECT_EQ(file->size().value(), 403U);
  std::array<std::uint8_t, 10> buffer{};
  EXPECT_EQ(file->read_at(398, buffer).value(), 5U);
  EXPECT_EQ(as_text(Bytes(buffer).first(5)), "babab");
  EXPECT_EQ(file->read_at_nowait(398, buffer).value(), 5U);
  EXPECT_EQ(file->read_at_nowait(403, buffer).value(), 0U);
  ASSERT_TRUE(file->truncate(6));
  ASSERT_TRUE(file->allocate(0, 1U << 16U));
  EXPECT_EQ(file->size().value(), 6U);
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(fs->sync_directory(root));
  EXPECT_EQ(read_file(*fs, path).value(), std::string("\0\0\0\0\0a", 6));
}

TEST_F(SystemFiles, DirectoriesAndNames) {
  ASSERT_TRUE(fs->create_directories(root + "/b/c"));
  ASSERT_TRUE(write_file_atomically(*fs, root + "/a", "12345"));
  const auto entries = fs->list(root).value();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[0].size, 5U);
  EXPECT_TRUE(entries[1].is_directory);
  EXPECT_FALSE(fs->exists(root + "/a.tmp"));
  EXPECT_EQ(fs->list(root + "/none").error().code, Errc::kNotFound);
  EXPECT_EQ(fs->remove_file(root + "/none").error().code, Errc::kNotFound);
  EXPECT_GT(fs->modified_ms(root + "/a").value(), 1'700'000'000'000);
  ASSERT_TRUE(fs->rename(root + "/a", root + "/b/c/a"));
  EXPECT_EQ(fs->file_size(root + "/b/c/a").value(), 5U);
  EXPECT_GT(fs->space(root).value().usable_bytes, 0U);
}

TEST_F(SystemFiles, ALockStandsInThisProcessAndAgainstOthers) {
  auto lock = fs->lock(path).value();
  EXPECT_EQ(fs->lock(path).error().code, Errc::kLocked);
  // Closing another descriptor of the file does not release it, as it would with a plain fcntl lock.
  EXPECT_TRUE(fs->open(path, OpenMode::kRead));
  const pid_t child = ::fork();
  if (child == 0) {
    // As Java's FileChannel.tryLock does it.
    const int descriptor = ::open(path.c_str(), O_RDWR);
    struct flock request{};
    request.l_type = F_WRLCK;
    ::_exit(::fcntl(descriptor, F_SETLK, &request) == 0 ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "another process got the lock";
  lock.reset();
  EXPECT_TRUE(fs->lock(path));
}

}  // namespace
}  // namespace dohle::runtime
