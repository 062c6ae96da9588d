#include <cstddef>
#include <cstdint>

#include <broker/config/properties.h>
#include <broker/config/server_config.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dohle::broker::config;
  auto map = parse_properties({reinterpret_cast<const char*>(data), size});
  if (!map) return 0;
  if (auto config = ServerConfig::from(std::move(*map))) {
    (void)config->warnings();
    (void)config->changed_settings();
    (void)check_served(*config);
  }
  return 0;
}
