#include "group/record_codec.h"

#include <base/check.h>
#include <base/reader.h>
#include <protocol/messages/group_metadata_key.h>
#include <protocol/messages/group_metadata_value.h>
#include <protocol/messages/offset_commit_key.h>
#include <protocol/messages/offset_commit_value.h>
#include <protocol/writer.h>

#include "core/operation_error.h"

namespace dohle::coordinator {
namespace {

constexpr std::int16_t kGroupVersion = 3;
constexpr std::int16_t kOffsetVersion = 4;
constexpr std::int16_t kExpiringOffsetVersion = 1;

ByteVector to_vector(const protocol::Writer& writer) {
  const Bytes bytes = writer.bytes();
  return {bytes.begin(), bytes.end()};
}

// Keys: the record's type, then the key itself, whose only version is 0.
template <typename Key>
ByteVector encode_key(const Key& key) {
  protocol::Writer writer;
  writer.write<std::int16_t>(Key::kType);
  key.encode(writer, 0);
  return to_vector(writer);
}

template <typename Value>
ByteVector encode_value(const Value& value, std::int16_t version) {
  protocol::Writer writer;
  writer.write<std::int16_t>(version);
  value.encode(writer, version);
  return to_vector(writer);
}

template <typename Value>
Result<Value> decode_value(Bytes bytes) {
  Reader reader(bytes);
  const auto version = reader.read<std::int16_t>();
  if (!reader.ok() || version < Value::kMinVersion || version > Value::kMaxVersion) {
    return fail(Errc::kUnsupported, std::string(Value::kName) + " of version " + std::to_string(version));
  }
  return Value::decode(reader, version);
}

ByteVector group_key(std::string_view group_id) {
  protocol::GroupMetadataKey key;
  key.group = Text::view(group_id);
  return encode_key(key);
}

ByteVector offset_key(std::string_view group_id, std::string_view topic, std::int32_t partition) {
  protocol::OffsetCommitKey key;
  key.group = Text::view(group_id);
  key.topic = Text::view(topic);
  key.partition = partition;
  return encode_key(key);
}

std::optional<Text> view_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return Text::view(*text);
}

std::optional<std::string> own(const std::optional<Text>& text) {
  if (!text) return std::nullopt;
  return text->str();
}

ByteVector own(const Blob& blob) {
  const Bytes bytes = blob.get();
  return {bytes.begin(), bytes.end()};
}

}  // namespace

CoordinatorRecord group_record(const ClassicGroup& group, const AssignmentOf& assignment) {
  protocol::GroupMetadataValue value;
  if (group.protocol_type()) value.protocol_type = Text::view(*group.protocol_type());
  value.generation = group.generation();
  value.protocol = view_of(group.protocol_name());
  value.leader = view_of(group.leader());
  value.current_state_timestamp = group.state_since_ms().value_or(-1);
  for (const auto& [id, member] : group.members()) {
    DOHLE_CHECK(group.protocol_name());
    const ByteVector* subscription = member.metadata(*group.protocol_name());
    DOHLE_CHECK(subscription != nullptr);
    auto& out = value.members.emplace_back();
    out.member_id = Text::view(id);
    out.group_instance_id = view_of(member.instance_id);
    out.client_id = Text::view(member.client_id);
    out.client_host = Text::view(member.client_host);
    out.rebalance_timeout = member.rebalance_timeout_ms;
    out.session_timeout = member.session_timeout_ms;
    out.subscription = Blob::view(*subscription);
    out.assignment = Blob::view(assignment(member));
  }
  return {group_key(group.id()), encode_value(value, kGroupVersion)};
}

CoordinatorRecord empty_group_record(const ClassicGroup& group) {
  protocol::GroupMetadataValue value;
  value.protocol.reset();
  value.leader.reset();
  value.current_state_timestamp = group.state_since_ms().value_or(-1);
  return {group_key(group.id()), encode_value(value, kGroupVersion)};
}

CoordinatorRecord group_tombstone(std::string_view group_id) { return {group_key(group_id), std::nullopt}; }

CoordinatorRecord offset_record(std::string_view group_id, std::string_view topic, std::int32_t partition,
                                const CommittedOffset& committed) {
  protocol::OffsetCommitValue value;
  value.offset = committed.offset;
  value.leader_epoch = committed.leader_epoch;
  value.metadata = Text::view(committed.metadata);
  value.commit_timestamp = committed.commit_timestamp_ms;
  value.expire_timestamp = committed.expire_timestamp_ms.value_or(-1);
  value.topic_id = committed.topic_id;
  const std::int16_t version = committed.expire_timestamp_ms ? kExpiringOffsetVersion : kOffsetVersion;
  return {offset_key(group_id, topic, partition), encode_value(value, version)};
}

CoordinatorRecord offset_tombstone(std::string_view group_id, std::string_view topic, std::int32_t partition) {
  return {offset_key(group_id, topic, partition), std::nullopt};
}

Result<std::unique_ptr<ClassicGroup>> decode_group(std::string_view group_id, Bytes bytes) {
  DOHLE_ASSIGN(const auto value, decode_value<protocol::GroupMetadataValue>(bytes));
  const std::string type = value.protocol_type.str();
  auto group = std::make_unique<ClassicGroup>(
      std::string(group_id), !value.members.empty(), value.generation,
      type.empty() ? std::nullopt : std::optional(type), own(value.protocol), own(value.leader),
      value.current_state_timestamp == -1 ? std::nullopt : std::optional(value.current_state_timestamp));
  for (const auto& in : value.members) {
    if (!value.protocol) {
      return fail(Errc::kCorrupt, "group " + std::string(group_id) + " has members but no protocol");
    }
    ClassicMember member{
        .id = in.member_id.str(),
        .instance_id = own(in.group_instance_id),
        .client_id = in.client_id.str(),
        .client_host = in.client_host.str(),
        .rebalance_timeout_ms = in.rebalance_timeout == -1 ? in.session_timeout : in.rebalance_timeout,
        .session_timeout_ms = in.session_timeout,
        .protocol_type = type,
        .protocols = {{value.protocol->str(), own(in.subscription)}},
        .assignment = own(in.assignment),
    };
    if (!group->add(std::move(member))) {
      return fail(Errc::kCorrupt, "group " + std::string(group_id) + " names a member twice");
    }
  }
  group->compute_subscribed_topics();
  return group;
}

Result<CommittedOffset> decode_offset(Offset record_offset, Bytes bytes) {
  DOHLE_ASSIGN(const auto value, decode_value<protocol::OffsetCommitValue>(bytes));
  CommittedOffset committed{.record_offset = record_offset.value(),
                            .offset = value.offset,
                            .leader_epoch = value.leader_epoch,
                            .metadata = value.metadata.str(),
                            .commit_timestamp_ms = value.commit_timestamp,
                            .expire_timestamp_ms = std::nullopt,
                            .topic_id = value.topic_id};
  if (value.expire_timestamp != -1) committed.expire_timestamp_ms = value.expire_timestamp;
  return committed;
}

protocol::ErrorCode append_error_of_group(protocol::ErrorCode error) {
  // Nobody verifies transactions here: the one case in which operations say something else.
  return error == protocol::ErrorCode::kNetworkException ? error : operation_error(error);
}

}  // namespace dohle::coordinator
