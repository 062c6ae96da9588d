#include "name_matcher.h"

#include <gtest/gtest.h>

namespace dohle::app {
namespace {

TEST(NameMatcher, MatchesWholeNames) {
  const auto matches = name_matcher("a.*|b[*+?]{2}");
  ASSERT_TRUE(matches.has_value());
  EXPECT_TRUE((*matches)("abc"));
  EXPECT_TRUE((*matches)("b*?"));
  EXPECT_FALSE((*matches)("xabc"));
}

TEST(NameMatcher, TakesOneSignMoreAfterAQuantifier) {
  for (const char* good : {"a*?", "a{2}?", "(a+)?", "a\\**", "[a]*"}) EXPECT_TRUE(name_matcher(good)) << good;
}

// The last one was found by argument_texts_fuzz: matching did not end.
TEST(NameMatcher, RefusesAQuantifierOnAQuantifier) {
  for (const char* bad : {"a**", "a???", "a+*", "a{2}*", "a*{2}", "a{2}{3}", ".*+{49}i", "*", "(",
                          "a5?????????????????****************??????"}) {
    const auto matches = name_matcher(bad);
    ASSERT_FALSE(matches) << bad;
    EXPECT_EQ(matches.error().message, std::string(bad) + " is an invalid regex.");
  }
}

TEST(NameMatcher, RefusesNumbersThatOverflow) {
  for (const char* bad : {"(a)\\8888888888888888888888", "a{1,8888888888888888888888}", "a{8888888888888888888888}"}) {
    EXPECT_TRUE(has_huge_number(bad)) << bad;
    EXPECT_FALSE(name_matcher(bad)) << bad;
  }
  for (const char* good : {"orders-20261125120000", "a{1,3}2222222222222", "(a)\\1"})
    EXPECT_TRUE(name_matcher(good)) << good;
}

}  // namespace
}  // namespace dohle::app
