// Faults: what disturbs a simulation, one class a line of a scenario. Each strikes again and again until it is healed.
#pragma once

#include <memory>
#include <string>

#include "scenario.h"

namespace dohle::scenarios {

class Simulation;

class Fault {
 public:
  Fault(Simulation& simulation, Line line) : simulation_(simulation), line_(std::move(line)) {}
  virtual ~Fault() = default;
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;

  // Strikes first after a time drawn from `every`, and so on.
  void start();
  // It strikes no more, and what it has done is undone.
  void stop();

 protected:
  virtual void strike() = 0;
  virtual void heal() {}
  [[nodiscard]] double draw(const std::string& key, std::string_view otherwise);
  [[nodiscard]] const Arguments& arguments() const { return line_.arguments; }
  [[nodiscard]] Simulation& simulation() { return simulation_; }
  // heal() after `seconds`, unless it came first.
  void heal_after(double seconds);

 private:
  void schedule();
  Simulation& simulation_;
  Line line_;
  bool stopped_ = false;
  std::uint64_t strikes_ = 0;
};

// By the word of a `fault` line; null when there is no such kind.
[[nodiscard]] std::unique_ptr<Fault> make_fault(Simulation& simulation, const Line& line);
[[nodiscard]] std::unique_ptr<Fault> make_process_fault(Simulation& simulation, const Line& line);
[[nodiscard]] std::unique_ptr<Fault> make_disk_fault(Simulation& simulation, const Line& line);
[[nodiscard]] std::unique_ptr<Fault> make_rot_fault(Simulation& simulation, const Line& line);
[[nodiscard]] std::unique_ptr<Fault> make_network_fault(Simulation& simulation, const Line& line);

}  // namespace dohle::scenarios
