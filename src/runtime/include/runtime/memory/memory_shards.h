// MemoryShards: the shards of one process in the thread of a test: alone in a world of its own, or one of many in a
// world that they share.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <runtime/memory/manual_clock.h>
#include <runtime/memory/memory_file_system.h>
#include <runtime/memory/memory_network.h>
#include <runtime/memory/memory_world.h>
#include <runtime/memory/seeded_random.h>
#include <runtime/shard.h>

namespace dohle::runtime {

class MemoryShard;
class MemoryIoThread;

// A process that shares its world with others.
struct MemoryProcess {
  std::string machine;  // the name its network is known by
  std::size_t shards = 1;
  Clock* clock = nullptr;   // null: the world's
  MemoryFileSystem* files;  // of its machine
};

class MemoryShards final : public Shards {
 public:
  // A world of its own: clock, files and network are made here.
  explicit MemoryShards(std::size_t size, std::uint64_t seed = 1);
  MemoryShards(MemoryWorld& world, MemoryProcess process);
  ~MemoryShards() override;
  MemoryShards(const MemoryShards&) = delete;
  MemoryShards& operator=(const MemoryShards&) = delete;

  [[nodiscard]] std::size_t size() const override { return shards_.size(); }
  [[nodiscard]] Shard& at(std::size_t id) override;
  // Work posted to it runs when its turn is drawn, after the delay of set_io_delay.
  [[nodiscard]] std::unique_ptr<IoThread> make_io_thread(std::string name) override;

  // See MemoryWorld.
  void run_until_idle() { world_->run_until_idle(); }
  void advance(Duration by) { world_->advance(by); }
  bool advance_to_next_timer(Duration limit) { return world_->advance_to_next_timer(limit); }

  // The process dies: nothing of it runs any more, and what is queued stays where it is for ever. Whoever froze it
  // keeps this object and all that lived on its shards, since queued work points to it.
  void freeze();

  // While it lives, the calling code is shard `id`: what it allocates and awaits belongs there.
  class Scope {
   public:
    explicit Scope(MemoryShard& shard);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    friend class MemoryShards;
    Executor* executor_before_;
    BufferHome* home_before_;
  };
  [[nodiscard]] Scope enter(std::size_t id) { return Scope(*shards_.at(id)); }

  // Runs `work` (() -> Task<R>) on shard `id` to its end, letting time pass when nothing else can happen, at most
  // `limit`; a task that does not end fails the test.
  template <typename F>
  auto run(std::size_t id, F work, Duration limit = std::chrono::hours(1)) {
    using R = typename detail::TaskValue<std::invoke_result_t<F&>>::Type;
    auto end = std::make_shared<std::conditional_t<std::is_void_v<R>, bool, std::optional<R>>>();
    {
      const Scope scope = enter(id);
      spawn(finish(&work, end));
    }
    run_until([&end] { return static_cast<bool>(*end); }, limit);
    if constexpr (!std::is_void_v<R>) {
      const Scope scope = enter(id);
      return std::move(**end);
    }
  }
  // Runs until `done`, letting time pass when nothing else can happen; fails the test after `limit`.
  void run_until(const std::function<bool()>& done, Duration limit = std::chrono::hours(1)) {
    world_->run_until(done, limit);
  }

  [[nodiscard]] MemoryWorld& world() { return *world_; }
  [[nodiscard]] ManualClock& clock() { return world_->clock(); }
  [[nodiscard]] Clock& shard_clock() { return *clock_; }
  [[nodiscard]] MemoryFileSystem& files() { return *files_; }
  [[nodiscard]] MemoryFabric& fabric() { return world_->fabric(); }
  [[nodiscard]] SeededRandom& random() { return world_->random(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  // A slow disk: work on IoThreads takes this long, one after the other. Slow files (MemoryFileSystem::slow_down, of a
  // world of one's own) add theirs: what such work posts arrives when that time has passed, and meanwhile the shards go
  // on.
  void set_io_delay(Duration delay) { io_delay_ = delay; }
  // Messages between shards: every fourth that finds nothing before it travels up to `longest`.
  void set_hop_delay(Duration longest) { hop_delay_ = longest; }

 private:
  friend class MemoryShard;
  friend class MemoryExecutor;
  friend class MemoryIoThread;

  template <typename F, typename E>
  static Task<void> finish(F* work, std::shared_ptr<E> end) {
    if constexpr (std::is_same_v<E, bool>) {
      co_await (*work)();
      *end = true;
    } else {
      end->emplace(co_await (*work)());
    }
  }
  void make_shards(std::size_t size);

  std::unique_ptr<MemoryWorld> own_world_;
  MemoryWorld* world_;
  std::unique_ptr<MemoryFileSystem> own_files_;
  MemoryFileSystem* files_;
  Clock* clock_;
  std::string name_;
  Duration io_delay_{0};
  Duration hop_delay_{0};
  MemoryIoThread* running_io_ = nullptr;  // whose work runs now
  std::vector<std::unique_ptr<MemoryShard>> shards_;
  std::vector<MemoryIoThread*> io_threads_;
};

}  // namespace dohle::runtime
