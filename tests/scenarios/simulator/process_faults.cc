// Rows 1, 6, 7 and 17 of the fault matrix: processes that die, are stopped and come back, clocks that jump, clients
// that go.
#include <fmt/format.h>

#include "simulation.h"

namespace dohle::scenarios {
namespace {

runtime::Duration to_duration(double seconds) { return runtime::Duration(static_cast<std::int64_t>(seconds * 1e9)); }

// kill -9; the page cache survives.
class Kill final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override { simulation().node().kill(to_duration(draw("down", "0.05..2"))); }
};

// loss=unsynced|order|any, drawn each time.
class PowerLoss final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    const std::string loss = arguments().choose(simulation().random(), "loss", "unsynced|order|any");
    simulation().node().power_off(loss == "unsynced" ? runtime::CrashLoss::kUnsynced
                                  : loss == "order"  ? runtime::CrashLoss::kRandom
                                                     : runtime::CrashLoss::kAnyOrder,
                                  to_duration(draw("down", "0.05..3")));
  }
};

class Restart final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override { simulation().node().restart(to_duration(draw("down", "0.05..2"))); }
};

// The node's wall clock: an hour on, an hour back, or it stands still.
class Clock final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    auto& clock = simulation().node().machine().clock();
    const std::string what = arguments().choose(simulation().random(), "what", "forward|back|frozen|right");
    simulation().note("clock", sim::Json().field("what", what));
    if (what == "forward") clock.jump(3'600'000);
    if (what == "back") clock.jump(-3'600'000);
    if (what == "frozen") clock.freeze();
    if (what == "right") clock.correct();
  }
  void heal() override { simulation().node().machine().clock().correct(); }
};

// A client leaves, or dies without a word; another takes its place.
class Churn final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    auto& clients = simulation().clients();
    if (clients.empty()) return;
    const std::size_t index = simulation().random().below(clients.size());
    simulation().replace_client(index);
  }
};

}  // namespace

std::unique_ptr<Fault> make_process_fault(Simulation& simulation, const Line& line) {
  if (line.name == "kill") return std::make_unique<Kill>(simulation, line);
  if (line.name == "power") return std::make_unique<PowerLoss>(simulation, line);
  if (line.name == "restart") return std::make_unique<Restart>(simulation, line);
  if (line.name == "clock") return std::make_unique<Clock>(simulation, line);
  if (line.name == "churn") return std::make_unique<Churn>(simulation, line);
  return nullptr;
}

}  // namespace dohle::scenarios
