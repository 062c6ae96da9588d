#include "batches.h"

#include <array>
#include <chrono>
#include <cstring>
#include <random>

#include <fmt/format.h>
#include <protocol/messages/produce_request.h>
#include <records/batch.h>
#include <records/builder.h>

namespace dohle::load {
namespace {

// Correlation id, no tags, one topic, the length of its name.
constexpr std::size_t kBeforeTopic = 4 + 1 + 1 + 1;
// The tags of the partition, of the topic and of the request.
constexpr std::size_t kAfterBatch = 3;
constexpr std::size_t kShortNameBytes = 100;  // whose length is one byte

std::string line_of_json(std::mt19937& random, std::size_t bytes) {
  static constexpr std::array kPaths = {"/api/v1/orders", "/api/v1/users", "/login", "/search", "/cart/items"};
  static constexpr std::array kAgents = {"Mozilla/5.0 (X11; Linux x86_64)", "curl/7.88.1", "okhttp/4.12.0"};
  std::string line = "{";
  while (line.size() < bytes) {
    line += fmt::format(
        R"("time":"2026-11-25T{:02}:{:02}:{:02}.{:03}Z","user_id":{},"path":"{}/{}","agent":"{}","status":{},"took_ms":{},)",
        random() % 24, random() % 60, random() % 60, random() % 1000, random() % 1000000,
        kPaths[random() % kPaths.size()], random() % 100000, kAgents[random() % kAgents.size()],
        random() % 8 == 0 ? 404 : 200, random() % 900);
  }
  line.resize(bytes);
  line.back() = '}';
  return line;
}

std::string noise(std::mt19937& random, std::size_t bytes) {
  std::string value(bytes, '\0');
  for (char& c : value) c = static_cast<char>(random());
  return value;
}

}  // namespace

Batch make_batch(int records, int record_bytes, records::CompressionType codec, bool json, std::uint32_t seed) {
  std::mt19937 random(seed);
  records::BuilderOptions options;
  options.compression.type = codec;
  records::BatchBuilder builder(options);
  // What is older than a week would be deleted before it is read.
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  const auto timestamp_ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
  for (int i = 0; i < records; ++i) {
    const auto size = static_cast<std::size_t>(record_bytes);
    builder.append(timestamp_ms, std::nullopt, as_bytes(json ? line_of_json(random, size) : noise(random, size)));
  }
  Batch batch{.records = records, .uncompressed_bytes = builder.uncompressed_bytes()};
  const auto built = builder.build();
  batch.bytes.assign(built.bytes().begin(), built.bytes().end());
  return batch;
}

ProduceFrame::ProduceFrame(const std::string& topic, const Batch& batch) : batch_bytes_(batch.bytes.size()) {
  if (topic.size() > kShortNameBytes) give_up("the topic's name is too long");
  protocol::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 30'000;
  auto& row = request.topic_data.emplace_back();
  row.name = Text(topic);
  auto& data = row.partition_data.emplace_back();
  data.records = protocol::Records::view(batch.bytes);
  frame_ = make_frame(request, kProduceVersion);
  batch_at_ = frame_.size() - kAfterBatch - batch_bytes_;
  std::uint8_t length[kMaxVarlongBytes];
  partition_at_ = batch_at_ - static_cast<std::size_t>(put_uvarint(length, batch_bytes_ + 1)) - sizeof(std::int32_t);
  if (std::memcmp(frame_.data() + batch_at_, batch.bytes.data(), batch_bytes_) != 0) give_up("the batch is elsewhere");
}

void ProduceFrame::set_sequence(std::int64_t producer_id, std::int16_t epoch, std::int32_t base_sequence) {
  records::set_producer_state(MutableBytes(frame_).subspan(batch_at_, batch_bytes_), ProducerId(producer_id), epoch,
                              base_sequence);
}

ProduceAnswer::ProduceAnswer(Bytes answer, std::size_t topic_bytes)
    : at_(answer.data() + kBeforeTopic + topic_bytes + 1) {
  if (answer.size() < kBeforeTopic + topic_bytes + 1 + 14) give_up("an answer that is too short");
}

}  // namespace dohle::load
