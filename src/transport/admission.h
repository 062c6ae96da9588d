// Admission: who may have memory for a frame next. First come, first served; no I/O, no clock.
//
// Bytes are admitted for a whole frame before its body is read, so that frames half read never wait for each other. A
// frame larger than the whole budget is admitted when nothing else is.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace dohle::transport {

class Admission {
 public:
  using Ticket = std::uint64_t;
  static constexpr Ticket kAdmitted = 0;

  explicit Admission(std::uint64_t budget_bytes) : budget_(budget_bytes) {}

  // kAdmitted, or a ticket that release() or cancel() will name when its turn has come.
  [[nodiscard]] Ticket request(std::uint64_t bytes);
  // Gives admitted bytes back. Returns the tickets that are admitted by it.
  [[nodiscard]] std::vector<Ticket> release(std::uint64_t bytes);
  // A waiting ticket is given up. Returns the tickets behind it that are admitted by it.
  [[nodiscard]] std::vector<Ticket> cancel(Ticket ticket);

  [[nodiscard]] std::uint64_t used_bytes() const { return used_; }
  [[nodiscard]] std::size_t waiting() const { return queue_.size(); }

 private:
  struct Waiting {
    Ticket ticket;
    std::uint64_t bytes;
  };
  [[nodiscard]] bool fits(std::uint64_t bytes) const { return used_ == 0 || used_ + bytes <= budget_; }
  [[nodiscard]] std::vector<Ticket> admit_waiting();

  std::uint64_t budget_;
  std::uint64_t used_ = 0;
  Ticket next_ = 1;
  std::deque<Waiting> queue_;
};

}  // namespace dohle::transport
