#include "reading.h"

#include <fmt/format.h>

#include "client_program.h"

namespace dohle::scenarios {

void note_records(sim::History& history, const std::string& who, const client::ConsumerRecords& records) {
  std::map<TopicPartition, std::string> lists;
  for (const auto& record : records) {
    const std::string_view value = record.value ? as_text(*record.value) : std::string_view("null:");
    std::string& list = lists[{std::string(record.topic), record.partition}];
    list += fmt::format("{}[{},{},{}]", list.empty() ? "" : ",", record.offset,
                        sim::json_text(value.substr(0, value.find(':'))), record.timestamp_ms);
  }
  for (const auto& [partition, list] : lists) {
    history.add(who, "poll", sim::Json().raw("tp", partition_json(partition)).raw("r", "[" + list + "]"));
  }
}

}  // namespace dohle::scenarios
