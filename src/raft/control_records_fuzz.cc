// Raft's own records, as they come from a log or from a leader.
#include <cstddef>
#include <cstdint>

#include <base/check.h>
#include <records/batch.h>

#include "control_records.h"

using namespace dohle;        // NOLINT
using namespace dohle::raft;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  if (const auto voters = VoterSet::decode(bytes)) {
    const auto back = VoterSet::decode(voters->encode());
    DOHLE_CHECK(back && *back == *voters);
  }
  records::BatchCursor cursor(bytes);
  for (auto batch = cursor.next(); batch && *batch; batch = cursor.next()) {
    static_cast<void>(read_control_batch(**batch));
  }
  return 0;
}
