#include <broker/config/properties.h>

#include <gtest/gtest.h>

namespace dohle::broker::config {
namespace {

TextMap parse(std::string_view text) {
  auto out = parse_properties(text);
  EXPECT_TRUE(out.has_value());
  return out ? *out : TextMap{};
}

TEST(Properties, SeparatorsAndBlanks) {
  EXPECT_EQ(parse("a=1\nb : 2\r\n  c 3\rd\ne==  = x \nf=1:2=3"),
            (TextMap{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", ""}, {"e", "=  = x "}, {"f", "1:2=3"}}));
  EXPECT_EQ(parse("d\n").at("d"), "");
}

TEST(Properties, CommentsAndContinuations) {
  EXPECT_EQ(parse("# one\\\n! two\n\n  \t\na = x,\\\n   y,\\\n\tz\nb=1\\\\\nc=2"),
            (TextMap{{"a", "x,y,z"}, {"b", "1\\"}, {"c", "2"}}));
  EXPECT_EQ(parse("a=1\\"), (TextMap{{"a", "1"}}));
  EXPECT_EQ(parse("a=1\\\n#no comment"), (TextMap{{"a", "1#no comment"}}));
}

TEST(Properties, Escapes) {
  EXPECT_EQ(parse("k\\=e\\:y\\ z=\\t\\n\\u0041\\q"), (TextMap{{"k=e:y z", "\t\nAq"}}));
  EXPECT_EQ(parse("a=\\ud83d\\ude00"), (TextMap{{"a", "\xF0\x9F\x98\x80"}}));
  EXPECT_EQ(parse("a=\xE4"), (TextMap{{"a", "\xC3\xA4"}}));  // Latin-1
  EXPECT_EQ(parse("path=C:\\\\logs"), (TextMap{{"path", "C:\\logs"}}));
}

TEST(Properties, LastOneWins) { EXPECT_EQ(parse("a=1\na=2"), (TextMap{{"a", "2"}})); }

TEST(Properties, BadUnicodeNamesTheLine) {
  const auto out = parse_properties("a=1\nb=\\u00g1");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().message, "line 2: \\u must be followed by four hexadecimal digits");
  EXPECT_FALSE(parse_properties("b=\\u12"));
}

TEST(Properties, Override) {
  TextMap map{{"a", "1"}};
  EXPECT_TRUE(apply_override(map, "a=2=3"));
  EXPECT_EQ(map.at("a"), "2=3");
  EXPECT_FALSE(apply_override(map, "a"));
  EXPECT_FALSE(apply_override(map, "a="));
  EXPECT_FALSE(apply_override(map, "=1"));
}

}  // namespace
}  // namespace dohle::broker::config
