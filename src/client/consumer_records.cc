#include <algorithm>

#include <client/consumer.h>

namespace dohle::client {

namespace {
constexpr std::size_t kBlockBytes = std::size_t{64} << 10U;
}

Bytes ConsumerRecords::keep(Bytes bytes) {
  if (blocks_.empty() || blocks_.back().capacity() - blocks_.back().size() < bytes.size()) {
    blocks_.emplace_back().reserve(std::max(kBlockBytes, bytes.size()));
  }
  auto& block = blocks_.back();  // never grows beyond what it reserved: views stay valid
  const std::size_t at = block.size();
  block.insert(block.end(), bytes.begin(), bytes.end());
  return Bytes(block).subspan(at);
}

std::string_view ConsumerRecords::keep_topic(std::string_view topic) {
  if (topics_.empty() || topics_.back() != topic) topics_.emplace_back(topic);
  return topics_.back();
}

void ConsumerRecords::add(std::string_view topic, std::int32_t partition, std::int32_t leader_epoch,
                          const records::RecordView& record) {
  ConsumerRecord out;
  out.topic = keep_topic(topic);
  out.partition = partition;
  out.offset = record.offset.value();
  out.timestamp_ms = record.timestamp_ms;
  out.timestamp_type = record.timestamp_type;
  out.leader_epoch = leader_epoch;
  if (record.key) out.key = keep(*record.key);
  if (record.value) out.value = keep(*record.value);
  if (!record.headers.empty()) {
    auto& kept = headers_.emplace_back();
    for (const auto& header : record.headers) {
      kept.push_back({as_text(keep(as_bytes(header.key))), std::nullopt});
      if (header.value) kept.back().value = keep(*header.value);
    }
    out.headers = kept;
  }
  records_.push_back(out);
}

}  // namespace dohle::client
