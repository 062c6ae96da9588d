#include "node/quorum_part.h"

#include <chrono>
#include <utility>

#include <broker/config/controller_settings.h>
#include <broker/config/module_settings.h>
#include <metadata/storage_format.h>
#include <runtime/sync.h>

namespace dohle::broker {
namespace {

using std::chrono::milliseconds;

metadata::ControllerConfig controller_config(const config::ServerConfig& server, const std::string& cluster_id) {
  const auto& values = server.values();
  metadata::ControllerConfig out;
  out.node_id = server.node_id();
  out.cluster_id = cluster_id;
  out.broker_session_timeout = milliseconds(values.get_int("broker.session.timeout.ms"));
  out.max_idle_interval = milliseconds(values.get_int("metadata.max.idle.interval.ms"));
  out.leader_imbalance_check = values.get_bool("auto.leader.rebalance.enable")
                                   ? std::chrono::seconds(values.get_long("leader.imbalance.check.interval.seconds"))
                                   : std::chrono::seconds(0);
  out.unclean_election_check = milliseconds(values.get_long("unclean.leader.election.interval.ms"));
  out.default_partitions = values.get_int("num.partitions");
  out.default_replication_factor = static_cast<std::int16_t>(values.get_int("default.replication.factor"));
  out.delete_topic_enable = values.get_bool("delete.topic.enable");
  return out;
}

metadata::SnapshotPolicy snapshot_policy(const config::ServerConfig& server) {
  metadata::SnapshotPolicy out;
  out.max_new_bytes = server.values().get_long("metadata.log.max.record.bytes.between.snapshots");
  out.max_interval = milliseconds(server.values().get_long("metadata.log.max.snapshot.interval.ms"));
  return out;
}

}  // namespace

runtime::Task<Result<std::unique_ptr<QuorumPart>>> QuorumPart::open(runtime::Shards& shards, storage::LogManager& logs,
                                                                    const config::ServerConfig& server,
                                                                    const std::string& cluster_id,
                                                                    std::function<void(Error)> fault) {
  std::unique_ptr<QuorumPart> part(new QuorumPart);
  runtime::Shard& shard = shards.at(0);
  auto raft = config::raft_config(server, shard.network().canonical_host_name());
  raft.cluster_id = cluster_id;
  DOHLE_CO_ASSIGN(part->raft_,
                  co_await raft::RaftNode::open(
                      std::move(raft), {.shard = shard, .directory = logs.metadata_directory(), .logs = logs.on(0)}));
  std::vector<metadata::Publisher::Target> targets;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    part->metadata_.push_back(std::make_unique<metadata::ShardMetadata>());
    targets.push_back({&shards.at(i).executor(), part->metadata_.back().get()});
  }
  part->publisher_ = std::make_unique<metadata::Publisher>(std::move(targets));
  part->snapshots_ = shards.make_io_thread("snapshots");
  part->loader_ = std::make_unique<metadata::MetadataLoader>(shard, *part->raft_, *part->snapshots_, *part->publisher_,
                                                             snapshot_policy(server), std::move(fault));
  part->validator_ = config::make_config_validator(server);
  auto settings = controller_config(server, cluster_id);
  DOHLE_CO_ASSIGN(settings.fallback_bootstrap_records,
                  metadata::read_bootstrap_records(shard.files(), logs.metadata_directory().path()));
  part->controller_ = std::make_unique<metadata::Controller>(
      std::move(settings), metadata::Controller::Surroundings{shard, *part->raft_, *part->loader_, *part->validator_});
  part->apis_ = std::make_unique<metadata::ControllerApis>(
      cluster_id, metadata::ControllerApis::Surroundings{*part->controller_, *part->raft_, *part->loader_});
  part->channel_ = metadata::make_in_process_channel(shard, *part->controller_);
  co_return part;
}

runtime::Task<void> QuorumPart::start() {
  const Offset before = raft_->log_end();
  raft_->register_listener(*loader_);
  raft_->start();
  if (before > Offset(0)) co_await publisher_->wait_published(before.prev());
}

runtime::Task<void> QuorumPart::stop() {
  co_await raft_->shutdown();
  co_await controller_->close();
  raft_->unregister_listener(*loader_);
  co_await loader_->close();
}

}  // namespace dohle::broker
