// A request as it lies on the wire.
#pragma once

#include <vector>

#include <base/buffer.h>
#include <protocol/header.h>
#include <protocol/writer.h>

namespace dohle::broker {

template <typename M>
Slice frame_of(const M& message, std::int16_t version) {
  protocol::Writer writer;
  protocol::RequestHeader header;
  header.api_key = M::kApiKey;
  header.api_version = version;
  header.correlation_id = 1;
  header.client_id = Text("frames");
  header.encode(writer);
  message.encode(writer, version);
  std::vector<std::uint8_t> out;
  for (const auto& fragment : writer.finish_frame()) {
    const Bytes bytes = std::get<Slice>(fragment).bytes();
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return Slice::copy_of(out);
}

}  // namespace dohle::broker
