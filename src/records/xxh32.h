// XXH32, the checksum of lz4 frames (github.com/Cyan4973/xxHash, doc/xxhash_spec.md).
#pragma once

#include <cstdint>

#include <base/bytes.h>

namespace dohle::records {
[[nodiscard]] std::uint32_t xxh32(Bytes data, std::uint32_t seed = 0);
}
