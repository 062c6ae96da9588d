// What a new active controller writes first: the bootstrap records into an empty log, or the end of a metadata
// transaction that its predecessor left open (KIP-868). Sans-I/O.
#pragma once

#include <cstdint>
#include <span>

#include <base/result.h>
#include <controller/record_list.h>

namespace dohle::metadata {

[[nodiscard]] Result<RecordList> activation_records(const MetadataImage& image, bool transaction_is_open,
                                                    std::span<const EncodedRecord> bootstrap,
                                                    std::int32_t min_insync_replicas);

}  // namespace dohle::metadata
