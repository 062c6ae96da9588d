// A frame as it comes from a socket: request header, then the body of that API at that version. Whatever decodes must
// encode to bytes that decode to the same again.
#include <algorithm>
#include <cstdint>
#include <string>

#include <base/check.h>
#include <base/reader.h>
#include <protocol/api_table.h>
#include <protocol/header.h>
#include <protocol/json.h>

using namespace dohle;            // NOLINT
using namespace dohle::protocol;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader reader({data, size});
  const auto header = RequestHeader::decode(reader);
  if (!header) return 0;
  const ApiInfo* api = find_api(header->api_key);
  DOHLE_CHECK(api != nullptr);
  const MessageForms* message = find_message(std::string(api->name) + "Request");
  DOHLE_CHECK(message != nullptr);
  const auto encoded = message->decode_and_encode(reader, header->api_version);
  if (!encoded) return 0;
  Reader again(encoded->bytes());
  const auto same = message->decode_and_encode(again, header->api_version);
  DOHLE_CHECK(same.has_value() && again.remaining() == 0);
  DOHLE_CHECK(std::ranges::equal(same->bytes(), encoded->bytes()));
  return 0;
}
