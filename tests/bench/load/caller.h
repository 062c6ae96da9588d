// Requests as frames; and one call after the other over a blocking socket, for what is prepared before a load.
#pragma once

#include <string>
#include <vector>

#include <base/buffer.h>
#include <protocol/header.h>
#include <protocol/writer.h>

#include "options.h"

namespace dohle::load {

using Frame = std::vector<std::uint8_t>;

// Where the correlation id lies in a frame.
inline constexpr std::size_t kCorrelationAt = 8;
inline void set_correlation_id(Frame& frame, std::int32_t id) { store_be(frame.data() + kCorrelationAt, id); }
[[nodiscard]] inline std::int32_t correlation_id(Bytes answer) { return load_be<std::int32_t>(answer.data()); }

[[nodiscard]] Frame frame_of(protocol::Writer& writer);

template <typename Request>
[[nodiscard]] Frame make_frame(const Request& request, std::int16_t version, std::int32_t correlation = 0) {
  protocol::Writer writer;
  protocol::RequestHeader header;
  header.api_key = Request::kApiKey;
  header.api_version = version;
  header.correlation_id = correlation;
  header.client_id = Text("load");
  header.encode(writer);
  request.encode(writer, version);
  return frame_of(writer);
}

// The body of an answer (without its length) that must be well-formed; it may hold views of `answer`.
template <typename Response>
[[nodiscard]] Response parse_answer(Bytes answer, std::int16_t version) {
  Reader reader(answer);
  const auto header = protocol::ResponseHeader::decode(reader, Response::kApiKey, version);
  if (!header) give_up(header.error().message);
  auto response = Response::decode(reader, version);
  if (!response) give_up(response.error().message);
  return std::move(*response);
}

class Caller {
 public:
  explicit Caller(const Endpoint& broker);
  // Over a socket that is connected already.
  explicit Caller(int fd) : fd_(fd) {}
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller();

  // Views in the answer last until the next call.
  template <typename Request>
  [[nodiscard]] typename Request::Response call(const Request& request, std::int16_t version) {
    exchange(make_frame(request, version));
    return parse_answer<typename Request::Response>(answer_, version);
  }

 private:
  void exchange(const Frame& frame);
  int fd_;
  Frame answer_;
};

// Throws no errors away: gives up unless `code` is NONE.
void check_error(std::int16_t code, const std::string& what);

}  // namespace dohle::load
