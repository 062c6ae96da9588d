// kafka-broker-api-versions: which versions of which requests each broker takes.
#include <algorithm>
#include <map>

#include <fmt/core.h>
#include <protocol/api_table.h>
#include <protocol/messages/api_versions_request.h>
#include <protocol/messages/api_versions_response.h>

#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Admin;
using runtime::Task;

namespace {

OptionParser parser() {
  return {
      "This tool helps to retrieve broker version information.",
      {{"bootstrap-server", Takes::kText, "server(s) to use for bootstrapping", "REQUIRED: The server to connect to."},
       {"command-config", Takes::kText, "command config property file", "Properties file for the admin client."}}};
}

std::string describe(const protocol::ApiVersionsResponse::ApiVersion& api) {
  const protocol::ApiInfo* known = protocol::find_api(api.api_key);
  std::string out = fmt::format("{}({}): {}", known == nullptr ? "UNKNOWN" : known->name, api.api_key, api.min_version);
  if (api.min_version != api.max_version) out += fmt::format(" to {}", api.max_version);
  if (known == nullptr) return out;
  if (known->max_unstable_version < api.min_version) return out + " [unusable: node too new]";
  if (api.max_version < known->min_version) return out + " [unusable: node too old]";
  return out + fmt::format(" [usable: {}]", std::min(known->max_unstable_version, api.max_version));
}

std::string describe(const protocol::ApiVersionsResponse& response) {
  std::map<std::int16_t, std::string> lines;
  for (const auto& api : response.api_keys) lines[api.api_key] = describe(api);
  for (const auto& api : protocol::api_table()) {
    if (api.on_broker) lines.try_emplace(api.key, fmt::format("{}({}): UNSUPPORTED", api.name, api.key));
  }
  std::vector<std::string> texts;
  for (const auto& [key, line] : lines) texts.push_back(line);
  return "(\n\t" + join(texts, ",\n\t") + "\n)";
}

Task<int> show(Admin& admin) {
  const auto brokers = co_await admin.brokers();
  if (!brokers) {
    fmt::print(stderr, "{}\n", brokers.error().message);
    co_return 1;
  }
  for (const std::int32_t id : *brokers) {
    const client::NodeInfo node = admin.cluster().metadata().nodes.at(id);
    const std::string title = fmt::format("{}:{} (id: {} rack: {} isFenced: false)", node.endpoint.host,
                                          node.endpoint.port, id, node.rack.value_or("null"));
    protocol::ApiVersionsRequest request;
    request.client_software_name = Text("dohle");
    request.client_software_version = Text("4.4.0");
    const auto answer = co_await admin.call_node(id, std::move(request));
    if (answer && answer->body.error_code == 0) {
      fmt::print("{} -> {}\n", title, describe(answer->body));
    } else {
      const auto error = answer ? item_error(answer->body.error_code, std::nullopt) : answer.error();
      fmt::print("{} -> ERROR: {}\n", title, error.message);
    }
  }
  co_return 0;
}

}  // namespace

int run_broker_api_versions(const Arguments& arguments) {
  return run_tool(parser(), arguments, [](const ParsedOptions& options) -> Checked<int> {
    if (auto checked = require(options, {"bootstrap-server"}); !checked) return std::unexpected(checked.error());
    auto properties = admin_properties(options);
    if (!properties) return std::unexpected(properties.error());
    properties->try_emplace("request.timeout.ms", "5000");
    return with_admin(*properties, [](Admin& admin) { return show(admin); });
  });
}

}  // namespace dohle::app
