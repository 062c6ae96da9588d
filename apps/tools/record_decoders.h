// What kafka-dump-log makes of the keys and values in a log: text, numbers, or the records of Kafka's internal topics.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <base/bytes.h>
#include <records/record.h>

#include "tool.h"

namespace dohle::app {

struct DecodedRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
};
// A complaint ends the dump.
using RecordDecoder = std::function<Checked<DecodedRecord>(const records::RecordView&)>;

// By the names of Kafka's decoder classes, org.apache.kafka.tools.api.{String,Integer,Long,Default}Decoder. What the
// last one gives is an object's address in Kafka's output and base64 here.
[[nodiscard]] Checked<RecordDecoder> decoder_of_classes(std::string_view key_class, std::string_view value_class);
// For __consumer_offsets, __transaction_state, __share_group_state: JSON, or a remark about what cannot be read.
[[nodiscard]] RecordDecoder offsets_decoder();
[[nodiscard]] RecordDecoder transaction_log_decoder();
[[nodiscard]] RecordDecoder share_group_state_decoder();
// For __cluster_metadata and its snapshots.
[[nodiscard]] RecordDecoder cluster_metadata_decoder();
// For __remote_log_metadata.
[[nodiscard]] RecordDecoder remote_log_metadata_decoder();

// " LeaderChange: {...}" and its kin: what a control record says.
[[nodiscard]] std::string control_text(const records::RecordView& record);
// Bytes as Java reads them as UTF-8: U+FFFD stands for what is none.
[[nodiscard]] std::string java_text(Bytes bytes);

}  // namespace dohle::app
