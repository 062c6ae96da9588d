// The quorum-state file: whatever is read can be written again and read back the same.
#include <cstddef>
#include <cstdint>

#include <base/bytes.h>
#include <base/check.h>

#include "core/election_state.h"

using namespace dohle;        // NOLINT
using namespace dohle::raft;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto state = decode_quorum_state(as_text({data, size}));
  if (!state) return 0;
  for (const std::int16_t version : {std::int16_t{0}, std::int16_t{1}}) {
    const auto back = decode_quorum_state(encode_quorum_state(*state, version));
    DOHLE_CHECK(back && back->epoch == state->epoch && back->leader == state->leader);
    DOHLE_CHECK(back->voted.has_value() == state->voted.has_value());
    if (version == 1 && state->voted) DOHLE_CHECK(back->voted == state->voted);
  }
  return 0;
}
