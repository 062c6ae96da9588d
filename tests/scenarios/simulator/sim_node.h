// SimNode: a machine with a Dohle node on it, the real one from socket frame to file, under a supervisor.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <broker/node.h>
#include <runtime/memory/memory_world.h>
#include <sim/history.h>
#include <sim/machine.h>

namespace dohle::scenarios {

class SimNode {
 public:
  static constexpr std::uint16_t kPort = 9092;

  SimNode(runtime::MemoryWorld& world, sim::History& history, std::int32_t id, std::size_t shards,
          std::map<std::string, std::string> settings);

  [[nodiscard]] sim::Machine& machine() { return machine_; }
  [[nodiscard]] const std::string& address() const { return machine_.address(); }

  // Writes the directories of a new cluster of one; false when that fails.
  [[nodiscard]] bool format();
  // Starts the process. It is up once it serves; a start that fails is tried again by the supervisor.
  void boot();
  [[nodiscard]] bool up() const { return life_ && life_->node && !life_->ending; }
  // Whether a process runs, be it on its way up or down.
  [[nodiscard]] bool alive() const { return life_ != nullptr; }

  // Each ends the process and has it started again after `down`.
  void kill(runtime::Duration down);
  void power_off(runtime::CrashLoss loss, runtime::Duration down);
  // The clean stop, which may take a while, and then a start after `down`.
  void restart(runtime::Duration down);
  // The clean stop without a start.
  void stop();

 private:
  // One process, from its start to its end.
  struct Life {
    std::unique_ptr<broker::Node> node;
    bool ending = false;
    bool start_failed = false;
  };
  runtime::Task<void> start(std::shared_ptr<Life> life);
  runtime::Task<void> end(std::shared_ptr<Life> life, std::string why);
  void begin_end(const std::shared_ptr<Life>& life, const std::string& why);
  void exit(const std::shared_ptr<Life>& life, const std::string& why);
  void boot_after(runtime::Duration down);
  [[nodiscard]] std::int64_t log_dirs() const;

  runtime::MemoryWorld* world_;
  sim::History* history_;
  std::string name_;
  std::int32_t id_;
  std::size_t shards_;
  std::map<std::string, std::string> settings_;
  sim::Machine machine_;
  std::shared_ptr<Life> life_;
  std::uint64_t lives_ = 0;
  bool wanted_ = false;
  runtime::Duration down_{0};
};

}  // namespace dohle::scenarios
