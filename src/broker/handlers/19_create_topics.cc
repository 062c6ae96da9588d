// CreateTopics (19): forwarded to the controller.
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>

#include "handlers/controller_forwarding.h"

namespace dohle::broker {

Answer<protocol::CreateTopicsResponse> handle_create_topics(RequestContext& ctx,
                                                            const protocol::CreateTopicsRequest& request) {
  return forward_to_controller(ctx, request, AnswerOnce::kCarriedOut, [&request](protocol::ErrorCode error) {
    protocol::CreateTopicsResponse refused;
    for (const auto& topic : request.topics) {
      auto& row = refused.topics.emplace_back();
      row.name = topic.name;
      row.error_code = number(error);
    }
    return refused;
  });
}

}  // namespace dohle::broker
