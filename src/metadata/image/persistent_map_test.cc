#include <metadata/persistent_map.h>

#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dohle::metadata {
namespace {

std::map<int, std::string> content(const PersistentMap<int, std::string>& map) {
  std::map<int, std::string> out;
  int last = -1;
  for (auto [key, value] : map) {
    EXPECT_GT(key, last);
    last = key;
    out[key] = value;
  }
  EXPECT_EQ(out.size(), map.size());
  return out;
}

TEST(PersistentMap, DoesWhatAMapDoesAndOldCopiesStayAsTheyWere) {
  std::mt19937 random(7);
  PersistentMap<int, std::string> map;
  std::map<int, std::string> model;
  std::vector<std::pair<PersistentMap<int, std::string>, std::map<int, std::string>>> kept;
  for (int step = 0; step < 4000; ++step) {
    const int key = static_cast<int>(random() % 500);
    if (random() % 3 == 0) {
      EXPECT_EQ(map.erase(key), model.erase(key) > 0);
    } else {
      map.set(key, std::to_string(step));
      model[key] = std::to_string(step);
    }
    if (step % 400 == 0) kept.emplace_back(map, model);
  }
  EXPECT_EQ(content(map), model);
  for (const auto& [copy, then] : kept) EXPECT_EQ(content(copy), then);
  for (int key = -1; key <= 501; ++key) {
    const auto expected = model.lower_bound(key);
    const auto found = map.lower_bound(key);
    ASSERT_EQ(found == map.end(), expected == model.end());
    if (expected != model.end()) EXPECT_EQ((*found).key, expected->first);
    EXPECT_EQ(map.contains(key), model.contains(key));
  }
}

TEST(PersistentMap, AChangeSharesAlmostEverything) {
  // Counts how many values are copied when one of many entries changes.
  struct Counted {
    int* copies = nullptr;
    Counted() = default;
    explicit Counted(int* counter) : copies(counter) {}
    Counted(const Counted& other) : copies(other.copies) {
      if (copies != nullptr) ++*copies;
    }
    Counted& operator=(const Counted&) = default;
    Counted(Counted&&) = default;
    Counted& operator=(Counted&&) = default;
  };
  int copies = 0;
  PersistentMap<int, Counted> map;
  for (int i = 0; i < 20'000; ++i) map.set(i, Counted(&copies));
  copies = 0;
  auto copy = map;
  copy.set(4711, Counted(&copies));
  EXPECT_LE(copies, 30);
  EXPECT_FALSE(copy.same_as(map));
  EXPECT_EQ(copy.size(), map.size());
}

}  // namespace
}  // namespace dohle::metadata
