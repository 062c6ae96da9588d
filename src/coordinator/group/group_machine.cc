#include "group/group_machine.h"

#include <base/log.h>
#include <base/reader.h>
#include <protocol/messages/group_metadata_key.h>
#include <protocol/messages/offset_commit_key.h>

namespace dohle::coordinator {
namespace {

// Record types of __consumer_offsets (the schemas' apiKey). Those of newer group types that are not listed belong to a
// group whose metadata record is.
enum RecordType : std::int16_t {
  kLegacyOffsetCommit = 0,
  kOffsetCommit = 1,
  kGroupMetadata = 2,
  kConsumerGroupMetadata = 3,
  kShareGroupMetadata = 11,
  kStreamsGroupMetadata = 17,
};

}  // namespace

Result<> GroupMachine::replay(const ReplayedRecord& record, UndoLog& undo) {
  Reader key(record.key);
  const auto type = key.read<std::int16_t>();
  if (!key.ok()) return fail(Errc::kMalformed, "a record key without a type");
  switch (type) {
    case kLegacyOffsetCommit:
    case kOffsetCommit:
      return replay_offset(record, key, undo);
    case kGroupMetadata:
      return replay_group(record, key, undo);
    case kConsumerGroupMetadata:
      replay_modern_group(record, key, ModernGroupType::kConsumer, undo);
      return {};
    case kShareGroupMetadata:
      replay_modern_group(record, key, ModernGroupType::kShare, undo);
      return {};
    case kStreamsGroupMetadata:
      replay_modern_group(record, key, ModernGroupType::kStreams, undo);
      return {};
    default:
      return {};  // left alone, for whoever understands it
  }
}

Result<> GroupMachine::replay_offset(const ReplayedRecord& record, Reader& key_reader, UndoLog& undo) {
  DOHLE_ASSIGN(const auto key, protocol::OffsetCommitKey::decode(key_reader, 0));
  if (!record.value) {
    offsets_.remove(key.group, key.topic, key.partition, undo);
    return {};
  }
  DOHLE_ASSIGN(auto committed, decode_offset(record.offset, *record.value));
  if (groups_.find(key.group) == nullptr && !groups_.is_modern(key.group)) {
    // Offsets without a group: a consumer that assigns itself its partitions.
    groups_.put(std::make_unique<ClassicGroup>(key.group.str(), committed.commit_timestamp_ms), undo);
  }
  if (record.producer_id == kNoProducerId) {
    offsets_.put(key.group, key.topic, key.partition, std::move(committed), undo);
  } else {
    offsets_.put_pending(record.producer_id, key.group, key.topic, key.partition, std::move(committed), undo);
  }
  return {};
}

Result<> GroupMachine::replay_group(const ReplayedRecord& record, Reader& key_reader, UndoLog& undo) {
  DOHLE_ASSIGN(const auto key, protocol::GroupMetadataKey::decode(key_reader, 0));
  if (!record.value) {
    groups_.remove(key.group, undo);
    return {};
  }
  DOHLE_ASSIGN(auto group, decode_group(key.group, *record.value));
  groups_.put(std::move(group), undo);
  return {};
}

void GroupMachine::replay_modern_group(const ReplayedRecord& record, Reader& key, ModernGroupType type, UndoLog& undo) {
  // All three keys hold the group id alone.
  const auto length = key.read<std::int16_t>();
  const Bytes group = key.read_bytes(length < 0 ? 0 : static_cast<std::size_t>(length));
  if (!key.ok()) return;
  if (!record.value) {
    groups_.remove_modern(as_text(group), undo);
    return;
  }
  groups_.remove(as_text(group), undo);
  groups_.set_modern(as_text(group), type, undo);
}

void GroupMachine::replay_transaction_end(ProducerId producer_id, bool committed) {
  offsets_.end_transaction(producer_id, committed);
}

void GroupMachine::on_loaded(Turn& turn) {
  if (!groups_.all().empty()) log::info("coordinator", "Loaded {} groups.", groups_.all().size());
  classic_.on_loaded(turn);
  schedule_expiry(turn);
}

}  // namespace dohle::coordinator
