// OffsetStore: the committed offsets of a partition's groups, and those that wait for the end of their transaction.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <base/ids.h>
#include <coordinator/core/undo_log.h>

#include "group/record_codec.h"

namespace dohle::coordinator {

class OffsetStore {
 public:
  using ByPartition = std::map<std::int32_t, CommittedOffset>;
  using ByTopic = std::map<std::string, ByPartition, std::less<>>;
  using ByGroup = std::map<std::string, ByTopic, std::less<>>;

  // Null when nothing is committed. No level of the map is ever empty.
  [[nodiscard]] const ByTopic* find(std::string_view group) const;
  [[nodiscard]] const CommittedOffset* find(std::string_view group, std::string_view topic,
                                            std::int32_t partition) const;
  [[nodiscard]] const ByGroup& all() const { return offsets_; }

  void put(std::string_view group, std::string_view topic, std::int32_t partition, CommittedOffset committed,
           UndoLog& undo);
  // The committed offset, and those of open transactions with it.
  void remove(std::string_view group, std::string_view topic, std::int32_t partition, UndoLog& undo);

  void put_pending(ProducerId producer, std::string_view group, std::string_view topic, std::int32_t partition,
                   CommittedOffset committed, UndoLog& undo);
  [[nodiscard]] bool has_pending(std::string_view group, std::string_view topic, std::int32_t partition) const;
  [[nodiscard]] bool has_pending(std::string_view group) const;
  [[nodiscard]] const std::map<ProducerId, ByGroup>& pending() const { return pending_; }
  void end_transaction(ProducerId producer, bool committed);

 private:
  static void set(ByGroup& offsets, const std::string& group, const std::string& topic, std::int32_t partition,
                  std::optional<CommittedOffset> committed);
  void change(ByGroup& offsets, std::string_view group, std::string_view topic, std::int32_t partition,
              std::optional<CommittedOffset> committed, UndoLog& undo);

  ByGroup offsets_;
  std::map<ProducerId, ByGroup> pending_;
};

}  // namespace dohle::coordinator
