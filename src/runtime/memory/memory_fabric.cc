#include <algorithm>

#include <runtime/memory/memory_network.h>
#include <runtime/memory/memory_world.h>
#include <runtime/memory/seeded_random.h>

#include "memory_pipe.h"

namespace dohle::runtime {

MemoryFabric::MemoryFabric(MemoryWorld& world, std::uint64_t seed)
    : world_(&world), random_(std::make_unique<SeededRandom>(seed)) {}
MemoryFabric::~MemoryFabric() = default;

Duration MemoryFabric::draw_latency() {
  const auto [shortest, longest] = latency_;
  if (longest <= shortest) return shortest;
  return shortest +
         Duration(static_cast<std::int64_t>(random_->below(static_cast<std::uint64_t>((longest - shortest).count()))));
}

Reach MemoryFabric::reach(const std::string& machine) const {
  const auto at = reach_.find(machine);
  return at == reach_.end() ? Reach::kOpen : at->second;
}

std::vector<std::shared_ptr<MemoryPipes>> MemoryFabric::living() {
  std::vector<std::shared_ptr<MemoryPipes>> out;
  std::erase_if(connections_, [&out](const auto& weak) {
    auto pipes = weak.lock();
    if (!pipes || !pipes->is_open()) return true;
    out.push_back(std::move(pipes));
    return false;
  });
  return out;
}

std::vector<std::shared_ptr<MemoryPipes>> MemoryFabric::of_machine(const std::string& machine) {
  auto all = living();
  std::erase_if(all,
                [&](const auto& pipes) { return std::ranges::find(pipes->machine, machine) == pipes->machine.end(); });
  return all;
}

std::size_t MemoryFabric::open_connections() { return living().size(); }

void MemoryFabric::reset(MemoryPipes& pipes) {
  pipes.reset = true;
  for (auto& pipe : pipes.pipe) {
    pipe.reader.wake();
    pipe.writer.wake();
  }
}

void MemoryFabric::reset_machine(const std::string& machine) {
  for (const auto& pipes : of_machine(machine)) reset(*pipes);
}

void MemoryFabric::silence_machine(const std::string& machine) {
  for (const auto& pipes : of_machine(machine)) {
    for (auto& pipe : pipes->pipe) pipe.swallows = true;
  }
}

void MemoryFabric::forget_listeners(const std::string& machine) {
  std::erase_if(listeners_, [&](const auto& listener) {
    if (listener.first.first != machine) return false;
    of_the_dead_.push_back(listener.second);
    return true;
  });
}

bool MemoryFabric::reset_one() {
  const auto all = living();
  if (all.empty()) return false;
  reset(*all[random_->below(all.size())]);
  return true;
}

bool MemoryFabric::half_open_one() {
  const auto all = living();
  if (all.empty()) return false;
  all[random_->below(all.size())]->pipe.at(random_->below(2)).swallows = true;
  return true;
}

void MemoryFabric::hold_requests(std::int16_t api_key, Duration by, std::uint64_t times) {
  holds_[api_key] = {by, times};
}

Duration MemoryFabric::take_hold(std::int16_t api_key) {
  const auto at = holds_.find(api_key);
  if (at == holds_.end()) return Duration{0};
  ++held_;
  const Duration by = at->second.by;
  if (--at->second.times == 0) holds_.erase(at);
  return by;
}

}  // namespace dohle::runtime
