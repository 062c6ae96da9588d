// History: what happened in a simulation, as JSON lines. The checkers read nothing else.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <runtime/clock.h>

namespace dohle::sim {

// A JSON value under construction. Numbers, texts and what was built before go in; nothing is escaped twice.
class Json {
 public:
  Json& field(std::string_view name, std::string_view text);
  Json& field(std::string_view name, const char* text) { return field(name, std::string_view(text)); }
  Json& field(std::string_view name, std::int64_t number);
  Json& raw(std::string_view name, std::string_view json);
  [[nodiscard]] std::string object() const { return "{" + text_ + "}"; }
  [[nodiscard]] const std::string& fields() const { return text_; }

 private:
  void name(std::string_view name);
  std::string text_;
};

[[nodiscard]] std::string json_text(std::string_view text);

class History {
 public:
  explicit History(const runtime::Clock& clock) : clock_(&clock), start_(clock.now()) {}
  // An event of `who`. Times are microseconds since the start.
  void add(std::string_view who, std::string_view event, const Json& fields = {});
  [[nodiscard]] std::int64_t now_us() const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  const runtime::Clock* clock_;
  runtime::MonotonicTime start_;
  std::string text_;
};

}  // namespace dohle::sim
