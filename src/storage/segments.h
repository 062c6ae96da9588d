// Segments: the segments of a log by base offset. Never empty once loaded; the last one is active.
#pragma once

#include <map>
#include <memory>
#include <set>

#include <base/check.h>

#include "segment.h"

namespace dohle::storage {

class Segments {
 public:
  using Map = std::map<Offset, std::unique_ptr<Segment>>;

  Segment& add(std::unique_ptr<Segment> segment) {
    const Offset base = segment->base();
    return *map_.insert_or_assign(base, std::move(segment)).first->second;
  }
  std::unique_ptr<Segment> take(Offset base) {
    auto node = map_.extract(base);
    return node.empty() ? nullptr : std::move(node.mapped());
  }
  [[nodiscard]] bool empty() const { return map_.empty(); }
  [[nodiscard]] std::size_t size() const { return map_.size(); }
  [[nodiscard]] bool contains(Offset base) const { return map_.contains(base); }
  [[nodiscard]] Segment& active() {
    DOHLE_CHECK(!map_.empty());
    return *map_.rbegin()->second;
  }
  [[nodiscard]] Segment& first() {
    DOHLE_CHECK(!map_.empty());
    return *map_.begin()->second;
  }
  // The segment that holds `offset`; the first one for offsets below it; end() only when empty.
  [[nodiscard]] Map::iterator floor(Offset offset) {
    auto after = map_.upper_bound(offset);
    return after == map_.begin() ? after : std::prev(after);
  }
  [[nodiscard]] Map::iterator begin() { return map_.begin(); }
  [[nodiscard]] Map::iterator end() { return map_.end(); }
  [[nodiscard]] std::set<Offset> bases() const {
    std::set<Offset> out;
    for (const auto& [base, segment] : map_) out.insert(base);
    return out;
  }
  [[nodiscard]] std::uint64_t size_bytes() const {
    std::uint64_t total = 0;
    for (const auto& [base, segment] : map_) total += segment->size();
    return total;
  }

 private:
  Map map_;
};

}  // namespace dohle::storage
