// One shard of MemoryShards: run queues without a thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <runtime/memory/memory_shards.h>
#include <runtime/memory/memory_world.h>

namespace dohle::runtime {

class MemoryExecutor final : public Executor, public MemoryRunnable {
 public:
  MemoryExecutor(MemoryShards& machine, MemoryShard& shard) : machine_(&machine), shard_(&shard) {}
  void post(Work work) override;
  void resume_later(std::coroutine_handle<> handle) override;
  TimerId start_timer(Duration after, Work work) override;
  void cancel_timer(TimerId id) override;

  void run_one(Random& random) override;
  // Destroys what is queued.
  void clear();
  void deliver(Work work);
  // Takes no further turn, and its timers fire no more.
  void freeze();
  static void make_current(Executor* executor) { set_current(executor); }

 private:
  // What one poster has posted, in order. A held one waits for its message to arrive.
  struct Channel {
    const Executor* from;
    std::deque<Work> posted;
    bool held = false;
  };
  Channel& channel_from(const Executor* from);
  void delay(Channel& channel);
  void update_ready();
  void run_posted(Channel& channel);

  MemoryShards* machine_;
  MemoryShard* shard_;
  bool frozen_ = false;
  std::size_t ready_channels_ = 0;
  std::deque<Channel> channels_;  // stays in place when it grows
  std::deque<std::coroutine_handle<>> local_;
  std::vector<Work> dead_timers_;  // taken out of the world; what they hold can be destroyed with the rest only
};

class MemoryBufferHome final : public BufferHome {
 public:
  explicit MemoryBufferHome(Executor& executor) : executor_(&executor) {}
  void release_from_foreign(BufferBlock* block) override;
  void drain();

 private:
  Executor* executor_;
  std::vector<BufferBlock*> inbox_;
};

class MemoryShard final : public Shard {
 public:
  MemoryShard(MemoryShards& machine, std::size_t id, std::uint64_t seed)
      : id_(id),
        machine_(&machine),
        executor_(machine, *this),
        home_(executor_),
        random_(seed),
        network_(machine.fabric(), machine.name()) {}
  [[nodiscard]] std::size_t id() const override { return id_; }
  [[nodiscard]] MemoryExecutor& executor() override { return executor_; }
  [[nodiscard]] Clock& clock() override { return machine_->shard_clock(); }
  [[nodiscard]] Random& random() override { return random_; }
  [[nodiscard]] Network& network() override { return network_; }
  [[nodiscard]] FileSystem& files() override { return machine_->files(); }
  [[nodiscard]] MemoryBufferHome& buffers() override { return home_; }

 private:
  std::size_t id_;
  MemoryShards* machine_;
  MemoryExecutor executor_;
  MemoryBufferHome home_;
  SeededRandom random_;
  MemoryNetwork network_;
};

class MemoryIoThread final : public IoThread, public MemoryRunnable {
 public:
  explicit MemoryIoThread(MemoryShards& machine) : machine_(&machine) { machine.io_threads_.push_back(this); }
  ~MemoryIoThread() override;
  void post(Work work) override;
  void run_one(Random& random) override;
  void freeze();
  // A slow file call of the work that runs.
  void owe(Duration time) { owed_ += time; }
  void post_at_end(MemoryExecutor& executor, Work work) { results_.emplace_back(&executor, std::move(work)); }

 private:
  struct Piece {
    MonotonicTime ends;
    Work work;
  };
  void run_front();
  void finish_front();
  // Ready when the first piece has ended; else a timer says when.
  void await_front();

  MemoryShards* machine_;
  std::deque<Piece> pieces_;
  TimerId timer_ = kNoTimer;
  bool frozen_ = false;
  Duration owed_{0};
  std::vector<std::pair<MemoryExecutor*, Work>> results_;  // of the work that runs
};

}  // namespace dohle::runtime
