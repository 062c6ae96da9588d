#include "admission.h"

#include <algorithm>

#include <base/check.h>

namespace dohle::transport {

Admission::Ticket Admission::request(std::uint64_t bytes) {
  if (queue_.empty() && fits(bytes)) {
    used_ += bytes;
    return kAdmitted;
  }
  queue_.push_back({next_, bytes});
  return next_++;
}

std::vector<Admission::Ticket> Admission::admit_waiting() {
  std::vector<Ticket> admitted;
  while (!queue_.empty() && fits(queue_.front().bytes)) {
    used_ += queue_.front().bytes;
    admitted.push_back(queue_.front().ticket);
    queue_.pop_front();
  }
  return admitted;
}

std::vector<Admission::Ticket> Admission::release(std::uint64_t bytes) {
  DOHLE_CHECK(bytes <= used_);
  used_ -= bytes;
  return admit_waiting();
}

std::vector<Admission::Ticket> Admission::cancel(Ticket ticket) {
  std::erase_if(queue_, [ticket](const Waiting& waiting) { return waiting.ticket == ticket; });
  return admit_waiting();
}

}  // namespace dohle::transport
