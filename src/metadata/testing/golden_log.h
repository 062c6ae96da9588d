// The metadata log that Apache Kafka 4.4.0 wrote (tests/golden/metadata_log), batch by batch.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <metadata/delta.h>
#include <records/batch.h>
#include <records/reader.h>

namespace dohle::metadata {

struct GoldenBatch {
  Offset base_offset{0};
  Provenance end;
  bool control = false;
  std::vector<EncodedRecord> records;

  [[nodiscard]] std::vector<Bytes> views() const { return {records.begin(), records.end()}; }
};

inline std::vector<GoldenBatch> read_golden(const std::string& name) {
  std::ifstream file("tests/golden/metadata_log/" + name, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_FALSE(content.empty());
  std::vector<GoldenBatch> out;
  Bytes rest = as_bytes(content);
  while (!rest.empty()) {
    const auto batch = records::BatchView::parse(rest);
    EXPECT_TRUE(batch && batch->crc_ok());
    if (!batch) return out;
    GoldenBatch& golden = out.emplace_back();
    golden.base_offset = batch->base_offset();
    golden.end = {batch->last_offset(), batch->leader_epoch(), batch->max_timestamp()};
    golden.control = batch->is_control();
    const auto read = records::for_each(*batch, [&](const auto& record) -> Result<> {
      if (!golden.control) golden.records.emplace_back(record.value->begin(), record.value->end());
      return {};
    });
    EXPECT_TRUE(read.has_value());
    rest = rest.subspan(batch->size_bytes());
  }
  return out;
}

}  // namespace dohle::metadata
