// Controller: CreateTopics, DeleteTopics, CreatePartitions, and what they answer when the whole request fails.
#include <controller/controller_state.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

void set_message(std::optional<Text>& to, const ApiError& error) {
  to.reset();
  if (error.message) to = *error.message;
}

protocol::CreateTopicsResponse failure(const protocol::CreateTopicsRequest& request, const ApiError& error) {
  protocol::CreateTopicsResponse response;
  for (const auto& topic : request.topics) {
    auto& result = response.topics.emplace_back();
    result.name = topic.name.str();
    result.error_code = error.number();
    set_message(result.error_message, error);
  }
  return response;
}

protocol::DeleteTopicsResponse failure(const protocol::DeleteTopicsRequest& request, const ApiError& error) {
  protocol::DeleteTopicsResponse response;
  for (const auto& topic : request.topics) {
    auto& result = response.responses.emplace_back();
    result.name.reset();
    if (topic.name) result.name = topic.name->str();
    result.topic_id = topic.topic_id;
    result.error_code = error.number();
  }
  for (const Text& name : request.topic_names) {
    auto& result = response.responses.emplace_back();
    result.name = name.str();
    result.error_code = error.number();
  }
  return response;
}

protocol::CreatePartitionsResponse failure(const protocol::CreatePartitionsRequest& request, const ApiError& error) {
  protocol::CreatePartitionsResponse response;
  for (const auto& topic : request.topics) {
    auto& result = response.results.emplace_back();
    result.name = topic.name.str();
    result.error_code = error.number();
    set_message(result.error_message, error);
  }
  return response;
}

// A request without any time is refused before it is looked at, as Kafka does; with some, it waits for its commit.
template <typename Request>
bool has_no_time(const Request& request) {
  return request.timeout_ms <= 0;
}

ApiError out_of_time() { return ApiError::without_message(ErrorCode::kRequestTimedOut); }

}  // namespace

runtime::Task<protocol::CreateTopicsResponse> Controller::handle(const protocol::CreateTopicsRequest& request,
                                                                 ControllerRequestContext context) {
  if (has_no_time(request)) co_return failure(request, out_of_time());
  auto done =
      co_await write<protocol::CreateTopicsResponse>([this, &request, forwarded = context.forwarded](Term& term) {
        return managers_->topics.create_topics(term.view(), request, forwarded);
      });
  co_return done ? std::move(*done) : failure(request, done.error());
}

runtime::Task<protocol::DeleteTopicsResponse> Controller::handle(const protocol::DeleteTopicsRequest& request,
                                                                 ControllerRequestContext context) {
  if (!config_.delete_topic_enable) {
    co_return failure(request,
                      context.api_version < 3 ? ErrorCode::kInvalidRequest : ErrorCode::kTopicDeletionDisabled);
  }
  if (has_no_time(request)) co_return failure(request, out_of_time());
  auto done = co_await write<protocol::DeleteTopicsResponse>(
      [this, &request](Term& term) { return managers_->topics.delete_topics(term.view(), request); });
  co_return done ? std::move(*done) : failure(request, done.error());
}

runtime::Task<protocol::CreatePartitionsResponse> Controller::handle(const protocol::CreatePartitionsRequest& request,
                                                                     ControllerRequestContext /*context*/) {
  if (has_no_time(request)) co_return failure(request, out_of_time());
  auto done = co_await write<protocol::CreatePartitionsResponse>(
      [this, &request](Term& term) { return managers_->topics.create_partitions(term.view(), request); });
  co_return done ? std::move(*done) : failure(request, done.error());
}

}  // namespace dohle::metadata
