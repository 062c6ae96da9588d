// One combined node without its broker: formatted directory, raft over a real log, loader, controller and the broker's
// lifecycle, on shards in memory.
#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <metadata/broker_lifecycle.h>
#include <metadata/controller.h>
#include <metadata/controller_apis.h>
#include <metadata/loader.h>
#include <metadata/publisher.h>
#include <metadata/storage_format.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <raft/driver.h>
#include <runtime/memory/memory_shards.h>
#include <storage/log_manager.h>
#include <testing/fake_config_validator.h>

namespace dohle::metadata {

class MetadataWorld {
 public:
  static constexpr const char* kCluster = "4L6g3nShT-eMCtK--X86sw";
  static constexpr const char* kDirectory = "data";

  explicit MetadataWorld(std::size_t shard_count) : shards(shard_count) {
    for (std::size_t i = 0; i < shard_count; ++i) metadata.push_back(std::make_unique<ShardMetadata>());
  }
  ~MetadataWorld() {
    if (raft != nullptr) stop(false);
  }

  void format() {
    std::ostringstream out;
    StorageTool tool{shards.files(), shards.at(0).random(), shards.clock(), out, out};
    ASSERT_EQ(tool.format({.node_id = 1,
                           .log_dirs = {kDirectory},
                           .metadata_log_dir = kDirectory,
                           .controller_listener = "CONTROLLER",
                           .controller_port = 9093},
                          {.cluster_id = kCluster, .standalone = true}),
              0)
        << out.str();
  }
  // Raft, loader and controller.
  void start() {
    const Result<> started = shards.run(0, [this]() -> runtime::Task<Result<>> { co_return co_await open(); });
    ASSERT_TRUE(started.has_value()) << started.error().message;
    shards.run_until([this] { return controller->is_active(); });
  }
  // And the broker's half, on the last shard; waits until it is unfenced.
  void start_broker() {
    const std::size_t home = shards.size() - 1;
    BrokerLifecycleConfig broker{.broker_id = 1, .cluster_id = kCluster};
    broker.incarnation_id = shards.at(0).random().uuid();
    broker.endpoints = {{"PLAINTEXT", "localhost", 9092, 0}};
    broker.directories = {logs->metadata_directory().id()};
    broker.previous_broker_epoch = logs->previous_broker_epoch();
    lifecycle = std::make_unique<BrokerLifecycle>(broker, shards.at(home), *channel, *metadata[home]);
    const Result<> caught_up = shards.run(home, [this]() -> runtime::Task<Result<>> {
      lifecycle->start();
      const Result<> result = co_await lifecycle->wait_caught_up();
      if (!result) co_return result;
      lifecycle->set_ready();
      co_await lifecycle->wait_unfenced();
      co_return result;
    });
    ASSERT_TRUE(caught_up.has_value()) << caught_up.error().message;
  }
  // A clean stop leaves the quorum only after the controller has let the broker go.
  void stop(bool clean = true) {
    std::int64_t epoch = -1;
    if (lifecycle != nullptr) {
      shards.run(shards.size() - 1, [this, clean]() -> runtime::Task<void> {
        if (clean) {
          EXPECT_TRUE(co_await lifecycle->controlled_shutdown(std::chrono::seconds(5)));
        }
        co_await lifecycle->stop();
      });
      if (clean) epoch = lifecycle->broker_epoch();
      lifecycle.reset();
    }
    shards.run(0, [this, epoch]() -> runtime::Task<void> {
      raft->unregister_listener(*loader);
      co_await raft->shutdown();
      publisher->close();
      co_await controller->close();
      co_await loader->close();
      static_cast<void>(co_await logs->shutdown(epoch));
    });
    const auto scope = shards.enter(0);
    channel.reset();
    controller.reset();
    loader.reset();
    publisher.reset();
    raft.reset();
    io.reset();
    logs.reset();
  }
  // The power fails: what was not synced is gone.
  void crash() {
    shards.files().crash(runtime::CrashLoss::kUnsynced);
    using Op = runtime::FileOperation;
    for (const Op operation : {Op::kOpen, Op::kWrite, Op::kRename, Op::kSync, Op::kRemove, Op::kSyncDirectory}) {
      shards.files().inject({.operation = operation, .path_part = kDirectory});
    }
    stop(false);
    shards.files().clear_faults();
  }

  // From shard `from`, through the channel.
  template <typename Request>
  auto ask(const Request& request, std::size_t from = 0, std::int16_t version = Request::kMaxVersion) {
    return shards
        .run(from,
             [this, &request, version]() -> runtime::Task<Result<typename Request::Response>> {
               ControllerRequestContext context;
               context.api_version = version;
               co_return co_await channel->send(request, std::move(context));
             })
        .value();
  }
  std::int16_t create_topic(const std::string& name, std::int32_t partitions = 1, std::size_t from = 0) {
    protocol::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    return ask(request, from).topics.at(0).error_code;
  }
  [[nodiscard]] const MetadataImage& image(std::size_t shard = 0) const { return *metadata[shard]->image(); }

  runtime::MemoryShards shards;
  SnapshotPolicy policy;
  ControllerConfig config{.node_id = 1, .cluster_id = kCluster};
  FakeConfigValidator validator;
  std::vector<std::unique_ptr<ShardMetadata>> metadata;
  std::unique_ptr<storage::LogManager> logs;
  std::unique_ptr<raft::RaftNode> raft;
  std::unique_ptr<runtime::IoThread> io;
  std::unique_ptr<Publisher> publisher;
  std::unique_ptr<MetadataLoader> loader;
  std::unique_ptr<Controller> controller;
  std::unique_ptr<ControllerChannel> channel;
  std::unique_ptr<BrokerLifecycle> lifecycle;
  std::vector<Error> faults;

 private:
  runtime::Task<Result<>> open() {
    storage::LogManagerConfig log_config{.log_dirs = {kDirectory}, .journal_bytes = 64U << 10U};
    log_config.shard_of = [](const TopicIdPartition&) { return std::size_t{0}; };
    DOHLE_CO_ASSIGN(logs, storage::LogManager::open(shards, log_config));
    DOHLE_CO_TRY(logs->check_and_complete_meta(kCluster, 1));
    raft::RaftConfig raft_config;
    raft_config.node_id = 1;
    raft_config.cluster_id = kCluster;
    raft_config.endpoints = {{"CONTROLLER", "localhost", 9093}};
    auto opening = raft::RaftNode::open(
        raft_config, {.shard = shards.at(0), .directory = logs->metadata_directory(), .logs = logs->on(0)});
    DOHLE_CO_ASSIGN(raft, co_await std::move(opening));
    storage::LoadOptions load;
    load.config_for = [](const std::string&) { return storage::LogConfig{}; };
    auto loading = logs->load(std::move(load));
    DOHLE_CO_TRY(co_await std::move(loading));
    io = shards.make_io_thread("snapshots");
    std::vector<Publisher::Target> targets;
    for (std::size_t i = 0; i < shards.size(); ++i) targets.push_back({&shards.at(i).executor(), metadata[i].get()});
    publisher = std::make_unique<Publisher>(targets);
    loader = std::make_unique<MetadataLoader>(shards.at(0), *raft, *io, *publisher, policy,
                                              [this](Error error) { faults.push_back(std::move(error)); });
    controller =
        std::make_unique<Controller>(config, Controller::Surroundings{shards.at(0), *raft, *loader, validator});
    channel = make_in_process_channel(shards.at(0), *controller);
    raft->register_listener(*loader);
    raft->start();
    co_return Result<>{};
  }
};

}  // namespace dohle::metadata
