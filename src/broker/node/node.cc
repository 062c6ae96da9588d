#include <broker/node.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <base/log.h>
#include <broker/config/memory_plan.h>
#include <broker/config/module_settings.h>
#include <metadata/broker_lifecycle.h>
#include <metadata/controller_registration.h>
#include <storage/log_manager.h>
#include <transport/server.h>

#include "dispatch/controller_dispatcher.h"
#include "node/broker_part.h"
#include "node/listener_switch.h"
#include "node/metrics_endpoint.h"
#include "node/quorum_part.h"

namespace dohle::broker {
namespace {

// How long a stop waits for the controller to move leaderships away.
constexpr auto kControlledShutdownLimit = std::chrono::seconds(15);

class CombinedNode final : public Node {
 public:
  CombinedNode(runtime::Shards& shards, config::ServerConfig config, NodeOptions options)
      : shards_(shards), config_(std::move(config)), options_(std::move(options)) {
    if (options_.memory_bytes > 0) memory_ = config::plan_memory(options_.memory_bytes, shards_.size());
  }

  runtime::Task<Result<>> start();
  runtime::Task<void> stop() override;
  const std::map<std::string, std::uint16_t>& ports() const override { return ports_; }
  std::uint16_t metrics_port() const override { return metrics_port_; }
  const std::string& cluster_id() const override { return cluster_id_; }

 private:
  Result<> open_directories();
  Result<> open_listeners();
  Result<> open_metrics();
  runtime::Task<Result<>> load_logs();
  runtime::Task<Result<>> join_cluster();
  std::vector<metadata::EndpointImage> to_registered(const std::vector<config::Endpoint>& advertised);
  void on_directory_failed(storage::LogDirectory& directory, const Error& error);

  runtime::Shards& shards_;
  config::ServerConfig config_;
  NodeOptions options_;
  std::optional<config::MemoryPlan> memory_;  // of memory.limit
  std::string cluster_id_;
  std::map<std::string, std::uint16_t> ports_;
  std::uint16_t metrics_port_ = 0;

