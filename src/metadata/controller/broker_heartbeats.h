// BrokerHeartbeats: the controller's soft state about brokers: when each was last heard of, how far its metadata is,
// whether it is on its way out. Not in the log; a new controller starts afresh. Sans-I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include <base/ids.h>
#include <metadata/image.h>
#include <runtime/clock.h>

namespace dohle::metadata {

struct BrokerIdAndEpoch {
  std::int32_t id = -1;
  std::int64_t epoch = -1;
  friend auto operator<=>(const BrokerIdAndEpoch&, const BrokerIdAndEpoch&) = default;
};

enum class BrokerControlState : std::uint8_t { kFenced, kUnfenced, kControlledShutdown, kShutdownNow };
[[nodiscard]] constexpr bool is_fenced(BrokerControlState state) {
  return state == BrokerControlState::kFenced || state == BrokerControlState::kShutdownNow;
}

// What a heartbeat asks for.
struct HeartbeatWish {
  bool want_fence = false;
  bool want_shut_down = false;
  std::int64_t metadata_offset = -1;
};

class BrokerHeartbeats {
 public:
  explicit BrokerHeartbeats(runtime::Duration session_timeout) : session_timeout_(session_timeout) {}

  // A new leader: all unfenced brokers of the image have been seen just now, except the broker of this very process:
  // while it lives it goes on sending heartbeats, and after a restart (which holds the directories' locks, so the former
  // incarnation is dead) nobody must wait for that one's session to run out.
  void reset(const ClusterImage& cluster, runtime::MonotonicTime now, std::int32_t own_id);

  // A sign of life. Sessions are counted by broker epoch.
  void contact(BrokerIdAndEpoch broker, runtime::MonotonicTime now) { contacts_[broker] = now; }
  [[nodiscard]] bool has_valid_session(BrokerIdAndEpoch broker, runtime::MonotonicTime now) const;
  // Takes one broker whose session has run out from the list.
  [[nodiscard]] std::optional<BrokerIdAndEpoch> take_expired(runtime::MonotonicTime now);

  void register_broker(std::int32_t id, bool fenced);
  void remove(std::int32_t id) { brokers_.erase(id); }
  void fence(std::int32_t id);
  [[nodiscard]] bool knows(std::int32_t id) const { return brokers_.contains(id); }
  // The outcome of a heartbeat.
  void touch(std::int32_t id, bool fenced, std::int64_t metadata_offset);
  // The offset that all active brokers must have reached before `id` may go.
  void set_controlled_shutdown_offset(std::int32_t id, std::int64_t offset);
  [[nodiscard]] bool is_shutting_down(std::int32_t id) const;

  struct Transition {
    BrokerControlState current;
    BrokerControlState next;
  };
  // What a known broker's wish leads to. `has_leaderships` is asked only when it matters.
  [[nodiscard]] Transition next_state(std::int32_t id, const HeartbeatWish& wish, std::int64_t registration_offset,
                                      const std::function<bool()>& has_leaderships) const;

 private:
  struct State {
    bool fenced = true;
    std::int64_t metadata_offset = -1;
    std::int64_t controlled_shutdown_offset = -1;
    [[nodiscard]] bool shutting_down() const { return controlled_shutdown_offset >= 0; }
  };
  [[nodiscard]] bool expired(runtime::MonotonicTime last, runtime::MonotonicTime now) const {
    return now - last > session_timeout_;
  }
  [[nodiscard]] std::int64_t lowest_active_offset() const;

  runtime::Duration session_timeout_;
  std::map<BrokerIdAndEpoch, runtime::MonotonicTime> contacts_;
  std::map<std::int32_t, State> brokers_;
};

}  // namespace dohle::metadata
