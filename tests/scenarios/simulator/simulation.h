// Simulation: one seed of one scenario, from the format of the first node to the last record read back.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <runtime/memory/memory_world.h>
#include <sim/history.h>
#include <sim/marks.h>

#include "client_program.h"
#include "faults.h"
#include "scenario.h"
#include "sim_node.h"

namespace dohle::scenarios {

class Simulation {
 public:
  // `without`: labels of the client and fault lines that are left out.
  Simulation(const Scenario& scenario, std::uint64_t seed, std::set<std::string> without);

  // False when it could not be carried through; the history says how far it came.
  bool run();
  [[nodiscard]] const sim::History& history() const { return history_; }

  // For faults.
  [[nodiscard]] runtime::MemoryWorld& world() { return world_; }
  [[nodiscard]] SimNode& node() { return *node_; }
  [[nodiscard]] runtime::Random& random() { return random_; }
  // Whichever fault it was.
  [[nodiscard]] std::set<std::string>& rotted_logs() { return rotted_logs_; }
  void note(std::string_view event, const sim::Json& fields = {}) { history_.add("world", event, fields); }
  [[nodiscard]] std::vector<std::unique_ptr<ClientProgram>>& clients() { return clients_; }
  void add_client(const Line& line);
  // One like it takes the place of a client that is dead or done.
  void replace_client(std::size_t index);

 private:
  struct Place {
    const Line* line;
    std::uint64_t number;
  };
  [[nodiscard]] ClientSurroundings surroundings(const std::string& name, const Line* line);
  bool run_to_end(std::unique_ptr<ClientProgram> program, runtime::Duration limit);
  bool wait_up(runtime::Duration limit);
  void note_resources();
  void heal();

  Scenario scenario_;
  std::set<std::string> without_;
  std::set<std::string> rotted_logs_;
  runtime::MemoryWorld world_;
  runtime::SeededRandom random_;
  sim::Marks marks_;
  sim::History history_;
  std::vector<TopicShape> topics_;
  std::unique_ptr<SimNode> node_;
  std::vector<std::unique_ptr<ClientProgram>> clients_;
  std::vector<std::unique_ptr<ClientProgram>> gone_;
  std::vector<Place> places_;
  std::vector<std::unique_ptr<Fault>> faults_;
  std::uint64_t next_address_ = 1;
  std::uint64_t next_client_ = 1;
};

}  // namespace dohle::scenarios