  std::unique_ptr<storage::LogManager> logs_;
  std::unique_ptr<QuorumPart> quorum_;
  std::unique_ptr<BrokerPart> broker_;
  std::unique_ptr<ControllerDispatcher> controller_sink_;
  std::vector<std::unique_ptr<ListenerSwitch>> sinks_;
  std::unique_ptr<transport::Server> server_;
  std::unique_ptr<MetricsEndpoint> metrics_;
  std::unique_ptr<metadata::ControllerRegistrar> registrar_;
  std::unique_ptr<metadata::BrokerLifecycle> lifecycle_;
};

Result<> CombinedNode::open_directories() {
  auto manager = config::log_manager_config(config_);
  if (memory_) {
    manager.tail_cache_bytes_per_shard = memory_->tail_cache_bytes;
    manager.buffer_bytes = memory_->buffer_bytes;
  }
  manager.journal_bytes = options_.journal_bytes;
  manager.open_segments_per_shard = options_.open_segments_per_shard;
  manager.shard_of = [shards = shards_.size()](const TopicIdPartition& id) { return Broker::shard_of(id, shards); };
  DOHLE_ASSIGN(logs_, storage::LogManager::open(shards_, std::move(manager)));
  const auto& meta = logs_->metadata_directory().meta();
  if (!meta || !meta->cluster_id) {
    return fail(Errc::kNotFound, fmt::format("{} is not formatted: run kafka-storage.sh format on it first",
                                             logs_->metadata_directory().path()));
  }
  cluster_id_ = *meta->cluster_id;
  logs_->on_directory_failed([this](storage::LogDirectory& d, const Error& e) { on_directory_failed(d, e); });
  return logs_->check_and_complete_meta(cluster_id_, config_.node_id());
}

void CombinedNode::on_directory_failed(storage::LogDirectory& directory, const Error& error) {
  log::error("broker", "Log directory {} is offline: {}", directory.path(), error.message);
  const bool last = std::ranges::all_of(logs_->directories(), [](const auto& d) { return d->offline(); });
  if (last || &directory == &logs_->metadata_directory()) {
    options_.fatal(fmt::format("log directory {} failed and the node cannot go on without it: {}", directory.path(),
                               error.message));
    return;
  }
  if (broker_) broker_->directory_failed(directory.path(), error);
  if (lifecycle_) lifecycle_->report_offline_directory(directory.id());
}

Result<> CombinedNode::open_listeners() {
  const auto& controllers = config_.controller_listener_names();
  controller_sink_ = std::make_unique<ControllerDispatcher>(
      ControllerDispatcher::Home{shards_.at(0), quorum_->apis(), quorum_->metadata(0), cluster_id_, config_.node_id()});
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    sinks_.push_back(std::make_unique<ListenerSwitch>(controllers, broker_->sink(i), *controller_sink_));
  }
  auto server_options = config::server_options(config_);
  if (memory_) {
    server_options.request_bytes = std::min(server_options.request_bytes, memory_->request_bytes);
    server_options.privileged_bytes = memory_->privileged_bytes;
    server_options.unauthenticated_bytes = memory_->unauthenticated_bytes;
    server_options.buffer_bytes = memory_->buffer_bytes;
    if (server_options.request_bytes < server_options.max_frame_bytes) {
      log::info(
          "broker",
          "With memory.limit at {} MiB and {} shards, requests may have {} KiB, less than socket.request.max.bytes.",
          options_.memory_bytes >> 20U, shards_.size(), server_options.request_bytes >> 10U);
    }
  }
  server_ = std::make_unique<transport::Server>(
      shards_, [this](std::size_t shard) -> transport::RequestSink& { return *sinks_[shard]; },
      std::move(server_options));
  for (const auto& listener : config::listener_options(config_, config_.listeners())) {
    const auto port = server_->listen(listener);
    if (!port) {
      return fail(port.error().code, fmt::format("cannot listen on {} for {}: {}", listener.bind.to_string(),
                                                 listener.name, port.error().message));
    }
    ports_[listener.name] = *port;
  }
  return {};
}

Result<> CombinedNode::open_metrics() {
  const auto listener = config_.metrics_listener();
  if (!listener) return {};
  metrics_ = std::make_unique<MetricsEndpoint>(ScrapeSources{.shards = shards_,
                                                             .broker = broker_->broker(),
                                                             .quorum = *quorum_,
                                                             .logs = *logs_,
                                                             .server = *server_,
                                                             .memory_bytes = options_.memory_bytes,
                                                             .buffer_bytes = memory_ ? memory_->buffer_bytes : 0,
                                                             .process_usage = options_.process_usage});
  const runtime::Endpoint bind{listener->host, static_cast<std::uint16_t>(listener->port)};
  const auto port = metrics_->listen(bind);
  if (!port) {
    return fail(port.error().code,
                fmt::format("cannot listen on {} for metrics.listener: {}", bind.to_string(), port.error().message));
  }
  metrics_port_ = *port;
  log::info("broker", "Metrics are at http://{}/metrics", runtime::Endpoint{bind.host, *port}.to_string());
  return {};
}

runtime::Task<Result<>> CombinedNode::load_logs() {
  const auto image = quorum_->publisher().image();
  storage::LoadOptions options;
  options.config_for = [this, image](const std::string& topic) { return broker_->log_config_for(*image, topic); };
  options.is_stray = [image, self = config_.node_id()](const TopicPartition& partition,
                                                       const std::optional<TopicId>& id) {
    const auto* topic = image->topics().find(partition.topic);
    if (topic == nullptr || (id && topic->id != *id)) return true;
    const auto* registration = topic->find(partition.partition);
    return registration == nullptr || !registration->is_replica(self);
  };
  options.topic_id_of = [image](const std::string& name) {
    const auto* topic = image->topics().find(name);
    return topic == nullptr ? std::nullopt : std::optional(topic->id);
  };
  options.on_progress = [this](const storage::LoadProgress& progress) {
    if (options_.on_load_progress) options_.on_load_progress(progress);
    if (!options_.on_load_progress || progress.finished) log::info("storage", "{}", progress_line(progress));
  };
  DOHLE_CO_TRY(co_await logs_->load(std::move(options)));
  logs_->start();
  co_return Result<>{};
}

runtime::Task<Result<>> CombinedNode::start() {
  if (!config_.is_combined()) {
    co_return fail(
        Errc::kUnsupported,
        "process.roles must be broker,controller: a node with one role needs others, and there are no clusters yet");
  }
  DOHLE_CO_TRY(open_directories());
  auto quorum = co_await QuorumPart::open(shards_, *logs_, config_, cluster_id_,
                                          [this](Error error) { options_.fatal(error.message); });
  if (!quorum) co_return std::unexpected(quorum.error());
  quorum_ = std::move(*quorum);
  broker_ = std::make_unique<BrokerPart>(BrokerPart::Parts{.shards = shards_,
                                                           .logs = *logs_,
                                                           .quorum = *quorum_,
                                                           .config = config_,
                                                           .cluster_id = cluster_id_,
                                                           .advertise_peer_address = options_.advertise_peer_address});
  co_await broker_->build();
  DOHLE_CO_TRY(open_listeners());
  DOHLE_CO_TRY(open_metrics());
  co_await quorum_->start();
  DOHLE_CO_TRY(co_await join_cluster());
  DOHLE_CO_TRY(co_await load_logs());
  co_await broker_->follow_metadata();
  lifecycle_->set_ready();
  co_await lifecycle_->wait_unfenced();
  co_await broker_->settled();
  co_await broker_->open_for_requests();
  co_return Result<>{};
}

// Registers this incarnation, and waits until its own registration has come back through the metadata log.
runtime::Task<Result<>> CombinedNode::join_cluster() {
  const auto& values = config_.values();
  metadata::BrokerLifecycleConfig lifecycle;
  lifecycle.broker_id = config_.node_id();
  lifecycle.cluster_id = cluster_id_;
  const Uuid incarnation = shards_.at(0).random().uuid();
  lifecycle.incarnation_id = incarnation;
  lifecycle.endpoints = to_registered(config_.advertised_broker_listeners());
  lifecycle.rack = values.find_string("broker.rack");
  for (const auto& directory : logs_->directories()) {
    if (!directory->offline()) lifecycle.directories.push_back(directory->id());
  }
  lifecycle.previous_broker_epoch = logs_->previous_broker_epoch();
  lifecycle.heartbeat_interval = std::chrono::milliseconds(values.get_int("broker.heartbeat.interval.ms"));
  lifecycle.registration_timeout = std::chrono::milliseconds(values.get_int("initial.broker.registration.timeout.ms"));
  lifecycle_ = std::make_unique<metadata::BrokerLifecycle>(std::move(lifecycle), shards_.at(0), quorum_->channel(),
                                                           quorum_->metadata(0));
  registrar_ = std::make_unique<metadata::ControllerRegistrar>(
      metadata::ControllerRegistrationConfig{.controller_id = config_.node_id(),
                                             .incarnation_id = incarnation,
                                             .endpoints = to_registered(config_.advertised_controller_listeners())},
      shards_.at(0), quorum_->channel(), quorum_->metadata(0));
  registrar_->start();
  lifecycle_->start();
  DOHLE_CO_TRY(co_await lifecycle_->wait_caught_up());
  broker_->broker().set_epoch(lifecycle_->broker_epoch());
  co_return Result<>{};
}

// Hosts and ports as they turned out: a wildcard is this machine's name, port 0 the one that was free.
std::vector<metadata::EndpointImage> CombinedNode::to_registered(const std::vector<config::Endpoint>& advertised) {
  std::vector<metadata::EndpointImage> out;
  const auto host = shards_.at(0).network().canonical_host_name();
  for (const auto& endpoint : config::with_hosts(advertised, host)) {
    const auto port = endpoint.port != 0 ? endpoint.port : ports_.at(endpoint.listener);
    out.push_back({.listener = endpoint.listener,
                   .host = endpoint.host.value_or(host),
                   .port = static_cast<std::uint16_t>(port),
                   .security_protocol = static_cast<std::int16_t>(endpoint.protocol)});
  }
  return out;
}

// Also called on a node whose start failed half-way.
runtime::Task<void> CombinedNode::stop() {
  if (lifecycle_) {
    co_await lifecycle_->controlled_shutdown(kControlledShutdownLimit);
    if (server_) server_->stop_accepting();
  }
  if (metrics_) co_await metrics_->stop();
  if (logs_) logs_->stop_making_logs();
  if (broker_) co_await broker_->stop();
  if (server_) co_await server_->stop();
  const auto broker_epoch = lifecycle_ ? lifecycle_->broker_epoch() : -1;
  if (lifecycle_) co_await lifecycle_->stop();
  if (registrar_) co_await registrar_->stop();
  if (quorum_) co_await quorum_->stop();
  if (!logs_) co_return;
  if (auto stopped = co_await logs_->shutdown(broker_epoch); !stopped) {
    log::error("storage", "The clean stop failed: {}", stopped.error().message);
  }
}

}  // namespace

runtime::Task<Result<std::unique_ptr<Node>>> Node::start(runtime::Shards& shards, config::ServerConfig config,
                                                         NodeOptions options) {
  auto node = std::make_unique<CombinedNode>(shards, std::move(config), std::move(options));
  auto started = co_await node->start();
  if (!started) {
    co_await node->stop();
    co_return std::unexpected(std::move(started).error());
  }
  co_return node;
}

}  // namespace dohle::broker
