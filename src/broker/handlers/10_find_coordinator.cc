// FindCoordinator (10): which broker coordinates a group. Creates the internal topic on first use.
#include <protocol/messages/find_coordinator_request.h>
#include <protocol/messages/find_coordinator_response.h>

#include "handlers/group_request.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;

constexpr std::int16_t kFirstVersionWithKeys = 4;
constexpr std::int16_t kFirstVersionWithShareGroups = 6;
constexpr std::int8_t kGroupKey = 0;
constexpr std::int8_t kTransactionKey = 1;
constexpr std::int8_t kShareKey = 2;

struct Found {
  ErrorCode error = ErrorCode::kNone;
  std::string_view message;  // told from version 4 on where Kafka does: for types of keys that do not exist
  std::int32_t node_id = -1;
  Text host;
  std::int32_t port = -1;
};

Found find_coordinator(RequestContext& ctx, std::int8_t key_type, std::string_view key) {
  Found found;
  switch (key_type) {
    case kGroupKey:
      break;
    case kTransactionKey:
      // There are no transactions yet, and a producer that wants them must not wait for them: the answer it gets from
      // InitProducerId too.
      found.error = ErrorCode::kTransactionalIdAuthorizationFailed;
      return found;
    case kShareKey:
      found.error = ctx.version() < kFirstVersionWithShareGroups ? ErrorCode::kInvalidRequest
                                                                 : ErrorCode::kCoordinatorNotAvailable;
      return found;
    default:
      found.error = ErrorCode::kInvalidRequest;
      found.message = protocol::message(found.error);
      return found;
  }
  found.error = ErrorCode::kCoordinatorNotAvailable;
  const auto image = ctx.here.image();
  const auto* topic = image->topics().find(kConsumerOffsetsTopic);
  if (topic == nullptr) {
    ctx.here.topic_creator().create(std::string(kConsumerOffsetsTopic));
    return found;
  }
  const auto* partition = topic->find(groups(ctx).partition_for(key));
  const auto* leader = partition == nullptr ? nullptr : image->cluster().broker(partition->leader);
  const auto* endpoint = leader == nullptr || leader->fenced ? nullptr : leader->endpoint(ctx.listener());
  if (endpoint == nullptr) return found;
  found.error = ErrorCode::kNone;
  found.node_id = partition->leader;
  std::tie(found.host, found.port) = ctx.broker.advertised(partition->leader, *endpoint, ctx.local());
  return found;
}

}  // namespace

Answer<FindCoordinatorResponse> handle_find_coordinator(RequestContext& ctx, const FindCoordinatorRequest& request) {
  FindCoordinatorResponse response;
  if (ctx.version() < kFirstVersionWithKeys) {
    Found found = find_coordinator(ctx, request.key_type, request.key);
    response.error_code = number(found.error);
    // Kafka's text for success is the code's name.
    response.error_message =
        Text(found.error == ErrorCode::kNone ? protocol::name(found.error) : protocol::message(found.error));
    response.node_id = found.node_id;
    response.host = std::move(found.host);
    response.port = found.port;
    co_return response;
  }
  for (const auto& key : request.coordinator_keys) {
    Found found = find_coordinator(ctx, request.key_type, key);
    auto& row = response.coordinators.emplace_back();
    row.key = key;
    row.error_code = number(found.error);
    if (!found.message.empty()) row.error_message = Text(found.message);
    row.node_id = found.node_id;
    row.host = std::move(found.host);
    row.port = found.port;
  }
  co_return response;
}

}  // namespace dohle::broker
