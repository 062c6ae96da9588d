#include "sim_node.h"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include <broker/config/properties.h>
#include <broker/config/server_config.h>
#include <metadata/storage_format.h>

namespace dohle::scenarios {
namespace {

using runtime::Duration;
using runtime::Task;

// The supervisor starts a process that ended by itself after this long.
constexpr auto kRespawn = std::chrono::seconds(1);

broker::config::TextMap properties_of(std::int32_t id, const std::string& address, std::size_t shards,
                                      const std::map<std::string, std::string>& settings) {
  broker::config::TextMap out{
      {"process.roles", "broker,controller"},
      {"node.id", std::to_string(id)},
      {"listeners", fmt::format("PLAINTEXT://{0}:{1},CONTROLLER://{0}:9093", address, SimNode::kPort)},
      {"advertised.listeners", fmt::format("PLAINTEXT://{}:{}", address, SimNode::kPort)},
      {"controller.listener.names", "CONTROLLER"},
      {"controller.quorum.bootstrap.servers", address + ":9093"},
      {"log.dirs", "data"},
      {"offsets.topic.replication.factor", "1"},
      {"offsets.topic.num.partitions", "3"},
      {"transaction.state.log.replication.factor", "1"},
      {"transaction.state.log.min.isr", "1"},
      {"share.coordinator.state.topic.replication.factor", "1"},
      {"share.coordinator.state.topic.min.isr", "1"},
      {"group.initial.rebalance.delay.ms", "100"},
      {"auto.create.topics.enable", "false"},
      {"shards", std::to_string(shards)},
  };
  for (const auto& [key, value] : settings) out[key] = value;
  return out;
}

}  // namespace

SimNode::SimNode(runtime::MemoryWorld& world, sim::History& history, std::int32_t id, std::size_t shards,
                 std::map<std::string, std::string> settings)
    : world_(&world),
      history_(&history),
      name_(fmt::format("node{}", id)),
      id_(id),
      shards_(shards),
      settings_(std::move(settings)),
      machine_(world, fmt::format("10.0.0.{}", id)) {}

bool SimNode::format() {
  auto config = broker::config::ServerConfig::from(properties_of(id_, address(), shards_, settings_));
  if (!config) {
    history_->add(name_, "misconfigured", sim::Json().field("why", config.error().message));
    return false;
  }
  std::ostringstream said;
  auto& random = world_->random();
  metadata::StorageTool tool{machine_.disk(), random, machine_.clock(), said, said};
  metadata::StorageSettings settings;
  settings.node_id = config->node_id();
  settings.log_dirs = config->log_dirs();
  settings.metadata_log_dir = config->metadata_log_dir();
  settings.controller_listener = "CONTROLLER";
  settings.controller_host = address();
  settings.controller_port = 9093;
  metadata::FormatOptions options;
  options.cluster_id = random.uuid().to_string();
  options.standalone = true;
  if (tool.format(settings, options) == 0) return static_cast<bool>(machine_.disk().sync_all("."));
  history_->add(name_, "unformatted", sim::Json().field("why", said.str()));
  return false;
}

std::int64_t SimNode::log_dirs() const {
  const auto at = settings_.find("log.dirs");
  return at == settings_.end() ? 1 : 1 + std::ranges::count(at->second, ',');
}

void SimNode::boot() {
  wanted_ = true;
  if (life_) return;
  history_->add(name_, "boot",
                sim::Json().field("shards", static_cast<std::int64_t>(shards_)).field("dirs", log_dirs()));
  ++lives_;
  life_ = std::make_shared<Life>();
  auto& process = machine_.start_process(shards_);
  const auto scope = process.enter(0);
  runtime::spawn(start(life_));
}

Task<void> SimNode::start(std::shared_ptr<Life> life) {
  auto& process = machine_.process();
  auto config = broker::config::ServerConfig::from(properties_of(id_, address(), shards_, settings_));
  broker::NodeOptions options;
  options.memory_bytes = 64U << 20U;
  options.journal_bytes = 256U << 10U;  // often full
  options.open_segments_per_shard = 64;
  options.fatal = [this, life](const std::string& why) { begin_end(life, why); };
  auto node = co_await broker::Node::start(process, std::move(*config), std::move(options));
  if (!node) {
    history_->add(name_, "start_failed", sim::Json().field("why", node.error().message));
    life->start_failed = true;
    co_await end(life, "start failed");
    co_return;
  }
  life->node = std::move(*node);
  history_->add(name_, "up");
}

// What a supervisor sees of a process that gives up: it stops as well as it can, and is started again.
void SimNode::begin_end(const std::shared_ptr<Life>& life, const std::string& why) {
  if (life->ending) return;
  life->ending = true;
  history_->add(name_, "fatal", sim::Json().field("why", why));
  down_ = kRespawn;
  if (!life->node) return exit(life, why);  // a process that fails while it starts just ends
  runtime::spawn(end(life, why));
}

Task<void> SimNode::end(std::shared_ptr<Life> life, std::string why) {
  life->ending = true;
  if (life->node) co_await life->node->stop();
  if (life->start_failed) down_ = kRespawn;
  exit(life, why);
}

void SimNode::exit(const std::shared_ptr<Life>& life, const std::string& why) {
  world_->at(Duration{0}, [this, life, why] {
    if (life_ != life) return;  // killed meanwhile
    const std::size_t before = world_->timers();
    machine_.end_process(std::exchange(life_, nullptr));
    const auto timers = static_cast<std::int64_t>(before - world_->timers());
    history_->add(name_, "ended", sim::Json().field("why", why).field("timers", timers));
    if (wanted_) boot_after(down_);
  });
}

void SimNode::boot_after(Duration down) {
  world_->at(down, [this, life = lives_] {
    if (wanted_ && lives_ == life) boot();
  });
}

void SimNode::kill(Duration down) {
  if (!life_) return;
  history_->add(name_, "kill");
  machine_.kill(std::exchange(life_, nullptr));
  if (wanted_) boot_after(down);
}

void SimNode::power_off(runtime::CrashLoss loss, Duration down) {
  if (!life_) return;
  history_->add(name_, "power", sim::Json().field("loss", static_cast<std::int64_t>(loss)));
  machine_.power_off(loss, world_->random().below(2) == 0, std::exchange(life_, nullptr));
  if (wanted_) boot_after(down);
}

void SimNode::restart(Duration down) {
  if (!up()) return;
  history_->add(name_, "stop");
  life_->ending = true;
  down_ = down;
  const auto scope = machine_.process().enter(0);
  runtime::spawn(end(life_, "stopped"));
}

void SimNode::stop() {
  wanted_ = false;
  restart(Duration{0});
}

}  // namespace dohle::scenarios
