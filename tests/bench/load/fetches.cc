#include "fetches.h"

#include <records/batch.h>

namespace dohle::load {

PartitionReader::PartitionReader(const std::string& topic, std::int32_t partition, std::int32_t max_bytes,
                                 std::int64_t from)
    : offset_(from) {
  request_.max_wait_ms = 500;
  request_.min_bytes = 1;
  request_.max_bytes = max_bytes;
  auto& row = request_.topics.emplace_back();
  row.topic = Text(topic);
  auto& target = row.partitions.emplace_back();
  target.partition = partition;
  target.partition_max_bytes = max_bytes;
}

const Frame& PartitionReader::next_request() {
  request_.topics[0].partitions[0].fetch_offset = offset_;
  frame_ = make_frame(request_, kFetchVersion);
  return frame_;
}

PartitionReader::Read PartitionReader::take(Bytes answer) {
  const auto response = parse_answer<protocol::FetchResponse>(answer, kFetchVersion);
  check_error(response.error_code, "fetch");
  const auto& row = response.responses.at(0).partitions.at(0);
  check_error(row.error_code, "fetch");
  const Bytes records = row.records ? row.records->bytes() : Bytes();
  const auto from = offset_;
  for (Bytes rest = records; rest.size() >= records::kBatchHeaderBytes;) {
    const auto batch = records::BatchView::parse(rest);
    if (!batch) break;  // cut short
    const auto next = batch->next_offset().value();
    // The first one may hold records before the offset that was asked for.
    if (offset_ == from ? next <= from : batch->base_offset().value() != offset_) give_up("batches with a gap");
    offset_ = next;
    rest = rest.subspan(batch->size_bytes());
  }
  return {.bytes = records.size(), .records = offset_ - from, .at_end = offset_ >= row.high_watermark};
}

}  // namespace dohle::load
