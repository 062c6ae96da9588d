// GroupMachine: the groups and offsets of one partition of __consumer_offsets. Sans-I/O. Model: Kafka's
// GroupCoordinatorShard and OffsetMetadataManager.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <coordinator/core/partition_runtime.h>
#include <coordinator/core/state_machine.h>
#include <coordinator/group/deleted_topic.h>
#include <coordinator/group/group_config.h>
#include <coordinator/group/request_context.h>
#include <protocol/messages/delete_groups_response.h>
#include <protocol/messages/describe_groups_response.h>
#include <protocol/messages/list_groups_request.h>
#include <protocol/messages/list_groups_response.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>
#include <protocol/messages/offset_delete_request.h>
#include <protocol/messages/offset_delete_response.h>
#include <protocol/messages/offset_fetch_request.h>
#include <protocol/messages/offset_fetch_response.h>

#include "group/classic_groups.h"
#include "group/group_map.h"
#include "group/offset_store.h"

namespace dohle::coordinator {

class GroupMachine final : public StateMachine {
 public:
  // Both must outlive this object.
  GroupMachine(const GroupConfig& config, runtime::Random& random)
      : config_(config), classic_(groups_, config, random) {}

  // StateMachine
  [[nodiscard]] Result<> replay(const ReplayedRecord& record, UndoLog& undo) override;
  void replay_transaction_end(ProducerId producer_id, bool committed) override;
  void on_loaded(Turn& turn) override;
  void on_unloaded() override { classic_.on_unloaded(); }

  [[nodiscard]] ClassicGroups& classic() { return classic_; }

  // offset_operations.cc
  [[nodiscard]] Decision<protocol::OffsetCommitResponse> commit_offsets(Turn& turn, const RequestContext& context,
                                                                        const protocol::OffsetCommitRequest& request);
  [[nodiscard]] protocol::OffsetFetchResponse::OffsetFetchResponseGroup fetch_offsets(
      const protocol::OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) const;
  [[nodiscard]] Decision<protocol::OffsetDeleteResponse> delete_offsets(Turn& turn,
                                                                        const protocol::OffsetDeleteRequest& request);
  // Tombstones for offsets past their retention, then for empty groups without offsets.
  void expire(Turn& turn);
  void topics_deleted(Turn& turn, const std::vector<DeletedTopic>& topics);

  // group_admin.cc
  [[nodiscard]] std::vector<protocol::DescribeGroupsResponse::DescribedGroup> describe(
      const std::vector<std::string>& group_ids, std::int16_t api_version);
  void list(const protocol::ListGroupsRequest& filter, std::vector<protocol::ListGroupsResponse::ListedGroup>& out);
  [[nodiscard]] std::vector<protocol::DeleteGroupsResponse::DeletableGroupResult> delete_groups(
      Turn& turn, const std::vector<std::string>& group_ids);

  [[nodiscard]] GroupMap& groups() { return groups_; }
  [[nodiscard]] const OffsetStore& offsets() const { return offsets_; }

 private:
  [[nodiscard]] Result<> replay_offset(const ReplayedRecord& record, Reader& key, UndoLog& undo);
  [[nodiscard]] Result<> replay_group(const ReplayedRecord& record, Reader& key, UndoLog& undo);
  void replay_modern_group(const ReplayedRecord& record, Reader& key, ModernGroupType type, UndoLog& undo);

  [[nodiscard]] protocol::ErrorCode validate_commit(Turn& turn, const RequestContext& context,
                                                    const protocol::OffsetCommitRequest& request);
  [[nodiscard]] protocol::ErrorCode validate_offset_delete(std::string_view group_id);
  // True when nothing is left of the group's offsets.
  [[nodiscard]] bool expire_offsets(Turn& turn, const ClassicGroup& group);
  void schedule_expiry(Turn& turn);

  const GroupConfig& config_;
  GroupMap groups_;
  OffsetStore offsets_;
  ClassicGroups classic_;
};

}  // namespace dohle::coordinator
