#include "fetch/transit.h"

#include <algorithm>

#include <base/mutant.h>
#include <utility>

namespace dohle::broker {

std::vector<TransitFragment> share_fragments(runtime::Fragments fragments) {
  std::vector<TransitFragment> out;
  out.reserve(fragments.size());
  for (auto& fragment : fragments) {
    if (auto* slice = std::get_if<Slice>(&fragment)) {
      out.emplace_back(slice->share());
    } else {
      out.emplace_back(std::get<runtime::FileRange>(std::move(fragment)));
    }
  }
  return out;
}

runtime::Fragments take_fragments(std::vector<TransitFragment> fragments) {
  runtime::Fragments out;
  out.reserve(fragments.size());
  for (auto& fragment : fragments) {
    if (auto* slice = std::get_if<ForeignSlice>(&fragment)) {
      out.emplace_back(Slice::adopt(std::move(*slice)));
    } else {
      out.emplace_back(std::get<runtime::FileRange>(std::move(fragment)));
    }
  }
  if (DOHLE_MUTANT("broker.hand_over_reordered")) std::ranges::reverse(out);
  return out;
}

}  // namespace dohle::broker
