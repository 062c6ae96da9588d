// One shard of MemoryShards: run queues without a thread.
#pragma once

#include <deque>
#include <variant>
#include <vector>

#include <runtime/memory/memory_shards.h>

namespace dohle::runtime {

class MemoryExecutor final : public Executor {
 public:
  MemoryExecutor(MemoryShards& world, MemoryShard& shard) : world_(&world), shard_(&shard) {}
  void post(Work work) override { posted_.push_back(std::move(work)); }
  void resume_later(std::coroutine_handle<> handle) override;
  TimerId start_timer(Duration after, Work work) override;
  void cancel_timer(TimerId id) override;

  [[nodiscard]] bool has_work() const { return !posted_.empty() || !local_.empty(); }
  // Runs one piece, from one of the two queues as `random` says.
  void run_one(Random& random);
  void clear();
  static void make_current(Executor* executor) { set_current(executor); }

 private:
  MemoryShards* world_;
  MemoryShard* shard_;
  std::deque<Work> posted_;
  std::deque<std::coroutine_handle<>> local_;
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
  MemoryShard(MemoryShards& world, std::size_t id, std::uint64_t seed)
      : id_(id),
        world_(&world),
        executor_(world, *this),
        home_(executor_),
        random_(seed),
        network_(world.fabric(), "127.0.0.1") {}
  [[nodiscard]] std::size_t id() const override { return id_; }
  [[nodiscard]] MemoryExecutor& executor() override { return executor_; }
  [[nodiscard]] Clock& clock() override { return world_->clock(); }
  [[nodiscard]] Random& random() override { return random_; }
  [[nodiscard]] Network& network() override { return network_; }
  [[nodiscard]] FileSystem& files() override { return world_->files(); }
  [[nodiscard]] MemoryBufferHome& buffers() override { return home_; }

 private:
  std::size_t id_;
  MemoryShards* world_;
  MemoryExecutor executor_;
  MemoryBufferHome home_;
  SeededRandom random_;
  MemoryNetwork network_;
};

class MemoryIoThread final : public IoThread {
 public:
  explicit MemoryIoThread(MemoryShards& world) : world_(&world) { world.io_threads_.push_back(this); }
  ~MemoryIoThread() override;
  void post(Work work) override;
  // When the next piece ends; none when there is none.
  [[nodiscard]] std::optional<MonotonicTime> next() const;
  void run_one();

 private:
  struct Piece {
    MonotonicTime ends;
    Work work;
  };
  MemoryShards* world_;
  std::deque<Piece> pieces_;
};

}  // namespace dohle::runtime
