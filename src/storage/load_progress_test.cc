#include <gtest/gtest.h>
#include <storage/log_manager.h>

namespace dohle::storage {
namespace {

constexpr std::uint64_t kMib = 1U << 20U;

LoadProgress recovering() {
  return {.partitions_done = 12,
          .partitions_total = 40,
          .bytes_recovered = 128 * kMib,
          .bytes_to_recover = 512 * kMib,
          .elapsed_ms = 5000,
          .left_ms = 15'000};
}

TEST(LoadProgress, IsALine) {
  LoadProgress progress = recovering();
  EXPECT_EQ(progress_line(progress),
            "Recovering after an unclean stop: 12 of 40 partitions, 128 of 512 MiB, 15 s left");
  progress.left_ms = -1;
  EXPECT_EQ(progress_line(progress), "Recovering after an unclean stop: 12 of 40 partitions, 128 of 512 MiB");
  progress.left_ms = 7'384'001;
  EXPECT_TRUE(progress_line(progress).ends_with(", 2 h 3 min left"));
  progress.left_ms = 59'001;
  EXPECT_TRUE(progress_line(progress).ends_with(", 1 min 0 s left"));
  progress.bytes_to_recover = 0;
  EXPECT_EQ(progress_line(progress), "Loading: 12 of 40 partitions, 1 min 0 s left");
}

TEST(LoadProgress, EndsWithASum) {
  EXPECT_EQ(progress_line({.partitions_done = 40, .partitions_total = 40, .elapsed_ms = 1234, .finished = true}),
            "Loaded 40 of 40 partitions in 1.2 s");
  EXPECT_EQ(progress_line({.partitions_done = 40,
                           .partitions_total = 40,
                           .bytes_recovered = 3 * kMib,
                           .bytes_to_recover = 3 * kMib,
                           .elapsed_ms = 1234,
                           .finished = true}),
            "Loaded 40 of 40 partitions in 1.2 s, 3 MiB read again after an unclean stop");
}

TEST(LoadProgress, IsABarThatFitsTheTerminal) {
  const std::string bar = progress_bar(recovering(), 80);
  EXPECT_EQ(bar.size(), 80U);
  EXPECT_EQ(bar, "[#######                       ]  25 %, 12/40 partitions, 128/512 MiB, 15 s left");
  for (std::size_t columns = 0; columns < 120; ++columns)
    EXPECT_LE(progress_bar(recovering(), columns).size(), columns);
  LoadProgress more = recovering();
  more.bytes_recovered = 2 * more.bytes_to_recover;  // indexes were rebuilt as well
  EXPECT_TRUE(progress_bar(more, 100).starts_with("[####"));
  EXPECT_NE(progress_bar(more, 100).find("#] 100 %"), std::string::npos);
  EXPECT_NE(progress_bar({}, 80).find("100 %"), std::string::npos);  // nothing to do
}

}  // namespace
}  // namespace dohle::storage
