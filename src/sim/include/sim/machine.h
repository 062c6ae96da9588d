// Machine: a computer of the simulation. Its disk and its wall clock outlive the process that runs on it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <runtime/clock.h>
#include <runtime/memory/memory_file_system.h>
#include <runtime/memory/memory_shards.h>
#include <runtime/memory/memory_world.h>

namespace dohle::sim {

// A wall clock that people and NTP may set; its monotonic side is the world's.
class MachineClock final : public runtime::Clock {
 public:
  explicit MachineClock(const runtime::ManualClock& world) : world_(&world) {}
  [[nodiscard]] runtime::MonotonicTime now() const override { return world_->now(); }
  [[nodiscard]] std::int64_t wall_ms() const override { return frozen_ ? frozen_ms_ : world_->wall_ms() + offset_ms_; }

  void jump(std::int64_t by_ms) { offset_ms_ += by_ms; }
  // Stands still until it is thawed, and then goes on from where it stood.
  void freeze();
  void thaw();
  // Back to what everybody else's says.
  void correct();

 private:
  const runtime::ManualClock* world_;
  std::int64_t offset_ms_ = 0;
  std::int64_t frozen_ms_ = 0;
  bool frozen_ = false;
};

class Machine {
 public:
  // `address` is its name on the network.
  Machine(runtime::MemoryWorld& world, std::string address);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] runtime::MemoryWorld& world() { return *world_; }
  [[nodiscard]] runtime::MemoryFileSystem& disk() { return disk_; }
  [[nodiscard]] MachineClock& clock() { return clock_; }

  // One process at a time.
  runtime::MemoryShards& start_process(std::size_t shards);
  [[nodiscard]] bool running() const { return process_ != nullptr; }
  [[nodiscard]] runtime::MemoryShards& process() { return *process_; }
  // Called after the process has ended by itself: its listeners and open files are gone.
  void end_process(std::shared_ptr<void> program);
  // kill -9 in the middle of anything. What was written stays; its peers see their connections end. `program`, all that
  // the process had made, is kept, since what was queued points to it.
  void kill(std::shared_ptr<void> program);
  // The power fails. The disk keeps what CrashLoss says; the peers hear nothing more, unless `reset` tells them.
  void power_off(runtime::CrashLoss loss, bool reset, std::shared_ptr<void> program);

  // How slow its disk is, and how long messages between its shards may travel. Also for processes to come.
  void set_io_delay(runtime::Duration delay);
  void set_hop_delay(runtime::Duration longest);

 private:
  void bury(std::shared_ptr<void> program);

  runtime::MemoryWorld* world_;
  std::string address_;
  MachineClock clock_;
  runtime::MemoryFileSystem disk_;
  runtime::Duration io_delay_{0};
  runtime::Duration hop_delay_{0};
  std::unique_ptr<runtime::MemoryShards> process_;
};

}  // namespace dohle::sim
