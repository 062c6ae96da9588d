// Any message at any version: the first byte pair chooses, the rest is decoded, shown as JSON, and made of JSON again.
#include <algorithm>
#include <cstdint>

#include <base/check.h>
#include <base/reader.h>
#include <protocol/json.h>

using namespace dohle;            // NOLINT
using namespace dohle::protocol;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto all = all_messages();
  const MessageForms& message = *all[(data[0] | data[1] << 8) % static_cast<int>(all.size())];
  const int versions = message.max_version - message.min_version + 1;
  const auto version = static_cast<std::int16_t>(message.min_version + data[2] % versions);
  const Bytes body{data + 3, size - 3};
  Reader reader(body);
  const auto json = message.json_of(reader, version);
  if (!json) return 0;
  DOHLE_CHECK(message.bytes_of(*json, version).has_value());
  Reader again(body);
  const auto encoded = message.decode_and_encode(again, version);
  DOHLE_CHECK(encoded.has_value());
  Reader third(encoded->bytes());
  const auto same = message.decode_and_encode(third, version);
  DOHLE_CHECK(same.has_value() && std::ranges::equal(same->bytes(), encoded->bytes()));
  return 0;
}
