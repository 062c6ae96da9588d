// InitProducerId (22): ids for idempotent producers. Transactional ids are refused until there is a transaction
// coordinator: TRANSACTIONAL_ID_AUTHORIZATION_FAILED is final for every client, nothing is written.
#include <protocol/messages/init_producer_id_request.h>
#include <protocol/messages/init_producer_id_response.h>

#include "handlers/handlers.h"

namespace dohle::broker {

using protocol::ErrorCode;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;

namespace {

InitProducerIdResponse refuse(ErrorCode error) {
  InitProducerIdResponse out;
  out.error_code = number(error);
  out.producer_id = -1;
  out.producer_epoch = -1;
  return out;
}

}  // namespace

Answer<InitProducerIdResponse> handle_init_producer_id(RequestContext& ctx, const InitProducerIdRequest& request) {
  if (request.transactional_id) {
    co_return refuse(request.transactional_id->empty() ? ErrorCode::kInvalidRequest
                                                       : ErrorCode::kTransactionalIdAuthorizationFailed);
  }
  // KIP-360: a producer may name both the id and the epoch it had, or neither.
  if ((request.producer_id == -1) != (request.producer_epoch == -1)) co_return refuse(ErrorCode::kInvalidRequest);
  const auto id = co_await ctx.here.producer_ids().next();
  if (!id) co_return refuse(id.error());
  InitProducerIdResponse out;
  out.producer_id = id->value();
  out.producer_epoch = 0;
  co_return out;
}

}  // namespace dohle::broker
