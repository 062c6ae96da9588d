#include "group/group_map.h"

#include <utility>

namespace dohle::coordinator {

using protocol::ErrorCode;

ClassicGroup* GroupMap::find(std::string_view group_id) {
  auto at = groups_.find(group_id);
  return at == groups_.end() ? nullptr : at->second.get();
}

ClassicGroup& GroupMap::put(std::unique_ptr<ClassicGroup> group, UndoLog& undo) {
  remove(group->id(), undo);
  ClassicGroup& placed = *group;
  undo.push([this, id = group->id()] {
    auto node = groups_.extract(id);
    if (!node.empty()) answer_parked(*node.mapped(), ErrorCode::kCoordinatorNotAvailable);
  });
  groups_[group->id()] = std::move(group);
  return placed;
}

void GroupMap::remove(std::string_view group_id, UndoLog& undo) {
  auto at = groups_.find(group_id);
  if (at == groups_.end()) return;
  auto node = groups_.extract(at);
  undo.push([this, node = std::move(node)]() mutable { groups_.insert(std::move(node)); });
}

void GroupMap::set_modern(std::string_view group_id, ModernGroupType type, UndoLog& undo) {
  auto [at, fresh] = modern_.insert_or_assign(std::string(group_id), type);
  if (fresh) undo.push([this, id = at->first] { modern_.erase(id); });
}

void GroupMap::remove_modern(std::string_view group_id, UndoLog& undo) {
  auto at = modern_.find(group_id);
  if (at == modern_.end()) return;
  auto node = modern_.extract(at);
  undo.push([this, node = std::move(node)]() mutable { modern_.insert(std::move(node)); });
}

void answer_parked(ClassicGroup& group, ErrorCode error) {
  for (auto& [id, member] : group.members()) {
    protocol::JoinGroupResponse join;
    join.member_id = Text(id);
    join.error_code = number(error);
    group.complete_join(member, std::move(join));
    protocol::SyncGroupResponse sync;
    sync.error_code = number(error);
    group.complete_sync(member, std::move(sync));
  }
}

}  // namespace dohle::coordinator
