#include "group/offset_store.h"

#include <optional>
#include <utility>

namespace dohle::coordinator {
namespace {

const CommittedOffset* find_in(const OffsetStore::ByGroup& offsets, std::string_view group, std::string_view topic,
                               std::int32_t partition) {
  const auto by_topic = offsets.find(group);
  if (by_topic == offsets.end()) return nullptr;
  const auto by_partition = by_topic->second.find(topic);
  if (by_partition == by_topic->second.end()) return nullptr;
  const auto at = by_partition->second.find(partition);
  return at == by_partition->second.end() ? nullptr : &at->second;
}

}  // namespace

const OffsetStore::ByTopic* OffsetStore::find(std::string_view group) const {
  const auto at = offsets_.find(group);
  return at == offsets_.end() ? nullptr : &at->second;
}

const CommittedOffset* OffsetStore::find(std::string_view group, std::string_view topic, std::int32_t partition) const {
  return find_in(offsets_, group, topic, partition);
}

void OffsetStore::set(ByGroup& offsets, const std::string& group, const std::string& topic, std::int32_t partition,
                      std::optional<CommittedOffset> committed) {
  if (committed) {
    offsets[group][topic][partition] = std::move(*committed);
    return;
  }
  const auto by_topic = offsets.find(group);
  if (by_topic == offsets.end()) return;
  const auto by_partition = by_topic->second.find(topic);
  if (by_partition == by_topic->second.end()) return;
  by_partition->second.erase(partition);
  if (by_partition->second.empty()) by_topic->second.erase(by_partition);
  if (by_topic->second.empty()) offsets.erase(by_topic);
}

void OffsetStore::change(ByGroup& offsets, std::string_view group, std::string_view topic, std::int32_t partition,
                         std::optional<CommittedOffset> committed, UndoLog& undo) {
  std::string group_name(group);
  std::string topic_name(topic);
  std::optional<CommittedOffset> before;
  if (const auto* found = find_in(offsets, group, topic, partition)) before = *found;
  set(offsets, group_name, topic_name, partition, std::move(committed));
  undo.push(
      [&offsets, group_name = std::move(group_name), topic_name = std::move(topic_name), partition,
       before = std::move(before)]() mutable { set(offsets, group_name, topic_name, partition, std::move(before)); });
}

void OffsetStore::put(std::string_view group, std::string_view topic, std::int32_t partition, CommittedOffset committed,
                      UndoLog& undo) {
  change(offsets_, group, topic, partition, std::move(committed), undo);
}

void OffsetStore::remove(std::string_view group, std::string_view topic, std::int32_t partition, UndoLog& undo) {
  change(offsets_, group, topic, partition, std::nullopt, undo);
  for (auto& [producer, offsets] : pending_) {
    if (find_in(offsets, group, topic, partition) != nullptr) {
      change(offsets, group, topic, partition, std::nullopt, undo);
    }
  }
}

void OffsetStore::put_pending(ProducerId producer, std::string_view group, std::string_view topic,
                              std::int32_t partition, CommittedOffset committed, UndoLog& undo) {
  change(pending_[producer], group, topic, partition, std::move(committed), undo);
}

bool OffsetStore::has_pending(std::string_view group, std::string_view topic, std::int32_t partition) const {
  for (const auto& [producer, offsets] : pending_) {
    if (find_in(offsets, group, topic, partition) != nullptr) return true;
  }
  return false;
}

bool OffsetStore::has_pending(std::string_view group) const {
  for (const auto& [producer, offsets] : pending_) {
    if (offsets.contains(group)) return true;
  }
  return false;
}

void OffsetStore::end_transaction(ProducerId producer, bool committed) {
  auto node = pending_.extract(producer);
  if (node.empty() || !committed) return;
  for (auto& [group, by_topic] : node.mapped()) {
    for (auto& [topic, by_partition] : by_topic) {
      for (auto& [partition, pending] : by_partition) {
        // The later record wins, whether it was part of a transaction or not.
        const CommittedOffset* present = find(group, topic, partition);
        if (present != nullptr && present->record_offset >= pending.record_offset) continue;
        set(offsets_, group, topic, partition, std::move(pending));
      }
    }
  }
}

}  // namespace dohle::coordinator
