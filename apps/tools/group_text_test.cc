#include "group_text.h"

#include <gtest/gtest.h>

namespace dohle::app {
namespace {

TEST(GroupText, OffsetsAreKafkasTable) {
  const std::vector<OffsetRow> rows = {
      {.group = "g", .partition = {"t", 0}, .offset = 3, .log_end = 5, .leader_epoch = 0},
      {.group = "g", .partition = {"t", 1}, .consumer_id = "c-1", .host = "/127.0.0.1", .client_id = "c"}};
  EXPECT_EQ(
      offsets_text(rows, false),
      "\nGROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID     "
      "HOST "
      "           CLIENT-ID"
      "\ng               t               0          3               5               2               -               - "
      "              -"
      "\ng               t               1          -               -               -               c-1             "
      "/127.0.0.1      c\n");
  EXPECT_NE(offsets_text(rows, true).find("LEADER-EPOCH    CURRENT-OFFSET"), std::string::npos);
}

TEST(GroupText, MembersShowInstancesOnlyWhenThereAreSome) {
  std::vector<MemberRow> rows = {{"g", "c-1", "", "/h", "c", {{"b", 2}, {"a", 1}, {"a", 0}}}};
  EXPECT_EQ(members_text(rows, false),
            "\nGROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS     \n"
            "g               c-1             /h              c               3               \n");
  EXPECT_NE(members_text(rows, true).find("a:0,1;b:2"), std::string::npos);
  rows[0].instance_id = "i";
  EXPECT_NE(members_text(rows, false).find("GROUP-INSTANCE-ID"), std::string::npos);
}

TEST(GroupText, StatesAndLists) {
  EXPECT_EQ(state_text({"g", "localhost:9092  (1)", "range", "Stable", 2}, false),
            "\nGROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE                #MEMBERS\n"
            "g               localhost:9092  (1)       range                Stable               2\n");
  EXPECT_EQ(list_text({{"g", "Classic", "Empty"}}, false, true),
            "GROUP                     STATE               \ng                         Empty               \n");
}

TEST(GroupText, ResetPlansAreTablesAndCsv) {
  const ResetPlan plan = {{"g", {{{"t", 0}, 7}}}};
  EXPECT_EQ(reset_text(plan),
            "\nGROUP           TOPIC           PARTITION  NEW-OFFSET\ng               t               0          7\n");
  EXPECT_EQ(reset_csv(plan, true), "t,0,7\n");
  EXPECT_EQ(reset_csv(plan, false), "g,t,0,7\n");
  EXPECT_EQ(parse_reset_csv("t,0,7\n", "g"), plan);
  EXPECT_EQ(parse_reset_csv("\"g\",\"t\",0,7", std::nullopt), plan);
  EXPECT_EQ(parse_reset_csv("t,0,7\n", std::nullopt), std::nullopt);
  EXPECT_EQ(parse_reset_csv("t,x,7\n", "g"), std::nullopt);
  EXPECT_EQ(parse_reset_csv("t,4294967296,7\n", "g"), std::nullopt);  // no partition 0
}

TEST(GroupText, ReadsTimesAndDurations) {
  EXPECT_EQ(parse_datetime_ms("1970-01-02T00:00:01.500"), 86'401'500);
  EXPECT_EQ(parse_datetime_ms("2024-02-29T12:00:00.000Z"), 1'709'208'000'000);
  EXPECT_EQ(parse_datetime_ms("1970-01-01T02:00:00.000+02:00"), 0);
  EXPECT_EQ(parse_datetime_ms("1970-01-01"), std::nullopt);
  EXPECT_EQ(parse_duration_ms("P1DT2H3M4.5S"), 93'784'500);
  EXPECT_EQ(parse_duration_ms("PT0S"), 0);
  EXPECT_EQ(parse_duration_ms("1D"), std::nullopt);
  EXPECT_EQ(parse_duration_ms("P1H"), std::nullopt);
  EXPECT_EQ(parse_duration_ms("-PT1.5S"), -1500);
  EXPECT_EQ(parse_duration_ms("PT-1.5S"), -1500);
  // More milliseconds than 64 bits hold.
  EXPECT_EQ(parse_duration_ms("P106751991167DT24H"), std::nullopt);
  EXPECT_EQ(parse_duration_ms("P9223372036854775807D"), std::nullopt);
  EXPECT_EQ(parse_duration_ms("-P-106751991167DT-7H-12M-55.808S"), std::nullopt);
}

}  // namespace
}  // namespace dohle::app
