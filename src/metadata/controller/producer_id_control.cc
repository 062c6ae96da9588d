#include <controller/producer_id_control.h>

#include <algorithm>
#include <limits>

#include <protocol/messages/producer_ids_record.h>

namespace dohle::metadata {

Decided<ProducerIdBlock> allocate_producer_ids(const ControlView& view, std::int32_t broker,
                                               std::int64_t broker_epoch) {
  if (ApiError error = view.check_broker_epoch(broker, broker_epoch); error.failed()) return std::unexpected(error);
  const std::int64_t first = std::max<std::int64_t>(view.image.producer_ids().next_producer_id, 0);
  if (first > std::numeric_limits<std::int64_t>::max() - kProducerIdBlockSize) {
    return std::unexpected(ApiError(protocol::ErrorCode::kUnknownServerError, "All producer ids have been given out."));
  }
  Decision<ProducerIdBlock> decision;
  decision.response.first = first;
  protocol::ProducerIdsRecord record;
  record.broker_id = broker;
  record.broker_epoch = broker_epoch;
  record.next_producer_id = first + kProducerIdBlockSize;
  decision.records.add(record, 0);
  return decision;
}

}  // namespace dohle::metadata
