#include "faults.h"

#include "simulation.h"

namespace dohle::scenarios {
namespace {
runtime::Duration to_duration(double seconds) { return runtime::Duration(static_cast<std::int64_t>(seconds * 1e9)); }
}  // namespace

double Fault::draw(const std::string& key, std::string_view otherwise) {
  return line_.arguments.draw(simulation_.random(), key, otherwise);
}

void Fault::start() { schedule(); }

void Fault::schedule() {
  simulation_.world().at(to_duration(draw("every", "2..8")), [this] {
    if (stopped_) return;
    ++strikes_;
    simulation_.note("fault", sim::Json().field("k", line_.name));
    strike();
    schedule();
  });
}

void Fault::stop() {
  stopped_ = true;
  heal();
}

void Fault::heal_after(double seconds) {
  simulation_.world().at(to_duration(seconds), [this, strike = strikes_] {
    if (strikes_ == strike) heal();
  });
}

std::unique_ptr<Fault> make_fault(Simulation& simulation, const Line& line) {
  for (auto* const make : {make_process_fault, make_disk_fault, make_rot_fault, make_network_fault}) {
    if (auto made = make(simulation, line)) return made;
  }
  return nullptr;
}

}  // namespace dohle::scenarios
