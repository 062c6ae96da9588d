// AnswerOrder: answers leave a connection in the order of its requests, whatever order they are made in. No I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include <base/check.h>
#include <runtime/fragment.h>

namespace dohle::transport {

class AnswerOrder {
 public:
  // A request has begun; its number.
  std::uint64_t begin() {
    slots_.emplace_back();
    return first_ + slots_.size() - 1;
  }
  // The answer to a request, once each; empty for a request without answer.
  void complete(std::uint64_t number, runtime::Fragments answer) {
    DOHLE_CHECK(number >= first_ && number < first_ + slots_.size());
    auto& slot = slots_[number - first_];
    DOHLE_CHECK(!slot);
    slot = std::move(answer);
  }
  // The oldest answer, when it is there.
  [[nodiscard]] std::optional<runtime::Fragments> pop() {
    if (slots_.empty() || !slots_.front()) return std::nullopt;
    auto answer = std::move(slots_.front());
    slots_.pop_front();
    ++first_;
    return answer;
  }
  // Whether pop() would return something.
  [[nodiscard]] bool ready() const { return !slots_.empty() && slots_.front().has_value(); }
  // Requests begun whose answer was not popped.
  [[nodiscard]] std::size_t open() const { return slots_.size(); }

 private:
  std::uint64_t first_ = 1;
  std::deque<std::optional<runtime::Fragments>> slots_;
};

}  // namespace dohle::transport
