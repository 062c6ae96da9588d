// The bytes that members of a classic group exchange: ConsumerProtocolSubscription and -Assignment after a version, and
// the user data of the sticky assignors.
#include <client/assignor.h>

#include <algorithm>

#include <base/reader.h>
#include <protocol/messages/consumer_protocol_assignment.h>
#include <protocol/messages/consumer_protocol_subscription.h>
#include <protocol/writer.h>

namespace dohle::client {

namespace {

using protocol::ConsumerProtocolAssignment;
using protocol::ConsumerProtocolSubscription;

std::map<std::string, std::vector<std::int32_t>> by_topic(const std::vector<TopicPartition>& partitions) {
  std::map<std::string, std::vector<std::int32_t>> out;
  for (const auto& partition : partitions) out[partition.topic].push_back(partition.partition);
  return out;
}

std::vector<std::uint8_t> copy(const protocol::Writer& writer) {
  const Bytes bytes = writer.bytes();
  return {bytes.begin(), bytes.end()};
}

// Version 1: an array of (topic, array of partitions), then the generation.
std::vector<std::uint8_t> sticky_user_data(const Subscription& subscription) {
  protocol::Writer writer;
  const auto topics = by_topic(subscription.owned);
  writer.write(static_cast<std::int32_t>(topics.size()));
  for (const auto& [topic, partitions] : topics) {
    writer.write(static_cast<std::int16_t>(topic.size()));
    writer.write_raw(as_bytes(topic));
    writer.write(static_cast<std::int32_t>(partitions.size()));
    for (const std::int32_t partition : partitions) writer.write(partition);
  }
  writer.write(subscription.generation);
  return copy(writer);
}

void read_sticky_user_data(Bytes bytes, Subscription& out) {
  Reader reader(bytes);
  std::vector<TopicPartition> owned;
  for (auto topics = reader.read<std::int32_t>(); topics > 0 && reader.ok(); --topics) {
    const auto length = reader.read<std::int16_t>();
    if (length < 0) return;
    const std::string topic(as_text(reader.read_bytes(static_cast<std::size_t>(length))));
    for (auto count = reader.read<std::int32_t>(); count > 0 && reader.ok(); --count) {
      owned.push_back({topic, reader.read<std::int32_t>()});
    }
  }
  if (!reader.ok()) return;
  out.owned = std::move(owned);
  if (reader.remaining() >= 4) out.generation = reader.read<std::int32_t>();
}

}  // namespace

std::vector<std::uint8_t> encode_subscription(Assignor assignor, const Subscription& subscription) {
  ConsumerProtocolSubscription message;
  std::vector<std::string> topics = subscription.topics;
  std::ranges::sort(topics);
  for (const auto& topic : topics) message.topics.emplace_back(topic);
  for (const auto& [topic, partitions] : by_topic(subscription.owned)) {
    auto& owned = message.owned_partitions.emplace_back();
    owned.topic = Text(topic);
    owned.partitions = partitions;
  }
  message.generation_id = subscription.generation;
  if (subscription.rack) message.rack_id = Text(*subscription.rack);
  if (assignor == Assignor::kSticky) message.user_data = Blob(sticky_user_data(subscription));
  if (assignor == Assignor::kCooperativeSticky) {
    protocol::Writer generation;
    generation.write(subscription.generation);
    message.user_data = Blob(copy(generation));
  }
  protocol::Writer writer;
  writer.write(ConsumerProtocolSubscription::kMaxVersion);
  message.encode(writer, ConsumerProtocolSubscription::kMaxVersion);
  return copy(writer);
}

Result<Subscription> decode_subscription(Assignor assignor, Bytes bytes) {
  Reader reader(bytes);
  const auto version = reader.read<std::int16_t>();
  if (!reader.ok() || version < 0) return fail(Errc::kMalformed, "a subscription without a version");
  // Newer versions only add: what is known of them is read.
  const auto readable = std::min(version, ConsumerProtocolSubscription::kMaxVersion);
  DOHLE_ASSIGN(const auto message, ConsumerProtocolSubscription::decode(reader, readable));
  Subscription out;
  for (const auto& topic : message.topics) out.topics.push_back(topic.str());
  for (const auto& owned : message.owned_partitions) {
    for (const std::int32_t partition : owned.partitions) out.owned.push_back({owned.topic.str(), partition});
  }
  out.generation = message.generation_id;
  if (message.rack_id) out.rack = message.rack_id->str();
  if (!message.user_data) return out;
  const Bytes user_data = message.user_data->get();
  if (assignor == Assignor::kSticky) read_sticky_user_data(user_data, out);
  if (assignor == Assignor::kCooperativeSticky && version < 2 && user_data.size() >= 4) {
    out.generation = load_be<std::int32_t>(user_data.data());
  }
  return out;
}

std::vector<std::uint8_t> encode_assignment(const std::vector<TopicPartition>& partitions) {
  ConsumerProtocolAssignment message;
  for (const auto& [topic, indexes] : by_topic(partitions)) {
    auto& assigned = message.assigned_partitions.emplace_back();
    assigned.topic = Text(topic);
    assigned.partitions = indexes;
  }
  protocol::Writer writer;
  writer.write(ConsumerProtocolAssignment::kMaxVersion);
  message.encode(writer, ConsumerProtocolAssignment::kMaxVersion);
  return copy(writer);
}

Result<std::vector<TopicPartition>> decode_assignment(Bytes bytes) {
  std::vector<TopicPartition> out;
  if (bytes.empty()) return out;  // a leader may assign nothing by saying nothing
  Reader reader(bytes);
  const auto version = reader.read<std::int16_t>();
  if (!reader.ok() || version < 0) return fail(Errc::kMalformed, "an assignment without a version");
  const auto readable = std::min(version, ConsumerProtocolAssignment::kMaxVersion);
  DOHLE_ASSIGN(const auto message, ConsumerProtocolAssignment::decode(reader, readable));
  for (const auto& assigned : message.assigned_partitions) {
    for (const std::int32_t partition : assigned.partitions) out.push_back({assigned.topic.str(), partition});
  }
  return out;
}

}  // namespace dohle::client
