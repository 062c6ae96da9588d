// kafka-delete-records: deletes what lies before given offsets.
#include <fmt/core.h>
#include <protocol/json_value.h>

#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Admin;
using protocol::Json;
using runtime::Task;

namespace {

using Before = std::map<TopicPartition, std::int64_t>;

OptionParser parser() {
  return {
      "This tool helps to delete records of the given partitions down to the specified offset.",
      {{"bootstrap-server", Takes::kText, "server(s) to use for bootstrapping", "REQUIRED: The server to connect to."},
       {"offset-json-file", Takes::kText, "Offset json file path",
        "REQUIRED: {\"partitions\": [{\"topic\": \"foo\", \"partition\": 1, \"offset\": 1}], \"version\": 1}; the "
        "offset -1 stands for all that is committed."},
       {"command-config", Takes::kText, "command config property file path", "Properties file for the admin client."}}};
}

std::string name_of(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition);
}

Checked<Before> parse_offsets(const std::string& text) {
  const auto json = Json::parse(text);
  if (!json || json->as_object() == nullptr) return complain("The input string is not a valid JSON");
  if (const Json* version = json->find("version"); version != nullptr) {
    if (version->as_int() == nullptr || *version->as_int() != 1) {
      return complain("Not supported version field value " + version->print());
    }
  }
  const Json* partitions = json->find("partitions");
  if (partitions == nullptr || partitions->as_array() == nullptr) return complain("Missing partitions field");
  Before out;
  std::vector<std::string> duplicates;
  for (const Json& one : *partitions->as_array()) {
    const Json* topic = one.find("topic");
    const Json* partition = one.find("partition");
    const Json* offset = one.find("offset");
    if (topic == nullptr || topic->as_string() == nullptr || partition == nullptr || partition->as_int() == nullptr ||
        offset == nullptr || offset->as_int() == nullptr) {
      return complain("Each partition needs a topic, a partition and an offset: " + one.print());
    }
    const TopicPartition key{*topic->as_string(), static_cast<std::int32_t>(*partition->as_int())};
    if (!out.emplace(key, *offset->as_int()).second) duplicates.push_back(name_of(key));
  }
  if (duplicates.empty()) return out;
  return complain("Offset json file contains duplicate topic partitions: " + join(duplicates, ","));
}

Task<int> remove(Admin& admin, Before before) {
  fmt::print("Executing records delete operation\n");
  const auto marks = co_await admin.delete_records(std::move(before));
  fmt::print("Records delete operation completed:\n");
  for (const auto& [partition, low_watermark] : marks) {
    if (low_watermark) {
      fmt::print("partition: {}\tlow_watermark: {}\n", name_of(partition), *low_watermark);
    } else {
      fmt::print("partition: {}\terror: {}\n", name_of(partition), exception_text(low_watermark.error()));
    }
  }
  co_return 0;
}

Checked<int> run(const ParsedOptions& options) {
  if (auto checked = require(options, {"bootstrap-server", "offset-json-file"}); !checked) {
    return std::unexpected(checked.error());
  }
  const std::string path = options.text("offset-json-file", "");
  const auto text = load_text(path);
  if (!text) return complain("Unable to read file " + path);
  const auto before = parse_offsets(*text);
  if (!before) return std::unexpected(before.error());
  const auto properties = admin_properties(options);
  if (!properties) return std::unexpected(properties.error());
  return with_admin(*properties, [&](Admin& admin) { return remove(admin, *before); });
}

}  // namespace

int run_delete_records(const Arguments& arguments) { return run_tool(parser(), arguments, run); }

}  // namespace dohle::app
