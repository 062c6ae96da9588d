#include <sim/machine.h>

#include <utility>
#include <vector>

#include <base/check.h>

namespace dohle::sim {
namespace {

// What died in the middle of something can be neither run nor destroyed: its parts wait for each other. It is kept to
// the end of the simulation's own process.
struct Grave {
  std::unique_ptr<runtime::MemoryShards> process;
  std::shared_ptr<void> program;
};
std::vector<Grave>& graves() {
  static auto* const all = new std::vector<Grave>;
  return *all;
}

}  // namespace

void MachineClock::freeze() {
  if (frozen_) return;
  frozen_ms_ = wall_ms();
  frozen_ = true;
}

void MachineClock::thaw() {
  if (!frozen_) return;
  frozen_ = false;
  offset_ms_ = frozen_ms_ - world_->wall_ms();
}

void MachineClock::correct() {
  frozen_ = false;
  offset_ms_ = 0;
}

Machine::Machine(runtime::MemoryWorld& world, std::string address)
    : world_(&world), address_(std::move(address)), clock_(world.clock()), disk_(clock_, world.random().next()) {}

Machine::~Machine() {
  if (process_) kill(nullptr);
}

runtime::MemoryShards& Machine::start_process(std::size_t shards) {
  DOHLE_CHECK(!process_);
  process_ = std::make_unique<runtime::MemoryShards>(
      *world_, runtime::MemoryProcess{.machine = address_, .shards = shards, .clock = &clock_, .files = &disk_});
  process_->set_io_delay(io_delay_);
  process_->set_hop_delay(hop_delay_);
  return *process_;
}

void Machine::bury(std::shared_ptr<void> program) {
  process_->freeze();
  world_->fabric().forget_listeners(address_);
  graves().push_back({std::move(process_), std::move(program)});
}

void Machine::end_process(std::shared_ptr<void> program) {
  world_->fabric().reset_machine(address_);
  bury(std::move(program));
  disk_.crash(runtime::CrashLoss::kNothing);
}

void Machine::kill(std::shared_ptr<void> program) { end_process(std::move(program)); }

void Machine::power_off(runtime::CrashLoss loss, bool reset, std::shared_ptr<void> program) {
  if (reset) {
    world_->fabric().reset_machine(address_);
  } else {
    world_->fabric().silence_machine(address_);
  }
  bury(std::move(program));
  disk_.crash(loss);
}

void Machine::set_io_delay(runtime::Duration delay) {
  io_delay_ = delay;
  if (process_) process_->set_io_delay(delay);
}

void Machine::set_hop_delay(runtime::Duration longest) {
  hop_delay_ = longest;
  if (process_) process_->set_hop_delay(longest);
}

}  // namespace dohle::sim
