// %020d.snapshot: the producer state at an offset. i16 version 1, u32 CRC-32C of what follows, i32 count, entries of 46
// bytes. The batches before the last one are not in it.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include <base/bytes.h>
#include <base/ids.h>
#include <base/result.h>

#include "producer_state.h"

namespace dohle::storage {

using ProducerMap = std::map<ProducerId, ProducerEntry>;

// kCorrupt when the version, the CRC or the count are wrong. The first one in the file's order.
[[nodiscard]] Result<std::vector<std::pair<ProducerId, ProducerEntry>>> read_producer_snapshot(Bytes content);
[[nodiscard]] Result<ProducerMap> parse_producer_snapshot(Bytes content);
[[nodiscard]] std::vector<std::uint8_t> format_producer_snapshot(const ProducerMap& producers);

}  // namespace dohle::storage
