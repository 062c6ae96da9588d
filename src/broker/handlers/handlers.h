// Every API this broker serves: one function, one file NN_name.cc. The row of each is in dispatch/handler_table.cc.
//
// A handler runs on the shard of its connection. The request's texts and bytes view the request's frame, which lives as
// long as the context. It returns the answer, or nothing when it has seen to the connection itself.
#pragma once

#include <optional>

#include <protocol/error_code.h>
#include <runtime/task.h>

#include "dispatch/request_context.h"
#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {

template <typename Response>
using Answer = runtime::Task<std::optional<Response>>;

}  // namespace dohle::broker

#define DOHLE_HANDLER(function, name)                                                                     \
  namespace dohle::protocol {                                                                             \
  struct name##Request;                                                                                   \
  struct name##Response;                                                                                  \
  }                                                                                                       \
  namespace dohle::broker {                                                                               \
  Answer<protocol::name##Response> function(RequestContext& ctx, const protocol::name##Request& request); \
  }

DOHLE_HANDLER(handle_produce, Produce)
DOHLE_HANDLER(handle_fetch, Fetch)
DOHLE_HANDLER(handle_list_offsets, ListOffsets)
DOHLE_HANDLER(handle_metadata, Metadata)
DOHLE_HANDLER(handle_offset_commit, OffsetCommit)
DOHLE_HANDLER(handle_offset_fetch, OffsetFetch)
DOHLE_HANDLER(handle_find_coordinator, FindCoordinator)
DOHLE_HANDLER(handle_join_group, JoinGroup)
DOHLE_HANDLER(handle_heartbeat, Heartbeat)
DOHLE_HANDLER(handle_leave_group, LeaveGroup)
DOHLE_HANDLER(handle_sync_group, SyncGroup)
DOHLE_HANDLER(handle_describe_groups, DescribeGroups)
DOHLE_HANDLER(handle_list_groups, ListGroups)
DOHLE_HANDLER(handle_api_versions, ApiVersions)
DOHLE_HANDLER(handle_create_topics, CreateTopics)
DOHLE_HANDLER(handle_delete_topics, DeleteTopics)
DOHLE_HANDLER(handle_delete_records, DeleteRecords)
DOHLE_HANDLER(handle_init_producer_id, InitProducerId)
DOHLE_HANDLER(handle_offset_for_leader_epoch, OffsetForLeaderEpoch)
DOHLE_HANDLER(handle_describe_configs, DescribeConfigs)
DOHLE_HANDLER(handle_alter_configs, AlterConfigs)
DOHLE_HANDLER(handle_describe_log_dirs, DescribeLogDirs)
DOHLE_HANDLER(handle_create_partitions, CreatePartitions)
DOHLE_HANDLER(handle_delete_groups, DeleteGroups)
DOHLE_HANDLER(handle_incremental_alter_configs, IncrementalAlterConfigs)
DOHLE_HANDLER(handle_offset_delete, OffsetDelete)
DOHLE_HANDLER(handle_describe_cluster, DescribeCluster)
DOHLE_HANDLER(handle_list_config_resources, ListConfigResources)
DOHLE_HANDLER(handle_describe_topic_partitions, DescribeTopicPartitions)

#undef DOHLE_HANDLER
