// DeleteTopics (20): forwarded to the controller.
#include <protocol/messages/delete_topics_request.h>
#include <protocol/messages/delete_topics_response.h>

#include "handlers/controller_forwarding.h"

namespace dohle::broker {

Answer<protocol::DeleteTopicsResponse> handle_delete_topics(RequestContext& ctx,
                                                            const protocol::DeleteTopicsRequest& request) {
  return forward_to_controller(ctx, request, AnswerOnce::kKnown, [&request](protocol::ErrorCode error) {
    protocol::DeleteTopicsResponse refused;
    for (const auto& name : request.topic_names) {
      auto& row = refused.responses.emplace_back();
      row.name = name;
      row.error_code = number(error);
    }
    for (const auto& topic : request.topics) {
      auto& row = refused.responses.emplace_back();
      row.name = topic.name;
      row.topic_id = topic.topic_id;
      row.error_code = number(error);
    }
    return refused;
  });
}

}  // namespace dohle::broker
