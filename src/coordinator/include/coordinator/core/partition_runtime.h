// PartitionRuntime: drives one StateMachine over one partition, for one leader epoch.
//
//   LOADING -> ACTIVE -> CLOSED, or LOADING -> FAILED
//
// An operation decides against the state in one turn; its records are replayed at once and join the batch that is open.
// A batch is appended soon after (the operations of one pass of the shard's run queue share it), one append in flight
// at a time. Answers leave when everything they were based on is committed. A failed append takes back every change
// made since, and fails every operation that may have seen them. Loading replays the log through the same StateMachine.
//
// Everything runs on the shard that created the object. After close(), wait for `drained()` before destroying it.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <coordinator/core/state_machine.h>
#include <coordinator/core/turn.h>
#include <coordinator/core/undo_log.h>
#include <coordinator/partition_writer.h>
#include <records/batch.h>
#include <records/compression.h>
#include <runtime/executor.h>
#include <runtime/settled_clock.h>
#include <runtime/sync.h>

namespace dohle::coordinator {

// What an operation returns: its response, or the error that Kafka's handler turns into one.
template <typename R>
using Decision = std::expected<R, protocol::ErrorCode>;

struct RuntimeConfig {
  std::size_t load_buffer_bytes = 5 * 1024 * 1024;  // offsets.load.buffer.size
  std::size_t max_batch_bytes = 1048588;            // max.message.bytes of the partition
  std::int64_t append_linger_ms = -1;     // group.coordinator.append.linger.ms; -1: until the run queue is through
  std::int64_t commit_timeout_ms = 5000;  // offsets.commit.timeout.ms
  records::Compression compression;       // offsets.topic.compression.codec
};

class PartitionRuntime {
 public:
  enum class State : std::uint8_t { kLoading, kActive, kFailed, kClosed };

  // `machine` is owned; the others must outlive this object.
  PartitionRuntime(std::int32_t partition, LeaderEpoch epoch, std::unique_ptr<StateMachine> machine,
                   PartitionWriter& writer, runtime::SettledClock& clock, RuntimeConfig config);
  ~PartitionRuntime();
  PartitionRuntime(const PartitionRuntime&) = delete;
  PartitionRuntime& operator=(const PartitionRuntime&) = delete;

  // Begins to load in the background.
  void start();
  // Fails what is pending with NOT_COORDINATOR and unloads the machine. Idempotent.
  void close();
  // Completes when nothing of this object runs any more; after close().
  [[nodiscard]] runtime::Task<void> drained() { return gate_.wait_empty(); }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] LeaderEpoch epoch() const { return epoch_; }
  [[nodiscard]] std::int32_t partition() const { return partition_; }
  [[nodiscard]] StateMachine& machine() { return *machine_; }

  // Runs `decide` (Turn& -> Decision<R>) in the calling turn of the shard; the answer leaves when committed. `decide`
  // without records is a read of the newest state. `decide` is not kept after it ran.
  template <typename F>
  [[nodiscard]] auto run(F decide) -> runtime::Task<std::invoke_result_t<F&, Turn&>>;

 private:
  using Waiter = std::move_only_function<void(protocol::ErrorCode)>;
  struct Batch {
    std::uint64_t id = 0;
    std::vector<CoordinatorRecord> records;
    std::size_t bytes = 0;
    Offset base{0};
    UndoLog::Mark undo_mark = 0;
    std::vector<Outcome> outcomes;
    std::vector<Waiter> waiters;
    std::optional<Offset> last;                  // set once written
    bool sealed = false;                         // takes no more records: being appended, or next in line
    runtime::TimerId timer = runtime::kNoTimer;  // commit time-out, while someone waits
  };

  [[nodiscard]] std::optional<protocol::ErrorCode> not_active() const;
  [[nodiscard]] Turn begin_turn();
  // Replays and queues a turn's records, then calls `waiter` at the right time. On an error nothing was queued and
  // `waiter` is dropped.
  [[nodiscard]] Decision<void> submit(Turn turn, Waiter waiter);
  [[nodiscard]] Decision<void> queue_records(const Turn& turn);
  void queue_record(const CoordinatorRecord& record, std::size_t bytes, UndoLog::Mark mark);
  // A turn that nobody waits for: a timer, an outcome.
  void run_background(const TimerAction& body);
  void attach(Batch& batch, Outcome outcome, Waiter waiter);
  void schedule_append();
  runtime::Task<void> append_loop();
  [[nodiscard]] Result<Slice> encode(const Batch& batch) const;
  void fail_from_first_unwritten(protocol::ErrorCode error);
  void start_commit_loop();
  runtime::Task<void> commit_loop();
  void commit_timed_out(std::uint64_t batch_id);
  void finish(Batch batch, protocol::ErrorCode error);
  runtime::Task<void> load();
  [[nodiscard]] runtime::Task<Result<>> load_records();
  [[nodiscard]] Result<> replay_batch(const records::BatchView& batch);
  void become_active();

  const std::int32_t partition_;
  const LeaderEpoch epoch_;
  std::unique_ptr<StateMachine> machine_;
  PartitionWriter& writer_;
  runtime::SettledClock& clock_;
  const RuntimeConfig config_;
  runtime::Executor& executor_;
  std::unique_ptr<Timers> timers_;
  State state_ = State::kLoading;
  UndoLog undo_;
  std::uint64_t next_batch_id_ = 1;
  std::deque<Batch> pending_;  // written and waiting for commit, then being written, then open
  Offset next_offset_{0};      // where the next record will lie
  bool append_scheduled_ = false;
  bool appending_ = false;
  bool committing_ = false;
  runtime::TimerId linger_timer_ = runtime::kNoTimer;
  runtime::Gate gate_;
};

template <typename F>
auto PartitionRuntime::run(F decide) -> runtime::Task<std::invoke_result_t<F&, Turn&>> {
  using D = std::invoke_result_t<F&, Turn&>;
  if (auto error = not_active()) co_return D(std::unexpect, *error);
  auto pass = gate_.enter();
  runtime::Promise<protocol::ErrorCode> promise;
  auto future = promise.future();
  Turn turn = begin_turn();
  D decision = decide(turn);
  if (!decision) co_return decision;
  auto queued = submit(std::move(turn), [promise](protocol::ErrorCode error) mutable { promise.set(error); });
  if (!queued) co_return D(std::unexpect, queued.error());
  const protocol::ErrorCode error = co_await future;
  if (error != protocol::ErrorCode::kNone) co_return D(std::unexpect, error);
  co_return std::move(decision);
}

}  // namespace dohle::coordinator
