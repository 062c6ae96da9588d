#include <sim/marks.h>

#include <sim/history.h>

namespace dohle::sim {

Marks::Marks(std::uint64_t seed, std::uint64_t rarity) : random_(seed), rarity_(rarity) {
  for (const std::string_view mark : all_marks()) counts_.emplace(mark, 0);
  for (const auto& [mark, count] : counts_) possible_.emplace(mark, random_.below(2) == 0);
  mark_observer = this;
}

Marks::~Marks() { mark_observer = nullptr; }

bool Marks::make_it_so(std::string_view odd) {
  return !stopped_ && rarity_ > 0 && possible_[odd] && random_.below(rarity_) == 0;
}

std::string Marks::json() const {
  Json out;
  for (const auto& [mark, count] : counts_) out.field(mark, static_cast<std::int64_t>(count));
  return out.object();
}

}  // namespace dohle::sim
