#include <coordinator/core/undo_log.h>

#include <gtest/gtest.h>

namespace dohle::coordinator {
namespace {

TEST(UndoLog, RevertsNewestFirstDownToTheMark) {
  UndoLog log;
  std::vector<int> undone;
  log.push([&] { undone.push_back(1); });
  const auto mark = log.mark();
  log.push([&] { undone.push_back(2); });
  log.push([&] { undone.push_back(3); });
  log.revert_to(mark);
  EXPECT_EQ(undone, (std::vector<int>{3, 2}));
  log.revert_to(0);
  EXPECT_EQ(undone, (std::vector<int>{3, 2, 1}));
}

TEST(UndoLog, WhatWasForgottenStands) {
  UndoLog log;
  int undone = 0;
  log.push([&] { ++undone; });
  log.push([&] { ++undone; });
  const auto mark = log.mark();
  log.push([&] { ++undone; });
  log.forget_before(mark);
  EXPECT_EQ(log.size(), 1U);
  log.revert_to(0);
  EXPECT_EQ(undone, 1);
  EXPECT_EQ(log.mark(), mark);
}

TEST(UndoLog, RecordsNothingWhileLoading) {
  UndoLog log;
  log.set_recording(false);
  log.push([] { FAIL(); });
  log.revert_to(0);
  EXPECT_EQ(log.size(), 0U);
}

}  // namespace
}  // namespace dohle::coordinator
