// ProducerIdControl: hands out blocks of producer ids, so that no id is ever given twice. Sans-I/O.
#pragma once

#include <cstdint>

#include <controller/control_view.h>
#include <controller/record_list.h>

namespace dohle::metadata {

inline constexpr std::int32_t kProducerIdBlockSize = 1000;

struct ProducerIdBlock {
  std::int64_t first = 0;
  std::int32_t size = kProducerIdBlockSize;
};

[[nodiscard]] Decided<ProducerIdBlock> allocate_producer_ids(const ControlView& view, std::int32_t broker,
                                                             std::int64_t broker_epoch);

}  // namespace dohle::metadata
