#include "node/broker_part.h"

#include <utility>

#include <base/log.h>
#include <broker/config/module_settings.h>
#include <runtime/start_all.h>

#include "node/request_settings.h"

namespace dohle::broker {
namespace {

RequestSettings settings_of(const BrokerPart::Parts& parts) {
  RequestSettings out = request_settings(parts.config);
  out.advertise_peer_address = parts.advertise_peer_address;
  return out;
}

}  // namespace

BrokerPart::BrokerPart(Parts parts)
    : parts_(std::move(parts)),
      node_config_(parts_.config),
      broker_(BrokerId(parts_.config.node_id()), parts_.cluster_id, settings_of(parts_), parts_.shards.size()),
      locals_(parts_.shards.size()) {
  broker_.set_controller(parts_.quorum.channel());
  broker_.set_logs(parts_.logs);
  broker_.set_config(std::make_shared<const config::NodeConfig>(node_config_));
}

// Its own settings over the cluster's and this broker's dynamic ones.
storage::LogConfig BrokerPart::log_config_for(const metadata::MetadataImage& image, const std::string& topic) const {
  using metadata::ConfigResourceType;
  const auto& cluster = image.configs().of(ConfigResourceType::kBroker, "");
  const auto& broker = image.configs().of(ConfigResourceType::kBroker, std::to_string(parts_.config.node_id()));
  const auto& overrides = image.configs().of(ConfigResourceType::kTopic, topic);
  const auto values = node_config_.topic_under(cluster, broker, overrides);
  if (values) return config::log_config(*values);
  log::error("broker", "Topic {} keeps the defaults: {}", topic, values.error().message);
  return config::log_config(*node_config_.topic({}));
}

runtime::Task<void> BrokerPart::on_all_shards(runtime::Task<runtime::Unit> (BrokerPart::*work)(std::size_t)) {
  std::vector<runtime::Task<runtime::Unit>> tasks;
  for (std::size_t i = 0; i < locals_.size(); ++i) {
    tasks.push_back(runtime::submit_to(parts_.shards.at(i), [this, work, i] { return (this->*work)(i); }));
  }
  co_await runtime::start_all(std::move(tasks));
}

runtime::Task<void> BrokerPart::build() {
  co_await on_all_shards(&BrokerPart::build_on);
  std::vector<BrokerShard*> shards;
  for (auto& local : locals_) shards.push_back(local.shard.get());
  broker_.set_shards(std::move(shards));
  co_await on_all_shards(&BrokerPart::connect_on);
}

runtime::Task<runtime::Unit> BrokerPart::connect_on(std::size_t index) {
  std::vector<coordinator::GroupCoordinator*> coordinators;
  for (auto& local : locals_) coordinators.push_back(&local.groups->coordinator());
  locals_[index].groups->connect(parts_.shards, std::move(coordinators));
  co_return runtime::Unit{};
}

runtime::Task<runtime::Unit> BrokerPart::build_on(std::size_t index) {
  Local& local = locals_[index];
  runtime::Shard& shard = parts_.shards.at(index);
  local.shard = std::make_unique<BrokerShard>(BrokerShard::Parts{
      .shard = shard,
      .broker = broker_,
      .metadata = parts_.quorum.metadata(index),
      .logs = parts_.logs.on(index),
      .fetch_session_slots =
          static_cast<std::size_t>(parts_.config.values().get_int("max.incremental.fetch.session.cache.slots")) /
          locals_.size(),
      .log_config = [this](const metadata::MetadataImage& image,
                           const std::string& topic) { return log_config_for(image, topic); },
      .topic_shape = [this](std::string_view topic) { return topic_shape(parts_.config, topic); }});
  local.groups = std::make_unique<ShardGroups>(*local.shard, config::group_config(parts_.config));
  local.dispatcher = std::make_unique<Dispatcher>(*local.shard);
  co_return runtime::Unit{};
}

runtime::Task<void> BrokerPart::follow_metadata() { return on_all_shards(&BrokerPart::follow_on); }

runtime::Task<runtime::Unit> BrokerPart::follow_on(std::size_t index) {
  locals_[index].shard->start();
  co_await locals_[index].shard->settled();
  co_return runtime::Unit{};
}

runtime::Task<void> BrokerPart::settled() { return on_all_shards(&BrokerPart::settle_on); }

runtime::Task<runtime::Unit> BrokerPart::settle_on(std::size_t index) {
  co_await locals_[index].shard->settled();
  co_return runtime::Unit{};
}

runtime::Task<void> BrokerPart::open_for_requests() { return on_all_shards(&BrokerPart::open_on); }

runtime::Task<runtime::Unit> BrokerPart::open_on(std::size_t index) {
  locals_[index].dispatcher->open();
  co_return runtime::Unit{};
}

void BrokerPart::directory_failed(const std::string& path, const Error& error) {
  for (std::size_t i = 0; i < locals_.size(); ++i) {
    parts_.shards.at(i).executor().post([this, i, path, error] { locals_[i].shard->on_directory_failed(path, error); });
  }
}

runtime::Task<void> BrokerPart::stop() { return on_all_shards(&BrokerPart::stop_on); }

runtime::Task<runtime::Unit> BrokerPart::stop_on(std::size_t index) {
  if (!locals_[index].shard) co_return runtime::Unit{};  // the start never came that far
  co_await locals_[index].groups->stop();
  co_await locals_[index].shard->close();
  co_return runtime::Unit{};
}

}  // namespace dohle::broker
