#include <gtest/gtest.h>

#include <set>

#include <protocol/error_code.h>
#include <protocol/error_map.h>

namespace dohle::protocol {
namespace {

TEST(ErrorCode, HasNamesAndNumbersOfKafka) {
  EXPECT_EQ(name(ErrorCode::kNone), "NONE");
  EXPECT_EQ(name(ErrorCode::kUnknownTopicOrPartition), "UNKNOWN_TOPIC_OR_PARTITION");
  EXPECT_EQ(number(ErrorCode::kInvalidRecord), 87);
  EXPECT_EQ(number(ErrorCode::kControllerIdNotRegistered), 136);
  EXPECT_EQ(name(error_code_from(100)), "UNKNOWN_TOPIC_ID");
  EXPECT_EQ(error_code_from(137), ErrorCode::kUnknownServerError);
  EXPECT_EQ(error_code_from(-2), ErrorCode::kUnknownServerError);
  std::set<std::string_view> names;
  for (int code = -1; code <= 136; ++code) names.insert(name(error_code_from(static_cast<std::int16_t>(code))));
  EXPECT_EQ(names.size(), 138u);
}

TEST(ErrorCode, RetriableIsWhatClientsRetry) {
  EXPECT_TRUE(is_retriable(ErrorCode::kNotLeaderOrFollower));
  EXPECT_TRUE(is_retriable(ErrorCode::kCorruptMessage));
  EXPECT_TRUE(is_retriable(ErrorCode::kNotEnoughReplicasAfterAppend));
  EXPECT_FALSE(is_retriable(ErrorCode::kMessageTooLarge));
  EXPECT_FALSE(is_retriable(ErrorCode::kOffsetOutOfRange));
  EXPECT_FALSE(is_retriable(ErrorCode::kNone));
}

// Every Errc, in every family, has a code that says more than NONE. kInternal must stay the last of the enum.
TEST(ErrorMap, IsExhaustive) {
  for (int raw = 0; raw <= static_cast<int>(Errc::kInternal); ++raw) {
    for (auto family : {ErrorFamily::kPartition, ErrorFamily::kCoordinator, ErrorFamily::kController}) {
      const auto code = error_code_of(static_cast<Errc>(raw), family);
      EXPECT_NE(code, ErrorCode::kNone);
      if (code == ErrorCode::kUnknownServerError) EXPECT_NE(to_string(static_cast<Errc>(raw)), "");
    }
  }
}

TEST(ErrorMap, KeepsTheContractOfProducers) {
  const auto code = [](Errc errc) { return error_code_of(errc, ErrorFamily::kPartition); };
  EXPECT_EQ(code(Errc::kNoSpace), ErrorCode::kKafkaStorageError);
  EXPECT_EQ(code(Errc::kOutOfOrderSequence), ErrorCode::kOutOfOrderSequenceNumber);
  EXPECT_EQ(code(Errc::kRecordTooLarge), ErrorCode::kMessageTooLarge);
  EXPECT_EQ(code(Errc::kNotLeader), ErrorCode::kNotLeaderOrFollower);
  EXPECT_EQ(error_code_of(Errc::kNotLeader, ErrorFamily::kCoordinator), ErrorCode::kNotCoordinator);
  EXPECT_EQ(error_code_of(Errc::kTimedOut, ErrorFamily::kCoordinator), ErrorCode::kCoordinatorNotAvailable);
}

}  // namespace
}  // namespace dohle::protocol
