// kafka-delete-records: deletes what lies before given offsets.
#include <fmt/core.h>

#include "offset_json.h"
#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Admin;
using runtime::Task;

namespace {

OptionParser parser() {
  return {
      "This tool helps to delete records of the given partitions down to the specified offset.",
      {{"bootstrap-server", Takes::kText, "server(s) to use for bootstrapping", "REQUIRED: The server to connect to."},
       {"offset-json-file", Takes::kText, "Offset json file path",
        "REQUIRED: {\"partitions\": [{\"topic\": \"foo\", \"partition\": 1, \"offset\": 1}], \"version\": 1}; the "
        "offset -1 stands for all that is committed."},
       {"command-config", Takes::kText, "command config property file path", "Properties file for the admin client."}}};
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
  const auto before = parse_offset_json(*text);
  if (!before) return std::unexpected(before.error());
  const auto properties = admin_properties(options);
  if (!properties) return std::unexpected(properties.error());
  return with_admin(*properties, [&](Admin& admin) { return remove(admin, *before); });
}

}  // namespace

int run_delete_records(const Arguments& arguments) { return run_tool(parser(), arguments, run); }

}  // namespace dohle::app
