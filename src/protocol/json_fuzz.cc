#include <cstdint>

#include <protocol/json_value.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using dohle::protocol::Json;
  const auto json = Json::parse({reinterpret_cast<const char*>(data), size});
  if (!json) return 0;
  const auto again = Json::parse(json->print());
  if (!again || again->print() != json->print()) __builtin_trap();
  return 0;
}
