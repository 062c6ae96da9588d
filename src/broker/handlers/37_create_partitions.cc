// CreatePartitions (37): forwarded to the controller.
#include <protocol/messages/create_partitions_request.h>
#include <protocol/messages/create_partitions_response.h>

#include "handlers/controller_forwarding.h"

namespace dohle::broker {

Answer<protocol::CreatePartitionsResponse> handle_create_partitions(RequestContext& ctx,
                                                                    const protocol::CreatePartitionsRequest& request) {
  return forward_to_controller(ctx, request, AnswerOnce::kCarriedOut, [&request](protocol::ErrorCode error) {
    protocol::CreatePartitionsResponse refused;
    for (const auto& topic : request.topics) {
      auto& row = refused.results.emplace_back();
      row.name = topic.name;
      row.error_code = number(error);
    }
    return refused;
  });
}

}  // namespace dohle::broker
