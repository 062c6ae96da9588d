#include "admission.h"

#include <algorithm>

#include <base/check.h>

namespace dohle::transport {

bool Admission::fits(Lane lane, std::uint64_t bytes) const {
  if (used_bytes() + bytes > budget_ + reserve_) return false;
  if (lane == kLarge) return used_[kLarge] + bytes <= budget_;
  // Beyond their own quarter small frames use what no large one waits for.
  return used_[kSmall] + bytes <= reserve_ || queues_[kLarge].empty();
}

Admission::Ticket Admission::request(std::uint64_t bytes) {
  DOHLE_CHECK(bytes <= budget_);
  const Lane lane = lane_of(bytes);
  if (queues_[lane].empty() && fits(lane, bytes)) {
    used_[lane] += bytes;
    return kAdmitted;
  }
  queues_[lane].push_back({next_, bytes});
  return next_++;
}

void Admission::admit_from(Lane lane, std::vector<Ticket>& admitted) {
  auto& queue = queues_[lane];
  while (!queue.empty() && fits(lane, queue.front().bytes)) {
    used_[lane] += queue.front().bytes;
    admitted.push_back(queue.front().ticket);
    queue.pop_front();
  }
}

std::vector<Admission::Ticket> Admission::admit_waiting() {
  std::vector<Ticket> admitted;
  admit_from(kLarge, admitted);
  admit_from(kSmall, admitted);
  return admitted;
}

std::vector<Admission::Ticket> Admission::release(std::uint64_t bytes) {
  const Lane lane = lane_of(bytes);
  DOHLE_CHECK(bytes <= used_[lane]);
  used_[lane] -= bytes;
  return admit_waiting();
}

std::vector<Admission::Ticket> Admission::cancel(Ticket ticket) {
  for (auto& queue : queues_) {
    std::erase_if(queue, [ticket](const Waiting& waiting) { return waiting.ticket == ticket; });
  }
  return admit_waiting();
}

}  // namespace dohle::transport
