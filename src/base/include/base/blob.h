// Blob: what Text is for strings, for bytes: a view of somebody else's, or its own.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <base/bytes.h>

namespace dohle {

class Blob {
 public:
  Blob() = default;
  Blob(std::vector<std::uint8_t> bytes) : owned_(std::move(bytes)), owns_(true) {}  // NOLINT: implicit by design
  [[nodiscard]] static Blob copy_of(Bytes bytes) { return Blob(std::vector<std::uint8_t>(bytes.begin(), bytes.end())); }
  // `bytes` must outlive this value and its copies.
  [[nodiscard]] static Blob view(Bytes bytes) {
    Blob out;
    out.view_ = bytes;
    return out;
  }
  [[nodiscard]] Bytes get() const { return owns_ ? Bytes(owned_) : view_; }
  [[nodiscard]] std::size_t size() const { return get().size(); }
  [[nodiscard]] bool empty() const { return get().empty(); }
  friend bool operator==(const Blob& a, const Blob& b) { return std::ranges::equal(a.get(), b.get()); }

 private:
  Bytes view_;
  std::vector<std::uint8_t> owned_;
  bool owns_ = false;
};

}  // namespace dohle
