#include "shard/producer_ids.h"

#include <base/log.h>
#include <base/mutant.h>
#include <protocol/messages/allocate_producer_ids_request.h>
#include <protocol/messages/allocate_producer_ids_response.h>

#include "shard/broker.h"

namespace dohle::broker {

runtime::Task<std::expected<ProducerId, protocol::ErrorCode>> ProducerIds::next() {
  using protocol::ErrorCode;
  if (next_ < end_) co_return ProducerId(next_++);
  const auto hold = co_await mutex_.lock();
  if (next_ == end_) {
    protocol::AllocateProducerIdsRequest request;
    request.broker_id = broker_.id().value();
    request.broker_epoch = broker_.epoch();
    const auto block =
        co_await broker_.controller().send(request, {.api_version = protocol::AllocateProducerIdsRequest::kMaxVersion});
    const auto error = block ? static_cast<ErrorCode>(block->error_code) : ErrorCode::kNotController;
    if (error != ErrorCode::kNone) {
      log::warn("broker", "No block of producer ids from the controller: {}", protocol::name(error));
      co_return std::unexpected(ErrorCode::kCoordinatorLoadInProgress);  // clients try again
    }
    next_ = DOHLE_MUTANT("broker.producer_ids_reused") ? 0 : block->producer_id_start;
    end_ = next_ + block->producer_id_len;
  }
  co_return ProducerId(next_++);
}

}  // namespace dohle::broker
