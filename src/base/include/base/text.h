// Text: a string that either views somebody else's bytes or owns its own. Decoded messages view the request's buffer;
// messages we build own what they say unless told otherwise. A copy of a view is a view.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

namespace dohle {

class Text {
 public:
  Text() = default;
  Text(std::string text) : owned_(std::move(text)), owns_(true) {}       // NOLINT: implicit by design
  Text(std::string_view text) : owned_(text), owns_(true) {}             // NOLINT: safe by default: copies
  Text(const char* text) : owned_(text), owns_(true) {}                  // NOLINT
  // `text` must outlive this value and its copies.
  [[nodiscard]] static Text view(std::string_view text) {
    Text out;
    out.view_ = text;
    return out;
  }
  [[nodiscard]] std::string_view get() const { return owns_ ? std::string_view(owned_) : view_; }
  operator std::string_view() const { return get(); }  // NOLINT
  [[nodiscard]] std::string str() const { return std::string(get()); }
  [[nodiscard]] bool empty() const { return get().empty(); }
  [[nodiscard]] std::size_t size() const { return get().size(); }
  friend bool operator==(const Text& a, const Text& b) { return a.get() == b.get(); }
  friend bool operator==(const Text& a, std::string_view b) { return a.get() == b; }
  friend auto operator<=>(const Text& a, const Text& b) { return a.get() <=> b.get(); }

 private:
  std::string_view view_;
  std::string owned_;
  bool owns_ = false;
};

}  // namespace dohle
