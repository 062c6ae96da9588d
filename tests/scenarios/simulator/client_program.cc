#include "client_program.h"

#include <fmt/format.h>

#include <runtime/memory/seeded_random.h>

namespace dohle::scenarios {

ClientProgram::ClientProgram(ClientSurroundings surroundings)
    : it_(std::move(surroundings)),
      machine_(it_.world, it_.address),
      random_(std::make_unique<runtime::SeededRandom>(it_.world.random().next())) {}

void ClientProgram::start() {
  auto& process = machine_.start_process(1);
  const auto scope = process.enter(0);
  runtime::spawn(run());
}

void ClientProgram::finish() {
  if (!machine_.running()) return;
  const auto scope = machine_.process().enter(0);
  finishing_.stop();
}

client::ClientConfig ClientProgram::client_config() const {
  client::ClientConfig config;
  config.bootstrap_servers = it_.bootstrap;
  config.client_id = it_.name;
  config.request_timeout_ms = 4'000;
  config.default_api_timeout_ms = 20'000;
  config.socket_connection_setup_timeout_ms = 2'000;
  return config;
}

runtime::Task<void> ClientProgram::run() {
  client::Cluster cluster(machine_.process().at(0), client_config());
  co_await body(cluster);
  co_await cluster.close();
  note("done");
  done_ = true;
}

runtime::Task<bool> ClientProgram::pause(double seconds) {
  co_return co_await runtime::sleep_for(runtime::Duration(static_cast<std::int64_t>(seconds * 1e9)), &finishing_);
}

std::vector<TopicPartition> ClientProgram::partitions() const {
  std::vector<TopicPartition> out;
  for (const auto& topic : it_.topics) {
    for (std::int32_t partition = 0; partition < topic.partitions; ++partition) out.push_back({topic.name, partition});
  }
  return out;
}

std::string partition_json(const TopicPartition& partition) {
  return fmt::format("[\"{}\",{}]", partition.topic, partition.partition);
}
sim::Json& add_partition(sim::Json& json, const TopicPartition& partition) {
  return json.raw("tp", partition_json(partition));
}

std::unique_ptr<ClientProgram> make_client(const std::string& kind, ClientSurroundings surroundings) {
  if (kind == "producer") return make_producer(std::move(surroundings));
  if (kind == "reader") return make_reader(std::move(surroundings));
  if (kind == "member") return make_member(std::move(surroundings));
  if (kind == "trimmer") return make_trimmer(std::move(surroundings));
  if (kind == "topics") return make_topic_admin(std::move(surroundings));
  if (kind == "configs") return make_config_admin(std::move(surroundings));
  if (kind == "offsets") return make_offset_admin(std::move(surroundings));
  if (kind == "echo") return make_echo(std::move(surroundings));
  if (kind == "nuisance") return make_nuisance(std::move(surroundings));
  return nullptr;
}

}  // namespace dohle::scenarios
