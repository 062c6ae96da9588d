// Single values of settings, and the texts that have a grammar of their own. The first byte chooses the table, the next
// two the setting; what is left is the value.
#include <cstddef>
#include <cstdint>
#include <string>

#include <base/bytes.h>
#include <base/check.h>
#include <broker/config/alter.h>
#include <broker/config/listeners.h>
#include <broker/config/quorum.h>
#include <broker/config/value.h>

using namespace dohle;                  // NOLINT: a program of one page
using namespace dohle::broker::config;  // NOLINT

namespace {

// What was understood is printed as something that is understood as the same.
void parse_one(const Setting& setting, std::string_view text) {
  const auto value = parse_value(setting, text);
  if (!value) return;
  const auto printed = to_text(*value);
  const auto again = parse_value(setting, printed);
  DOHLE_CHECK(again && to_text(*again) == printed);
}

void alter(Table table, const Setting& setting, std::string_view text) {
  TextMap values;
  for (const auto operation :
       {AlterOperation::kSet, AlterOperation::kAppend, AlterOperation::kSubtract, AlterOperation::kDelete}) {
    const Alteration one{.name = setting.name, .operation = operation, .value = text};
    static_cast<void>(apply_alterations(table, {&one, 1}, values));
  }
  DOHLE_CHECK(!values.contains(setting.name));
}

void parse_grammars(std::string_view text) {
  const auto items = split_list(text);
  const ProtocolMap known{{"PLAINTEXT", SecurityProtocol::kPlaintext}, {"CONTROLLER", SecurityProtocol::kSsl}};
  if (const auto endpoints = parse_endpoints("listeners", items, known, true)) {
    for (const auto& endpoint : *endpoints) DOHLE_CHECK(endpoint.port >= 0 && endpoint.port <= 65535);
  }
  static_cast<void>(parse_protocol_map("listener.security.protocol.map", text));
  if (const auto voters = parse_voters(items)) {
    for (const auto& [id, address] : *voters) DOHLE_CHECK(address.port >= 0 && address.port <= 65535);
  }
  static_cast<void>(parse_host_ports(items));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view text = as_text({data + 3, size - 3});
  parse_grammars(text);
  const auto table = static_cast<Table>(data[0] % 4);
  const auto all = settings(table);
  const Setting& setting = all[load_be<std::uint16_t>(data + 1) % all.size()];
  parse_one(setting, text);
  alter(table, setting, text);
  return 0;
}
