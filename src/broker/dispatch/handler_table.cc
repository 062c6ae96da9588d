#include "dispatch/handler_table.h"

#include <algorithm>
#include <array>

#include <protocol/messages/alter_configs_request.h>
#include <protocol/messages/alter_configs_response.h>
#include <protocol/messages/api_versions_request.h>
#include <protocol/messages/api_versions_response.h>
#include <protocol/messages/create_partitions_request.h>
#include <protocol/messages/create_partitions_response.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <protocol/messages/delete_groups_request.h>
#include <protocol/messages/delete_groups_response.h>
#include <protocol/messages/delete_records_request.h>
#include <protocol/messages/delete_records_response.h>
#include <protocol/messages/delete_topics_request.h>
#include <protocol/messages/delete_topics_response.h>
#include <protocol/messages/describe_cluster_request.h>
#include <protocol/messages/describe_cluster_response.h>
#include <protocol/messages/describe_configs_request.h>
#include <protocol/messages/describe_configs_response.h>
#include <protocol/messages/describe_groups_request.h>
#include <protocol/messages/describe_groups_response.h>
#include <protocol/messages/describe_log_dirs_request.h>
#include <protocol/messages/describe_log_dirs_response.h>
#include <protocol/messages/describe_topic_partitions_request.h>
#include <protocol/messages/describe_topic_partitions_response.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/messages/find_coordinator_request.h>
#include <protocol/messages/find_coordinator_response.h>
#include <protocol/messages/heartbeat_request.h>
#include <protocol/messages/heartbeat_response.h>
#include <protocol/messages/incremental_alter_configs_request.h>
#include <protocol/messages/incremental_alter_configs_response.h>
#include <protocol/messages/init_producer_id_request.h>
#include <protocol/messages/init_producer_id_response.h>
#include <protocol/messages/join_group_request.h>
#include <protocol/messages/join_group_response.h>
#include <protocol/messages/leave_group_request.h>
#include <protocol/messages/leave_group_response.h>
#include <protocol/messages/list_config_resources_request.h>
#include <protocol/messages/list_config_resources_response.h>
#include <protocol/messages/list_groups_request.h>
#include <protocol/messages/list_groups_response.h>
#include <protocol/messages/list_offsets_request.h>
#include <protocol/messages/list_offsets_response.h>
#include <protocol/messages/metadata_request.h>
#include <protocol/messages/metadata_response.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>
#include <protocol/messages/offset_delete_request.h>
#include <protocol/messages/offset_delete_response.h>
#include <protocol/messages/offset_fetch_request.h>
#include <protocol/messages/offset_fetch_response.h>
#include <protocol/messages/offset_for_leader_epoch_request.h>
#include <protocol/messages/offset_for_leader_epoch_response.h>
#include <protocol/messages/produce_request.h>
#include <protocol/messages/produce_response.h>
#include <protocol/messages/sync_group_request.h>
#include <protocol/messages/sync_group_response.h>

#include "handlers/handlers.h"
#include "shard/broker.h"

namespace dohle::broker {
namespace {

using namespace protocol;  // NOLINT: the names of all messages, in this table only

constexpr std::array kTable{
    // Old clients decide from the announced minimum whether they can produce at all (KAFKA-18659); versions below 3 are
    // refused all the same.
    row<ProduceRequest, handle_produce>().announced_from(0),
    row<FetchRequest, handle_fetch>(),
    row<ListOffsetsRequest, handle_list_offsets>(),
    row<MetadataRequest, handle_metadata>(),
    row<OffsetCommitRequest, handle_offset_commit>(),
    row<OffsetFetchRequest, handle_offset_fetch>(),
    row<FindCoordinatorRequest, handle_find_coordinator>(),
    row<JoinGroupRequest, handle_join_group>(),
    row<HeartbeatRequest, handle_heartbeat>(),
    row<LeaveGroupRequest, handle_leave_group>(),
    row<SyncGroupRequest, handle_sync_group>(),
    row<DescribeGroupsRequest, handle_describe_groups>(),
    row<ListGroupsRequest, handle_list_groups>(),
    row<ApiVersionsRequest, handle_api_versions>(),
    row<CreateTopicsRequest, handle_create_topics>(),
    row<DeleteTopicsRequest, handle_delete_topics>(),
    row<DeleteRecordsRequest, handle_delete_records>(),
    row<InitProducerIdRequest, handle_init_producer_id>(),
    row<OffsetForLeaderEpochRequest, handle_offset_for_leader_epoch>(),
    row<DescribeConfigsRequest, handle_describe_configs>(),
    row<AlterConfigsRequest, handle_alter_configs>(),
    row<DescribeLogDirsRequest, handle_describe_log_dirs>(),
    row<CreatePartitionsRequest, handle_create_partitions>(),
    row<DeleteGroupsRequest, handle_delete_groups>(),
    row<IncrementalAlterConfigsRequest, handle_incremental_alter_configs>(),
    row<OffsetDeleteRequest, handle_offset_delete>(),
    row<DescribeClusterRequest, handle_describe_cluster>(),
    row<ListConfigResourcesRequest, handle_list_config_resources>(),
    row<DescribeTopicPartitionsRequest, handle_describe_topic_partitions>(),
};
static_assert(std::ranges::is_sorted(kTable, {}, &HandlerRow::api_key));

// Places in kTable by API key; behind its end where there is none.
constexpr auto kPlaces = [] {
  std::array<std::uint8_t, static_cast<std::size_t>(kTable.back().api_key) + 1> out{};
  out.fill(kTable.size());
  for (std::size_t i = 0; i < kTable.size(); ++i) out[static_cast<std::size_t>(kTable[i].api_key)] = i;
  return out;
}();

}  // namespace

std::span<const HandlerRow> handler_table() { return kTable; }

const HandlerRow* find_handler(std::int16_t api_key) {
  if (api_key < 0 || static_cast<std::size_t>(api_key) >= kPlaces.size()) return nullptr;
  const std::size_t at = kPlaces[static_cast<std::size_t>(api_key)];
  return at == kTable.size() ? nullptr : &kTable[at];
}

}  // namespace dohle::broker
