// What other members of a group say of themselves, and what a leader assigns.
#include <cstddef>
#include <cstdint>

#include <client/assignor.h>

using namespace dohle;          // NOLINT
using namespace dohle::client;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  for (const auto assignor :
       {Assignor::kRange, Assignor::kRoundRobin, Assignor::kSticky, Assignor::kCooperativeSticky}) {
    const auto subscription = decode_subscription(assignor, bytes);
    if (!subscription) continue;
    (void)encode_subscription(assignor, *subscription);
    (void)assign(assignor, {{"a", std::nullopt, *subscription}, {"b", std::nullopt, {{"a"}, {{"a", 0}}, 1, {}}}},
                 {{"a", 3}, {"b", 2}});
  }
  const auto assignment = decode_assignment(bytes);
  if (assignment) (void)encode_assignment(*assignment);
  return 0;
}
