// GroupMap: the groups of one partition. That a group exists is part of the versioned state; what is inside it is not.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <coordinator/core/undo_log.h>

#include "group/classic_group.h"

namespace dohle::coordinator {

// The kinds of group that live beside the classic ones in __consumer_offsets. Dohle keeps their records and their
// offsets, and leaves them alone.
enum class ModernGroupType : std::uint8_t { kConsumer, kShare, kStreams };

class GroupMap {
 public:
  using Groups = std::map<std::string, std::unique_ptr<ClassicGroup>, std::less<>>;

  [[nodiscard]] ClassicGroup* find(std::string_view group_id);
  [[nodiscard]] const Groups& all() const { return groups_; }
  // Inserts or replaces. When undone, whoever is parked in the group is told to look for its coordinator.
  ClassicGroup& put(std::unique_ptr<ClassicGroup> group, UndoLog& undo);
  void remove(std::string_view group_id, UndoLog& undo);

  void set_modern(std::string_view group_id, ModernGroupType type, UndoLog& undo);
  void remove_modern(std::string_view group_id, UndoLog& undo);
  [[nodiscard]] bool is_modern(std::string_view group_id) const { return modern_.contains(group_id); }

 private:
  Groups groups_;
  std::map<std::string, ModernGroupType, std::less<>> modern_;
};

// Answers everybody parked in `group` with `error`.
void answer_parked(ClassicGroup& group, protocol::ErrorCode error);

}  // namespace dohle::coordinator
