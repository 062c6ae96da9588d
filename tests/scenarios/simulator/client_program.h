// ClientProgram: a program on a machine of its own that uses the cluster until it is told to finish.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <base/ids.h>
#include <client/cluster.h>
#include <runtime/memory/memory_world.h>
#include <runtime/sync.h>
#include <sim/history.h>
#include <sim/machine.h>

#include "scenario.h"

namespace dohle::scenarios {

struct TopicShape {
  std::string name;
  std::int32_t partitions = 1;
};

// What every client is made of.
struct ClientSurroundings {
  runtime::MemoryWorld& world;
  sim::History& history;
  std::vector<runtime::Endpoint> bootstrap;
  std::vector<TopicShape> topics;  // those it uses
  std::string name;
  std::string address;
  Arguments arguments;
};

class ClientProgram {
 public:
  explicit ClientProgram(ClientSurroundings surroundings);
  virtual ~ClientProgram() = default;
  ClientProgram(const ClientProgram&) = delete;
  ClientProgram& operator=(const ClientProgram&) = delete;

  void start();
  // Ends what it does in its own time, and is done().
  void finish();
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const std::string& name() const { return it_.name; }
  [[nodiscard]] sim::Machine& machine() { return machine_; }

 protected:
  [[nodiscard]] virtual runtime::Task<void> body(client::Cluster& cluster) = 0;
  // Sleeps; false once it is told to finish.
  [[nodiscard]] runtime::Task<bool> pause(double seconds);
  [[nodiscard]] bool finishing() const { return finishing_.stopped(); }
  [[nodiscard]] runtime::Random& random() { return *random_; }
  [[nodiscard]] const Arguments& arguments() const { return it_.arguments; }
  [[nodiscard]] const std::vector<TopicShape>& topics() const { return it_.topics; }
  [[nodiscard]] std::vector<TopicPartition> partitions() const;
  void note(std::string_view event, const sim::Json& fields = {}) { it_.history.add(it_.name, event, fields); }
  [[nodiscard]] sim::History& history() { return it_.history; }
  [[nodiscard]] client::ClientConfig client_config() const;

 private:
  runtime::Task<void> run();

  ClientSurroundings it_;
  sim::Machine machine_;
  std::unique_ptr<runtime::Random> random_;
  runtime::StopSource finishing_;
  bool done_ = false;
};

[[nodiscard]] sim::Json& add_partition(sim::Json& json, const TopicPartition& partition);
[[nodiscard]] std::string partition_json(const TopicPartition& partition);

// By the word of a `client` line; null when there is no such kind.
[[nodiscard]] std::unique_ptr<ClientProgram> make_client(const std::string& kind, ClientSurroundings surroundings);
[[nodiscard]] std::unique_ptr<ClientProgram> make_producer(ClientSurroundings surroundings);
[[nodiscard]] std::unique_ptr<ClientProgram> make_reader(ClientSurroundings surroundings);
// Reads everything there is, once, and is done.
[[nodiscard]] std::unique_ptr<ClientProgram> make_final_reader(ClientSurroundings surroundings);
[[nodiscard]] std::unique_ptr<ClientProgram> make_member(ClientSurroundings surroundings);
[[nodiscard]] std::unique_ptr<ClientProgram> make_trimmer(ClientSurroundings surroundings);
[[nodiscard]] std::unique_ptr<ClientProgram> make_topic_admin(ClientSurroundings surroundings);
[[nodiscard]] std::unique_ptr<ClientProgram> make_config_admin(ClientSurroundings surroundings);
[[nodiscard]] std::unique_ptr<ClientProgram> make_offset_admin(ClientSurroundings surroundings);
[[nodiscard]] std::unique_ptr<ClientProgram> make_echo(ClientSurroundings surroundings);
[[nodiscard]] std::unique_ptr<ClientProgram> make_nuisance(ClientSurroundings surroundings);
// Creates the topics of the scenario and is done.
[[nodiscard]] std::unique_ptr<ClientProgram> make_setup(ClientSurroundings surroundings, std::vector<Line> lines);

}  // namespace dohle::scenarios
