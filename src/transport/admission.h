// Admission: who may have memory for a frame next. Two queues, each first come, first served; no I/O, no clock.
//
// Bytes are admitted for a whole frame before its body is read, so that frames half read never wait for each other.
// Small frames queue apart from large ones, and a quarter of the budget is there beside it for them alone: large frames
// whose senders never go on hold up only large ones. Nothing is ever admitted beyond that.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <vector>

namespace dohle::transport {

class Admission {
 public:
  using Ticket = std::uint64_t;
  static constexpr Ticket kAdmitted = 0;

  explicit Admission(std::uint64_t budget_bytes)
      : budget_(budget_bytes),
        reserve_(budget_bytes / 4),
        small_(std::min<std::uint64_t>(budget_bytes / 8, 2U << 20U)) {}

  // The largest frame that is ever admitted.
  [[nodiscard]] std::uint64_t largest_frame() const { return budget_; }
  // kAdmitted, or a ticket that release() or cancel() will name when its turn has come. At most largest_frame().
  [[nodiscard]] Ticket request(std::uint64_t bytes);
  // Gives admitted bytes, all of a frame's, back. Returns the tickets that are admitted by it.
  [[nodiscard]] std::vector<Ticket> release(std::uint64_t bytes);
  // A waiting ticket is given up. Returns the tickets behind it that are admitted by it.
  [[nodiscard]] std::vector<Ticket> cancel(Ticket ticket);

  [[nodiscard]] std::uint64_t used_bytes() const { return used_[kSmall] + used_[kLarge]; }
  [[nodiscard]] std::size_t waiting() const { return queues_[kSmall].size() + queues_[kLarge].size(); }

 private:
  enum Lane : std::uint8_t { kSmall, kLarge };
  struct Waiting {
    Ticket ticket;
    std::uint64_t bytes;
  };
  [[nodiscard]] Lane lane_of(std::uint64_t bytes) const { return bytes <= small_ ? kSmall : kLarge; }
  [[nodiscard]] bool fits(Lane lane, std::uint64_t bytes) const;
  void admit_from(Lane lane, std::vector<Ticket>& admitted);
  [[nodiscard]] std::vector<Ticket> admit_waiting();

  std::uint64_t budget_;
  std::uint64_t reserve_;
  std::uint64_t small_;  // frames up to this size are small ones
  Ticket next_ = 1;
  std::array<std::uint64_t, 2> used_{};
  std::array<std::deque<Waiting>, 2> queues_;
};

}  // namespace dohle::transport
