// CRC-32C (Castagnoli), as record batches and snapshots carry it.
#pragma once

#include <cstdint>

#include <base/bytes.h>

namespace dohle {
// Extends `crc` (0 to begin) by `data`; hardware-accelerated.
[[nodiscard]] std::uint32_t crc32c(Bytes data, std::uint32_t crc = 0);
}  // namespace dohle
