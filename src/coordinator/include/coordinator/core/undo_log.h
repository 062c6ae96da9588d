// UndoLog: how to take back changes of state whose records could not be written, newest first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

namespace dohle::coordinator {

class UndoLog {
 public:
  using Undo = std::move_only_function<void()>;
  // A point between two changes; marks grow.
  using Mark = std::uint64_t;

  void push(Undo undo) {
    if (recording_) undos_.push_back(std::move(undo));
  }
  [[nodiscard]] Mark mark() const { return dropped_ + undos_.size(); }
  // Takes back every change made after `mark`.
  void revert_to(Mark mark) {
    while (this->mark() > mark && !undos_.empty()) {
      auto undo = std::move(undos_.back());
      undos_.pop_back();
      undo();
    }
  }
  // Changes before `mark` stand for good.
  void forget_before(Mark mark) {
    while (dropped_ < mark && !undos_.empty()) {
      undos_.pop_front();
      ++dropped_;
    }
  }
  // While loading there is nothing to go back to.
  void set_recording(bool recording) { recording_ = recording; }
  [[nodiscard]] std::size_t size() const { return undos_.size(); }

 private:
  std::deque<Undo> undos_;
  Mark dropped_ = 0;
  bool recording_ = true;
};

}  // namespace dohle::coordinator
