// RequestParser: bytes in, requests out; no I/O. Strict, as RFC 9112 allows: lines end with CR LF, a header is not
// folded, a body has one length. docs/decisions/005-metrics.md says why it is our own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <base/bytes.h>
#include <http/message.h>

namespace dohle::http {

struct RequestLimits {
  // Request line and headers; and again what chunks have beside the body.
  std::uint32_t head_bytes = 16U << 10U;
  std::uint64_t body_bytes = 1U << 20U;
};

class RequestParser {
 public:
  enum class Step : std::uint8_t {
    kNeedBytes,
    kContinue,  // the peer waits for "100 Continue" before it sends the body; once a request
    kRequest,   // take_request()
    kRefused,   // status() and why() say it; no further request can be found in these bytes
  };

  explicit RequestParser(RequestLimits limits) : limits_(limits) {}

  void feed(Bytes bytes) { input_.append(as_text(bytes)); }
  [[nodiscard]] Step step();
  // After kRequest, once. What was fed beyond it belongs to the next one.
  [[nodiscard]] Request take_request();
  // A request has begun and is not complete.
  [[nodiscard]] bool in_request() const { return at_ != At::kHead || !input_.empty(); }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::string_view why() const { return why_; }
  // Bytes that were fed and not used yet.
  [[nodiscard]] std::size_t pending_bytes() const { return input_.size(); }

 private:
  enum class At : std::uint8_t { kHead, kBody, kChunkSize, kChunk, kChunkEnd, kTrailer, kDone };
  // What the headers say of the rest.
  struct Framing {
    int hosts = 0;
    std::optional<std::uint64_t> length;
    bool chunked = false;
    bool close = false;
    bool keep_alive = false;
    bool expects_continue = false;
  };
  // True: it went on, there may be more to do. False: it needs bytes, or is done or refused.
  [[nodiscard]] bool advance();
  [[nodiscard]] bool read_head();
  [[nodiscard]] bool read_request_line(std::string_view line);
  [[nodiscard]] bool read_field(std::string_view line);
  [[nodiscard]] bool read_framing(std::string_view name, std::string_view value);
  [[nodiscard]] bool begin_body();
  [[nodiscard]] bool read_body(At then);
  [[nodiscard]] bool read_chunk_size();
  [[nodiscard]] bool read_chunk_end();
  [[nodiscard]] bool read_trailer();
  // The next line of those that come after the head, without its end, taken from the input.
  [[nodiscard]] std::optional<std::string> take_line();
  bool refuse(int status, std::string_view why);

  RequestLimits limits_;
  std::string input_;
  std::size_t searched_ = 0;  // of the input: no end of the head begins here
  At at_ = At::kHead;
  Request request_;
  bool old_version_ = false;  // HTTP/1.0
  Framing framing_;
  std::uint64_t left_ = 0;        // of the body, or of the chunk
  std::uint64_t lines_left_ = 0;  // bytes that lines of chunks may still have
  int status_ = 0;
  std::string why_;
};

}  // namespace dohle::http
