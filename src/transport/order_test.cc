// The parts of the transport that decide, without any I/O: admission, order of answers, limits.
#include <gtest/gtest.h>

#include <transport/connection_limits.h>

#include "admission.h"
#include "answer_order.h"

namespace dohle::transport {
namespace {

using Tickets = std::vector<Admission::Ticket>;

TEST(Admission, FirstComeFirstServed) {
  Admission admission(100);
  EXPECT_EQ(admission.request(60), Admission::kAdmitted);
  const auto larger = admission.request(50);
  const auto large = admission.request(20);
  EXPECT_NE(larger, Admission::kAdmitted);
  // It would fit, but it is behind the larger one.
  EXPECT_NE(large, Admission::kAdmitted);
  EXPECT_EQ(admission.waiting(), 2U);
  EXPECT_EQ(admission.release(60), (Tickets{larger, large}));
  EXPECT_EQ(admission.used_bytes(), 70U);
}

TEST(Admission, SmallFramesDoNotWaitForLargeOnes) {
  Admission admission(100);
  EXPECT_EQ(admission.request(100), Admission::kAdmitted);
  const auto large = admission.request(100);
  // Theirs alone are 25 bytes.
  EXPECT_EQ(admission.request(12), Admission::kAdmitted);
  EXPECT_EQ(admission.request(12), Admission::kAdmitted);
  const auto small = admission.request(12);
  EXPECT_NE(small, Admission::kAdmitted);
  EXPECT_EQ(admission.release(12), Tickets{small});
  EXPECT_EQ(admission.release(100), Tickets{large});
  EXPECT_EQ(admission.used_bytes(), 124U);
}

TEST(Admission, SmallFramesUseWhatNoLargeOneWaitsFor) {
  Admission admission(100);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(admission.request(12), Admission::kAdmitted);
  EXPECT_NE(admission.request(12), Admission::kAdmitted);
  const auto large = admission.request(100);
  // From now on what they give back is kept for the large one, until it is admitted.
  std::vector<Admission::Ticket> admitted;
  for (int i = 0; i < 10 && admitted.empty(); ++i) admitted = admission.release(12);
  ASSERT_FALSE(admitted.empty());
  EXPECT_EQ(admitted.front(), large);
  EXPECT_LE(admission.used_bytes(), 125U);
}

TEST(Admission, WhoGivesUpLetsTheOthersPass) {
  Admission admission(100);
  EXPECT_EQ(admission.request(80), Admission::kAdmitted);
  const auto large = admission.request(90);
  const auto small = admission.request(20);
  EXPECT_EQ(admission.cancel(large), Tickets{small});
  EXPECT_EQ(admission.used_bytes(), 100U);
}

runtime::Fragments answer(std::string_view text) {
  runtime::Fragments fragments;
  fragments.emplace_back(Slice::copy_of(as_bytes(text)));
  return fragments;
}

std::string text_of(const std::optional<runtime::Fragments>& fragments) {
  if (!fragments) return "nothing";
  return fragments->empty() ? "" : std::string(as_text(std::get<Slice>(fragments->front()).bytes()));
}

TEST(AnswerOrder, AnswersWaitForTheOnesBefore) {
  AnswerOrder order;
  const auto first = order.begin();
  const auto second = order.begin();
  const auto third = order.begin();
  order.complete(third, answer("3"));
  order.complete(second, {});
  EXPECT_FALSE(order.ready());
  EXPECT_EQ(text_of(order.pop()), "nothing");
  order.complete(first, answer("1"));
  EXPECT_EQ(text_of(order.pop()), "1");
  EXPECT_EQ(order.open(), 2U);
  EXPECT_EQ(text_of(order.pop()), "");
  EXPECT_EQ(text_of(order.pop()), "3");
  EXPECT_EQ(order.open(), 0U);
  order.complete(order.begin(), answer("4"));
  EXPECT_EQ(text_of(order.pop()), "4");
}

TEST(ConnectionLimits, CountByAddressAndInAll) {
  ConnectionLimits limits({.max_connections = 3, .max_per_address = 1, .max_per_address_overrides = {{"b", 2}}});
  EXPECT_TRUE(limits.add("a"));
  EXPECT_FALSE(limits.add("a"));
  EXPECT_TRUE(limits.add("b"));
  EXPECT_TRUE(limits.has_room());
  EXPECT_TRUE(limits.add("b"));
  EXPECT_FALSE(limits.has_room());
  limits.remove("a");
  EXPECT_TRUE(limits.add("a"));
  EXPECT_EQ(limits.total(), 3);
}

}  // namespace
}  // namespace dohle::transport
