// Whatever the bytes and however they are cut: the same requests, or the same refusal, and never more memory than the
// limits allow.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include <base/check.h>
#include <http/request_parser.h>

namespace {

using dohle::Bytes;
using dohle::http::RequestParser;
using Step = RequestParser::Step;

constexpr dohle::http::RequestLimits kLimits{.head_bytes = 200, .body_bytes = 100};

struct Outcome {
  std::string seen;
  int status = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome read(Bytes bytes, std::size_t piece_bytes) {
  RequestParser parser(kLimits);
  std::string seen;
  while (!bytes.empty()) {
    const Bytes piece = bytes.first(std::min(piece_bytes, bytes.size()));
    bytes = bytes.subspan(piece.size());
    parser.feed(piece);
    for (;;) {
      const Step step = parser.step();
      if (step == Step::kNeedBytes) break;
      if (step == Step::kRefused) {
        DOHLE_CHECK(parser.status() >= 400 && !parser.why().empty());
        return {seen, parser.status()};
      }
      if (step == Step::kContinue) continue;
      const auto request = parser.take_request();
      DOHLE_CHECK(request.body.size() <= kLimits.body_bytes);
      std::size_t head = request.method.size() + request.path.size() + request.query.size();
      for (const auto& [name, value] : request.headers) head += name.size() + value.size();
      DOHLE_CHECK(head <= kLimits.head_bytes);
      seen += request.method + ' ' + request.path + '?' + request.query + '\n' + request.body + '\n';
    }
    DOHLE_CHECK(parser.pending_bytes() <= kLimits.head_bytes + 4);
  }
  return {seen, 0};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece_bytes = 1 + data[0] % 64;
  const Bytes bytes(data + 1, size - 1);
  DOHLE_CHECK(read(bytes, piece_bytes) == read(bytes, 1));
  return 0;
}
