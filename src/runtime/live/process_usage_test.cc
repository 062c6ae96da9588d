#include <runtime/process_usage.h>

#include <gtest/gtest.h>

#include <vector>

#include <runtime/live/system.h>

namespace dohle::runtime {
namespace {

TEST(ProcessUsage, CountsWhatTheProcessTakes) {
  const auto before = process_usage();
  const auto files = make_system_files();
  std::vector<FileRef> open;
  for (int i = 0; i < 10; ++i) open.push_back(files->open("/proc/self/stat", OpenMode::kRead).value());
  std::vector<char> memory(64U << 20U, 'x');
  std::uint64_t sum = 0;
  for (int round = 0; round < 10; ++round) {
    for (const char c : memory) sum += static_cast<unsigned char>(c);
  }
  EXPECT_GT(sum, 0U);
  const auto after = process_usage();
  EXPECT_EQ(after.open_files, before.open_files + 10);
  EXPECT_GE(after.resident_bytes, before.resident_bytes + (60U << 20U));
  EXPECT_GE(after.virtual_bytes, after.resident_bytes);
  EXPECT_GT(after.cpu_seconds, before.cpu_seconds);
  EXPECT_GE(after.max_files, after.open_files);
}

TEST(ProcessUsage, KnowsWhenItBegan) {
  const double now = static_cast<double>(make_system_clock()->wall_ms()) / 1000;
  const double began = process_usage().start_seconds;
  EXPECT_LE(began, now + 1);
  EXPECT_GT(began, now - 3600);
  EXPECT_EQ(process_usage().start_seconds, began);
}

}  // namespace
}  // namespace dohle::runtime
