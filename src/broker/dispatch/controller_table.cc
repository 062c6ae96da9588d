#include "dispatch/controller_table.h"

#include <algorithm>
#include <array>

#include <metadata/features.h>
#include <protocol/error_code.h>
#include <protocol/messages/allocate_producer_ids_request.h>
#include <protocol/messages/allocate_producer_ids_response.h>
#include <protocol/messages/alter_partition_request.h>
#include <protocol/messages/alter_partition_response.h>
#include <protocol/messages/api_versions_request.h>
#include <protocol/messages/api_versions_response.h>
#include <protocol/messages/assign_replicas_to_dirs_request.h>
#include <protocol/messages/assign_replicas_to_dirs_response.h>
#include <protocol/messages/begin_quorum_epoch_request.h>
#include <protocol/messages/begin_quorum_epoch_response.h>
#include <protocol/messages/broker_heartbeat_request.h>
#include <protocol/messages/broker_heartbeat_response.h>
#include <protocol/messages/broker_registration_request.h>
#include <protocol/messages/broker_registration_response.h>
#include <protocol/messages/controller_registration_request.h>
#include <protocol/messages/controller_registration_response.h>
#include <protocol/messages/create_partitions_request.h>
#include <protocol/messages/create_partitions_response.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <protocol/messages/delete_topics_request.h>
#include <protocol/messages/delete_topics_response.h>
#include <protocol/messages/describe_quorum_request.h>
#include <protocol/messages/describe_quorum_response.h>
#include <protocol/messages/end_quorum_epoch_request.h>
#include <protocol/messages/end_quorum_epoch_response.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/messages/fetch_snapshot_request.h>
#include <protocol/messages/fetch_snapshot_response.h>
#include <protocol/messages/incremental_alter_configs_request.h>
#include <protocol/messages/incremental_alter_configs_response.h>
#include <protocol/messages/vote_request.h>
#include <protocol/messages/vote_response.h>

namespace dohle::broker {
namespace {

using namespace protocol;  // NOLINT: the names of all messages, in this table only

template <typename Request>
runtime::Task<Result<>> ask_raft(ControllerContext& ctx, Reader& reader, Writer& writer) {
  DOHLE_CO_ASSIGN(const Request request, Request::decode(reader, ctx.version));
  const auto response = co_await ctx.raft.handle(request, {.version = ctx.version, .listener = ctx.listener});
  response.encode(writer, ctx.version);
  co_return Result<>{};
}

template <typename Request>
runtime::Task<Result<>> ask_controller(ControllerContext& ctx, Reader& reader, Writer& writer) {
  DOHLE_CO_ASSIGN(const Request request, Request::decode(reader, ctx.version));
  const auto response =
      co_await ctx.controller.handle(request, {.api_version = ctx.version, .client_id = ctx.client_id});
  response.encode(writer, ctx.version);
  co_return Result<>{};
}

void announce(const ControllerContext& ctx, std::string_view feature, ApiVersionsResponse& out) {
  const auto range = metadata::supported_range(feature);
  if (!range || (ctx.version < 4 && range->min == 0)) return;
  auto& row = out.supported_features.emplace_back();
  row.name = Text(feature);
  row.min_version = range->min;
  row.max_version = range->max;
}

runtime::Task<Result<>> api_versions(ControllerContext& ctx, Reader& reader, Writer& writer) {
  DOHLE_CO_ASSIGN(const ApiVersionsRequest request, ApiVersionsRequest::decode(reader, ctx.version));
  ApiVersionsResponse out;
  if (ctx.version >= 5 && request.cluster_id &&
      (request.cluster_id->get() != ctx.cluster_id || request.node_id != ctx.node_id)) {
    out.error_code = number(ErrorCode::kRebootstrapRequired);
  } else {
    for (const auto& row : controller_table()) {
      auto& api = out.api_keys.emplace_back();
      api.api_key = row.api_key;
      api.min_version = row.min_version;
      api.max_version = row.max_version;
    }
    announce(ctx, metadata::kMetadataVersionFeature, out);
    for (const auto& feature : metadata::features()) announce(ctx, feature.name, out);
    for (const auto& [name, level] : ctx.image->features().finalized) {
      auto& row = out.finalized_features.emplace_back();
      row.name = Text(name);
      row.min_version_level = level;
      row.max_version_level = level;
    }
    out.finalized_features_epoch = ctx.image->last_offset().value();
  }
  out.encode(writer, ctx.version);
  co_return Result<>{};
}

template <typename Request>
constexpr ControllerRow raft_row() {
  return {Request::kApiKey, Request::kMinVersion, Request::kMaxVersion, &ask_raft<Request>};
}
template <typename Request>
constexpr ControllerRow controller_row() {
  return {Request::kApiKey, Request::kMinVersion, Request::kMaxVersion, &ask_controller<Request>};
}

constexpr std::array kTable{
    raft_row<FetchRequest>(),
    ControllerRow{ApiVersionsRequest::kApiKey, ApiVersionsRequest::kMinVersion, ApiVersionsRequest::kMaxVersion,
                  &api_versions},
    controller_row<CreateTopicsRequest>(),
    controller_row<DeleteTopicsRequest>(),
    controller_row<CreatePartitionsRequest>(),
    controller_row<IncrementalAlterConfigsRequest>(),
    raft_row<VoteRequest>(),
    raft_row<BeginQuorumEpochRequest>(),
    raft_row<EndQuorumEpochRequest>(),
    raft_row<DescribeQuorumRequest>(),
    controller_row<AlterPartitionRequest>(),
    raft_row<FetchSnapshotRequest>(),
    controller_row<BrokerRegistrationRequest>(),
    controller_row<BrokerHeartbeatRequest>(),
    controller_row<AllocateProducerIdsRequest>(),
    controller_row<ControllerRegistrationRequest>(),
    controller_row<AssignReplicasToDirsRequest>(),
};
static_assert(std::ranges::is_sorted(kTable, {}, &ControllerRow::api_key));

}  // namespace

std::span<const ControllerRow> controller_table() { return kTable; }

const ControllerRow* find_controller_row(std::int16_t api_key) {
  const auto at = std::ranges::lower_bound(kTable, api_key, {}, &ControllerRow::api_key);
  return at == kTable.end() || at->api_key != api_key ? nullptr : &*at;
}

}  // namespace dohle::broker
