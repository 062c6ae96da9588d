// Rows 4 and 5 of the fault matrix: what the network does to connections. memory_network.h says what it can do.
#include "simulation.h"

namespace dohle::scenarios {
namespace {

runtime::Duration to_duration(double seconds) { return runtime::Duration(static_cast<std::int64_t>(seconds * 1e9)); }

class Latency final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    const double shortest = draw("shortest", "0..0.05");
    simulation().world().fabric().set_latency(to_duration(shortest), to_duration(shortest + draw("spread", "0..0.45")));
    heal_after(draw("for", "0.5..3"));
  }
  void heal() override { simulation().world().fabric().set_latency(runtime::Duration{0}, runtime::Duration{0}); }
};

class Reset final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    for (auto times = 1 + simulation().random().below(4); times > 0; --times) {
      static_cast<void>(simulation().world().fabric().reset_one());
    }
  }
};

class HalfOpen final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override { static_cast<void>(simulation().world().fabric().half_open_one()); }
};

// The node, or one client, can be reached no more, and cannot reach; its connections hear nothing or are reset.
class Cut final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    auto& random = simulation().random();
    auto& clients = simulation().clients();
    heal();
    machine_ = clients.empty() || random.below(2) == 0 ? simulation().node().address()
                                                       : clients[random.below(clients.size())]->machine().address();
    auto& fabric = simulation().world().fabric();
    const bool silent = random.below(2) == 0;
    fabric.set_reach(machine_, silent ? runtime::Reach::kSilent : runtime::Reach::kRefused);
    if (silent) {
      fabric.silence_machine(machine_);
    } else {
      fabric.reset_machine(machine_);
    }
    heal_after(draw("for", "0.2..4"));
  }
  void heal() override {
    if (!machine_.empty()) simulation().world().fabric().set_reach(machine_, runtime::Reach::kOpen);
  }
  std::string machine_;
};

// Single requests, by API key, arrive late; often after their sender has given up and tried again elsewhere.
class Hold final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    auto& random = simulation().random();
    const std::string api = arguments().choose(random, "api", "0|0|0|1|3|8|11|12|14|19|20|22");
    simulation().world().fabric().hold_requests(static_cast<std::int16_t>(std::stoi(api)),
                                                to_duration(draw("by", "0.5..9")), 1 + random.below(3));
  }
  void heal() override { simulation().world().fabric().clear_holds(); }
};

}  // namespace

std::unique_ptr<Fault> make_network_fault(Simulation& simulation, const Line& line) {
  if (line.name == "latency") return std::make_unique<Latency>(simulation, line);
  if (line.name == "reset") return std::make_unique<Reset>(simulation, line);
  if (line.name == "half_open") return std::make_unique<HalfOpen>(simulation, line);
  if (line.name == "cut") return std::make_unique<Cut>(simulation, line);
  if (line.name == "hold") return std::make_unique<Hold>(simulation, line);
  return nullptr;
}

}  // namespace dohle::scenarios
