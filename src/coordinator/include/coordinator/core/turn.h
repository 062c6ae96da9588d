// A turn is one decision of a coordinator: it reads state, and yields records, timers and follow-ups. No I/O happens in
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <base/bytes.h>
#include <coordinator/core/undo_log.h>
#include <protocol/error_code.h>

namespace dohle::coordinator {

class Turn;

// A record to append: encoded key, and encoded value or none for a tombstone.
struct CoordinatorRecord {
  std::vector<std::uint8_t> key;
  std::optional<std::vector<std::uint8_t>> value;
};

// Called once the records of a turn are committed (kNone), or have failed; a turn of its own.
// (std::move_only_function wants to know the size of Turn.)
using Outcome = std::function<void(Turn&, protocol::ErrorCode)>;
// Called when a timer fires; a turn of its own.
using TimerAction = std::function<void(Turn&)>;

// Timers by key. Scheduling a key again replaces its timer; a fired or cancelled key is gone.
class Timers {
 public:
  virtual ~Timers() = default;
  virtual void schedule(const std::string& key, std::int64_t delay_ms, TimerAction action) = 0;
  virtual void cancel(const std::string& key) = 0;
};

class Turn {
 public:
  Turn(std::int64_t wall_ms, std::int64_t settled_wall_ms, Timers& timers, UndoLog& undo)
      : wall_ms_(wall_ms), settled_wall_ms_(settled_wall_ms), timers_(&timers), undo_(&undo), undo_mark_(undo.mark()) {}

  // Milliseconds since 1970, for what is written down; the same during the whole turn.
  [[nodiscard]] std::int64_t wall_ms() const { return wall_ms_; }
  // The same without a jump that the clock has just made, also while the node was down: what may be expired is decided
  // by this one.
  [[nodiscard]] std::int64_t settled_wall_ms() const { return settled_wall_ms_; }
  [[nodiscard]] Timers& timers() const { return *timers_; }
  // For changes that stand or fall with this turn's records but are not made by replaying them.
  [[nodiscard]] UndoLog& undo() const { return *undo_; }
  // Where the changes of this turn begin.
  [[nodiscard]] UndoLog::Mark undo_mark() const { return undo_mark_; }

  void add(CoordinatorRecord record) { records_.push_back(std::move(record)); }
  // At most one per turn.
  void on_outcome(Outcome outcome) { outcome_ = std::move(outcome); }
  // The state already shows what the records say (soft state that was changed in place): do not replay them now.
  void already_applied() { replay_ = false; }
  // The records may be spread over several batches.
  void may_split() { atomic_ = false; }

  [[nodiscard]] const std::vector<CoordinatorRecord>& records() const { return records_; }
  [[nodiscard]] bool replays() const { return replay_; }
  [[nodiscard]] bool atomic() const { return atomic_; }
  [[nodiscard]] bool has_outcome() const { return static_cast<bool>(outcome_); }
  [[nodiscard]] Outcome take_outcome() { return std::exchange(outcome_, nullptr); }

 private:
  std::int64_t wall_ms_;
  std::int64_t settled_wall_ms_;
  Timers* timers_;
  UndoLog* undo_;
  UndoLog::Mark undo_mark_;
  std::vector<CoordinatorRecord> records_;
  Outcome outcome_;
  bool replay_ = true;
  bool atomic_ = true;
};

}  // namespace dohle::coordinator
