// DeleteTopics: topics are named or given by id, each at most once.
#include <map>
#include <set>
#include <utility>

#include <controller/topic_control.h>
#include <protocol/messages/remove_topic_record.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

// What was asked for, sorted out.
struct Wanted {
  std::set<std::string> names;
  std::set<Uuid> ids;
  std::set<std::string> names_twice;
  std::set<Uuid> ids_twice;

  template <typename T>
  static void add(T value, std::set<T>& once, std::set<T>& twice) {
    if (twice.contains(value) || !once.insert(value).second) {
      once.erase(value);
      twice.insert(std::move(value));
    }
  }
};

void answer(protocol::DeleteTopicsResponse& response, std::optional<std::string> name, const Uuid& id,
            const ApiError& error) {
  auto& result = response.responses.emplace_back();
  if (name) {
    result.name = std::move(*name);
  } else {
    result.name.reset();
  }
  result.topic_id = id;
  result.error_code = error.number();
  result.error_message.reset();
  if (error.message) result.error_message = *error.message;
}

Wanted sort_out(const protocol::DeleteTopicsRequest& request, protocol::DeleteTopicsResponse& response) {
  Wanted wanted;
  for (const Text& name : request.topic_names) Wanted::add(name.str(), wanted.names, wanted.names_twice);
  for (const auto& topic : request.topics) {
    if (!topic.name && topic.topic_id.is_zero()) {
      answer(response, std::nullopt, kZeroUuid,
             {ErrorCode::kInvalidRequest, "Neither topic name nor id were specified."});
    } else if (!topic.name) {
      Wanted::add(topic.topic_id, wanted.ids, wanted.ids_twice);
    } else if (topic.topic_id.is_zero()) {
      Wanted::add(topic.name->str(), wanted.names, wanted.names_twice);
    } else {
      answer(response, topic.name->str(), topic.topic_id,
             {ErrorCode::kInvalidRequest, "You may not specify both topic name and topic id."});
    }
  }
  return wanted;
}

}  // namespace

Decided<protocol::DeleteTopicsResponse> TopicControl::delete_topics(
    const ControlView& view, const protocol::DeleteTopicsRequest& request) const {
  Decision<protocol::DeleteTopicsResponse> decision;
  protocol::DeleteTopicsResponse& response = decision.response;
  Wanted wanted = sort_out(request, response);
  for (const std::string& name : wanted.names_twice) {
    answer(response, name, kZeroUuid, {ErrorCode::kInvalidRequest, "Duplicate topic name."});
  }
  for (const Uuid& id : wanted.ids_twice) {
    answer(response, std::nullopt, id, {ErrorCode::kInvalidRequest, "Duplicate topic id."});
  }
  std::map<Uuid, std::string> doomed;
  for (const Uuid& id : wanted.ids) {
    const TopicImage* topic = view.image.topics().find(TopicId{id});
    if (topic == nullptr) {
      answer(response, std::nullopt, id, ErrorCode::kUnknownTopicId);
    } else {
      doomed.emplace(id, topic->name);
    }
  }
  for (const std::string& name : wanted.names) {
    const TopicImage* topic = view.image.topics().find(name);
    if (topic == nullptr) {
      answer(response, name, kZeroUuid, ErrorCode::kUnknownTopicOrPartition);
    } else if (wanted.ids_twice.contains(topic->id.uuid) || !doomed.emplace(topic->id.uuid, name).second) {
      doomed.erase(topic->id.uuid);
      answer(response, name, topic->id.uuid,
             {ErrorCode::kInvalidRequest, "The provided topic name maps to an ID that was already supplied."});
    }
  }
  for (const auto& [id, name] : doomed) {
    protocol::RemoveTopicRecord record;
    record.topic_id = id;
    decision.records.add(record, 0);
    answer(response, name, id, {});
  }
  if (decision.records.size() > kMaxRecordsPerBatch) {
    return std::unexpected(
        ApiError(ErrorCode::kPolicyViolation, "Unable to perform excessively large batch operation."));
  }
  return decision;
}

}  // namespace dohle::metadata
