// Connections: one request in flight per destination, and a pause after a failure.
#pragma once

#include <cstdint>
#include <map>

#include "core/messages.h"

namespace dohle::raft {

class Connections {
 public:
  Connections(TimeMs request_timeout_ms, TimeMs retry_backoff_ms)
      : request_timeout_ms_(request_timeout_ms), retry_backoff_ms_(retry_backoff_ms) {}

  [[nodiscard]] bool ready(NodeId to, TimeMs now) const;
  [[nodiscard]] bool timed_out(NodeId to, TimeMs now) const;
  [[nodiscard]] bool backing_off(NodeId to, TimeMs now) const;
  [[nodiscard]] bool any_in_flight(TimeMs now) const;
  // When `to` may be written to next; `now` when at once.
  [[nodiscard]] TimeMs ready_at(NodeId to, TimeMs now) const;

  // Returns the correlation of the new request.
  std::uint64_t sent(NodeId to, TimeMs now);
  // False when the reply belongs to an older request.
  bool answered(NodeId to, std::uint64_t correlation);
  bool failed(NodeId to, std::uint64_t correlation, TimeMs now);
  void reset(NodeId to) { peers_.erase(to); }
  void reset_all() { peers_.clear(); }

 private:
  struct Peer {
    bool in_flight = false;
    std::uint64_t correlation = 0;
    TimeMs until = 0;  // deadline of the request, or end of the pause
  };
  TimeMs request_timeout_ms_;
  TimeMs retry_backoff_ms_;
  std::uint64_t next_correlation_ = 1;
  std::map<NodeId, Peer> peers_;
};

}  // namespace dohle::raft
