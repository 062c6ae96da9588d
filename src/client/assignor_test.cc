#include <client/assignor.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

namespace dohle::client {
namespace {

// Made by Apache Kafka 4.4: tests/golden/generate_client.
std::vector<std::vector<std::string>> golden() {
  std::ifstream in("tests/golden/client/assignors.txt");
  EXPECT_TRUE(in) << "run from the top of the source tree";
  std::vector<std::vector<std::string>> out;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    auto& all = out.emplace_back();
    for (std::string word; words >> word;) all.push_back(word);
  }
  return out;
}

std::string hex(const std::vector<std::uint8_t>& bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += "0123456789abcdef"[byte >> 4U];
    out += "0123456789abcdef"[byte & 15U];
  }
  return out;
}

std::vector<std::uint8_t> unhex(const std::string& text) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return out;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) out.push_back(part);
  return out;
}

const std::vector<TopicPartition> kOwned = {{"a", 0}, {"a", 2}, {"b", 1}};

TEST(Assignor, ItsBytesAreKafkas) {
  int compared = 0;
  for (const auto& line : golden()) {
    if (line[0] == "assignment") {
      EXPECT_EQ(decode_assignment(unhex(line.at(2))).value(), kOwned);
      if (line[1] == "version=3") EXPECT_EQ(hex(encode_assignment(kOwned)), line.at(2));
    }
    if (line[0] != "subscription") continue;
    const Assignor assignor = *assignor_named(line.at(1));
    const int version = line.at(2).back() - '0';
    const auto read = decode_subscription(assignor, unhex(line.at(4)));
    ASSERT_TRUE(read) << line[1] << line[2];
    EXPECT_EQ(read->topics, (std::vector<std::string>{"a", "b"}));
    const bool owns = assignor == Assignor::kSticky || (assignor == Assignor::kCooperativeSticky && version > 0);
    EXPECT_EQ(read->owned, owns ? kOwned : std::vector<TopicPartition>{}) << line[1] << line[2];
    EXPECT_EQ(read->generation, assignor == Assignor::kRange ? -1 : 7) << line[1] << line[2];
    EXPECT_EQ(read->rack.value_or("-"), version == 3 ? line.at(3).substr(5) : "-");
    if (version != 3) continue;
    ++compared;
    EXPECT_EQ(hex(encode_subscription(assignor, *read)), line.at(4)) << line[1];
  }
  EXPECT_EQ(compared, 4);
}

TEST(Assignor, RangeAndRoundRobinDecideAsKafkas) {
  PartitionCounts topics;
  std::vector<GroupMember> members;
  int compared = 0;
  for (const auto& line : golden()) {
    if (line[0] == "group") {
      topics.clear();
      members.clear();
      for (std::size_t i = 1; i < line.size(); ++i) topics[split(line[i], ':')[0]] = std::stoi(split(line[i], ':')[1]);
    } else if (line[0] == "member") {
      auto& member = members.emplace_back();
      member.id = line[1];
      if (line[2] != "-") member.instance_id = line[2];
      member.subscription.topics = split(line[3], ',');
    } else if (line[0] == "given") {
      std::vector<TopicPartition> expected;
      if (line[3] != "-") {
        for (const auto& one : split(line[3], ','))
          expected.push_back({split(one, ':')[0], std::stoi(split(one, ':')[1])});
      }
      EXPECT_EQ(assign(*assignor_named(line[1]), members, topics).at(line[2]), expected) << line[1] << " " << line[2];
      ++compared;
    }
  }
  EXPECT_GT(compared, 200);
}

class StickyChurn : public testing::TestWithParam<Assignor> {};
INSTANTIATE_TEST_SUITE_P(Assignor, StickyChurn, testing::Values(Assignor::kSticky, Assignor::kCooperativeSticky),
                         [](const auto& info) { return info.param == Assignor::kSticky ? "sticky" : "cooperative"; });

// Members come and go at random. Each partition has at most one owner, in the end exactly one; loads differ by at most
// one where all want the same; who stays keeps what balance allows; cooperative moves take a round of their own.
TEST_P(StickyChurn, StaysBalancedAndMovesLittle) {
  std::mt19937 random(17);
  std::vector<GroupMember> members;
  PartitionCounts topics{{"t", 13}, {"u", 7}};
  std::int32_t generation = 0;
  int next_id = 0;
  for (int round = 0; round < 200; ++round) {
    if (members.size() < 2 || random() % 2 == 0) {
      auto& member = members.emplace_back();
      member.id = "m" + std::to_string(next_id++);
      member.subscription.topics = {"t", "u"};
    } else {
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(random() % members.size()));
    }
    const auto before = members;
    std::size_t kept = 0;
    std::size_t had = 0;
    for (int settle = 0; settle < 3; ++settle) {
      const auto out = assign(GetParam(), members, topics);
      std::set<TopicPartition> given;
      for (const auto& [id, partitions] : out) {
        for (const auto& partition : partitions) EXPECT_TRUE(given.insert(partition).second);
      }
      ++generation;
      for (auto& member : members) {
        for (const auto& partition : out.at(member.id)) {
          for (const auto& other : members) {
            const auto& owned = other.subscription.owned;
            const bool taken = other.id != member.id && std::ranges::find(owned, partition) != owned.end();
            if (GetParam() == Assignor::kCooperativeSticky) EXPECT_FALSE(taken) << "moved while owned";
          }
        }
      }
      for (auto& member : members) {
        member.subscription.owned = out.at(member.id);
        member.subscription.generation = generation;
      }
    }
    std::size_t least = 1000;
    std::size_t most = 0;
    std::size_t all = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto& owned = members[i].subscription.owned;
      least = std::min(least, owned.size());
      most = std::max(most, owned.size());
      all += owned.size();
      for (const auto& partition : before[i].subscription.owned) {
        ++had;
        kept += std::ranges::find(owned, partition) != owned.end() ? 1 : 0;
      }
    }
    EXPECT_EQ(all, 20U);
    EXPECT_LE(most - least, 1U);
    // One member more takes its share and no more: the others keep the rest.
    EXPECT_GE(kept + 20 / members.size() + 1, had) << members.size() << " members, kept " << kept;
  }
}

TEST(Assignor, AStaleClaimLosesToANewerOne) {
  std::vector<GroupMember> members(2);
  members[0] = {"a", std::nullopt, {{"t"}, {{"t", 0}, {"t", 1}}, 3, {}}};
  members[1] = {"b", std::nullopt, {{"t"}, {{"t", 1}}, 5, {}}};
  const auto out = assign(Assignor::kSticky, members, {{"t", 2}});
  EXPECT_EQ(out.at("a"), (std::vector<TopicPartition>{{"t", 0}}));
  EXPECT_EQ(out.at("b"), (std::vector<TopicPartition>{{"t", 1}}));
}

TEST(Assignor, NothingIsGivenOfTopicsNobodyWantsOrThatAreGone) {
  std::vector<GroupMember> members(1);
  members[0] = {"a", std::nullopt, {{"t", "gone"}, {{"gone", 0}, {"t", 99}}, 3, {}}};
  for (const auto assignor :
       {Assignor::kRange, Assignor::kRoundRobin, Assignor::kSticky, Assignor::kCooperativeSticky}) {
    const auto out = assign(assignor, members, {{"t", 1}, {"unwanted", 3}});
    EXPECT_EQ(out.at("a"), (std::vector<TopicPartition>{{"t", 0}}));
  }
}

}  // namespace
}  // namespace dohle::client
