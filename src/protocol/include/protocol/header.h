// The headers before every request and response. Which of their versions is used follows from the API key and version:
// the flexible one where the body is flexible, except that an ApiVersions response always has version 0, since a client
// must be able to read it before it knows what the broker speaks.
#pragma once

#include <cstdint>
#include <optional>

#include <base/reader.h>
#include <base/result.h>
#include <base/text.h>
#include <protocol/message.h>
#include <protocol/writer.h>

namespace dohle::protocol {

// 2 for flexible requests, else 1. For a key or version that is unknown, what its first bytes can be read with: 1.
[[nodiscard]] std::int16_t request_header_version(std::int16_t api_key, std::int16_t api_version);
// 1 for flexible responses, else 0; always 0 for ApiVersions.
[[nodiscard]] std::int16_t response_header_version(std::int16_t api_key, std::int16_t api_version);

struct RequestHeader {
  std::int16_t api_key = 0;
  std::int16_t api_version = 0;
  std::int32_t correlation_id = 0;
  std::optional<Text> client_id;  // a view of the frame when decoded
  UnknownTags unknown_tags;

  // Reads from the start of a frame and leaves the reader at the body. Fails with kUnsupported for an API key that does
  // not exist and for a version outside its range, ApiVersions excepted: its header is read with any version, so that
  // the answer can say what is supported.
  [[nodiscard]] static Result<RequestHeader> decode(Reader& reader);
  void encode(Writer& writer) const;
};

struct ResponseHeader {
  std::int32_t correlation_id = 0;
  UnknownTags unknown_tags;

  [[nodiscard]] static Result<ResponseHeader> decode(Reader& reader, std::int16_t api_key, std::int16_t api_version);
  void encode(Writer& writer, std::int16_t api_key, std::int16_t api_version) const;
};

}  // namespace dohle::protocol
