// Records: the record batches inside a message. Decoding gives a view of the request's buffer; to encode, hand over a
// view (its bytes are copied into the answer) or fragments (they are inserted untouched, file ranges go to sendfile).
#pragma once

#include <cstdint>
#include <utility>
#include <variant>

#include <base/bytes.h>
#include <runtime/fragment.h>

namespace dohle::protocol {

class Records {
 public:
  Records() = default;
  Records(runtime::Fragments fragments) : content_(std::move(fragments)) {}  // NOLINT: implicit by design
  // `bytes` must outlive this value and its copies.
  [[nodiscard]] static Records view(Bytes bytes) {
    Records out;
    out.content_ = bytes;
    return out;
  }
  [[nodiscard]] bool is_view() const { return std::holds_alternative<Bytes>(content_); }
  // Only of a view.
  [[nodiscard]] Bytes bytes() const { return std::get<Bytes>(content_); }
  // Only of fragments.
  [[nodiscard]] const runtime::Fragments& fragments() const { return std::get<runtime::Fragments>(content_); }
  [[nodiscard]] std::uint64_t size() const { return is_view() ? bytes().size() : runtime::size_of(fragments()); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  // Views are equal when their bytes are; fragments, whose bytes may lie in files, only to themselves.
  friend bool operator==(const Records& a, const Records& b);

 private:
  std::variant<Bytes, runtime::Fragments> content_;
};

}  // namespace dohle::protocol
