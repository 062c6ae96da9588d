// Fragments on their way from one shard to another.
#pragma once

#include <variant>
#include <vector>

#include <base/buffer.h>
#include <runtime/fragment.h>

namespace dohle::broker {

using TransitFragment = std::variant<ForeignSlice, runtime::FileRange>;

// On the shard that has them.
[[nodiscard]] std::vector<TransitFragment> share_fragments(runtime::Fragments fragments);
// On the shard that gets them.
[[nodiscard]] runtime::Fragments take_fragments(std::vector<TransitFragment> fragments);

}  // namespace dohle::broker
