#include <client/cluster.h>

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include <protocol/messages/describe_cluster_request.h>
#include <protocol/messages/describe_cluster_response.h>
#include <protocol/messages/find_coordinator_request.h>
#include <protocol/messages/find_coordinator_response.h>
#include <protocol/messages/metadata_request.h>
#include <protocol/messages/metadata_response.h>

#include "node_connection.h"

namespace dohle::client {

using protocol::ErrorCode;
using runtime::Task;

namespace {

// Bootstrap servers are nodes -1, -2 ... until metadata gives nodes their ids, as in Kafka's clients.
std::int32_t bootstrap_node(std::size_t index) { return -1 - static_cast<std::int32_t>(index); }

constexpr std::int8_t kControllerEndpoints = 2;

// The pass keeps the cluster alive as long as the connection needs its configuration.
Task<void> close_moved(std::shared_ptr<NodeConnection> connection, runtime::Gate::Pass /*pass*/) {
  co_await connection->close();
}

}  // namespace

std::int64_t Backoff::next_ms() {
  constexpr int kMaxDoublings = 20;
  const double base = std::ldexp(static_cast<double>(initial_ms_), std::min(attempts_++, kMaxDoublings));
  constexpr std::uint64_t kSteps = 1U << 20U;
  const double jitter = 0.8 + 0.4 * static_cast<double>(random_->below(kSteps)) / static_cast<double>(kSteps);
  return static_cast<std::int64_t>(std::min(base, static_cast<double>(max_ms_)) * jitter);
}

Cluster::Cluster(runtime::Shard& shard, ClientConfig config) : shard_(&shard), config_(std::move(config)) {}

Cluster::~Cluster() { DOHLE_CHECK(gate_.count() == 0); }

Task<void> Cluster::close() {
  stop_.stop();
  for (const auto& [node, connection] : connections_) co_await connection->close();
  co_await gate_.wait_empty();
  connections_.clear();
}

runtime::MonotonicTime Cluster::now() const { return shard_->clock().now(); }

std::string Cluster::give_up(std::int64_t timeout_ms, const KafkaError& last) const {
  return fmt::format("Gave up after {} ms: {}", timeout_ms, last.message);
}

Answer<std::shared_ptr<NodeConnection>> Cluster::connection(std::int32_t node) {
  if (closed()) return failure(ErrorCode::kNetworkException, "The client is closed");
  runtime::Endpoint endpoint;
  if (const auto found = coordinator_nodes_.find(node); found != coordinator_nodes_.end()) {
    endpoint = found->second;
  } else if (const auto known = metadata_.nodes.find(node); known != metadata_.nodes.end()) {
    endpoint = known->second.endpoint;
  } else if (node < 0 && static_cast<std::size_t>(-1 - node) < config_.bootstrap_servers.size()) {
    endpoint = config_.bootstrap_servers[static_cast<std::size_t>(-1 - node)];
  } else {
    return failure(ErrorCode::kBrokerNotAvailable, fmt::format("Node {} is not known", node));
  }
  auto& slot = connections_[node];
  if (slot != nullptr && slot->endpoint() != endpoint) {
    runtime::spawn(close_moved(std::exchange(slot, nullptr), gate_.enter()));
  }
  if (slot == nullptr) {
    slot = std::make_shared<NodeConnection>(*shard_, config_, node, endpoint);
  }
  return slot;
}

KafkaError Cluster::failure_of(const Error& error, std::int32_t node) {
  switch (error.code) {
    case Errc::kTimedOut:
      return {ErrorCode::kRequestTimedOut, fmt::format("Node {} did not answer in time", node)};
    case Errc::kUnsupported:
      return {ErrorCode::kUnsupportedVersion, error.message};
    case Errc::kMalformed:
      return {ErrorCode::kUnknownServerError, error.message};
    default:
      return {ErrorCode::kNetworkException, fmt::format("Node {} disconnected: {}", node, error.message)};
  }
}

Task<Answer<Cluster::Link>> Cluster::open(std::int32_t node, Wanted wanted, std::string_view name) {
  auto way = connection(node);
  if (!way) co_return std::unexpected(std::move(way).error());
  auto ready = co_await (*way)->ready();
  if (!ready) co_return std::unexpected(std::move(ready).error());
  const auto version = (*way)->versions().usable(wanted.api_key, wanted.versions.min, wanted.versions.max);
  if (!version) {
    co_return failure(ErrorCode::kUnsupportedVersion,
                      fmt::format("Node {} does not support {} in any version this client knows", node, name));
  }
  co_return Link{std::move(*ready), *version};
}

std::vector<std::int32_t> Cluster::candidates() const {
  std::vector<std::int32_t> nodes;
  for (const auto& [id, node] : metadata_.nodes) nodes.push_back(id);
  if (nodes.empty()) {
    for (std::size_t i = 0; i < config_.bootstrap_servers.size(); ++i) nodes.push_back(bootstrap_node(i));
  }
  return nodes;
}

Task<Answer<std::int32_t>> Cluster::any_node() {
  const auto pass = gate_.enter();
  auto nodes = candidates();
  // The least busy of those that are connected; else any, beginning anywhere.
  std::optional<std::int32_t> best;
  for (const std::int32_t node : nodes) {
    const auto found = connections_.find(node);
    if (found == connections_.end() || !found->second->is_connected()) continue;
    if (!best || found->second->in_flight() < connections_.at(*best)->in_flight()) best = node;
  }
  if (best) co_return *best;
  std::rotate(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(shard_->random().below(nodes.size())),
              nodes.end());
  // When no node of the metadata can be reached, the bootstrap servers may know better.
  if (!metadata_.nodes.empty()) {
    for (std::size_t i = 0; i < config_.bootstrap_servers.size(); ++i) nodes.push_back(bootstrap_node(i));
  }
  KafkaError last{ErrorCode::kNetworkException, "No node is available"};
  for (const std::int32_t node : nodes) {
    auto made = connection(node);
    if (!made) co_return std::unexpected(std::move(made).error());
    auto ready = co_await (*made)->ready();
    if (ready) co_return node;
    last = std::move(ready).error();
  }
  co_return std::unexpected(std::move(last));
}

Task<Answer<std::optional<VersionRange>>> Cluster::versions(std::int32_t node, std::int16_t api_key) {
  const auto pass = gate_.enter();
  auto made = connection(node);
  if (!made) co_return std::unexpected(std::move(made).error());
  if (auto ready = co_await (*made)->ready(); !ready) co_return std::unexpected(std::move(ready).error());
  const auto& ranges = (*made)->versions().ranges();
  const auto found = ranges.find(api_key);
  if (found == ranges.end()) co_return std::nullopt;
  co_return VersionRange{found->second.min, found->second.max};
}

Task<Answer<>> Cluster::refresh_metadata(std::optional<std::vector<std::string>> topics, bool allow_auto_create) {
  const auto pass = gate_.enter();
  if (config_.bootstrap_controllers) co_return co_await refresh_controllers();
  protocol::MetadataRequest request;
  request.allow_auto_topic_creation = allow_auto_create;
  if (topics) {
    for (const auto& topic : *topics) request.topics->emplace_back().name = Text(topic);
  } else {
    request.topics.reset();
  }
  const bool all = !topics.has_value();
  auto reply = co_await send_any(std::move(request));
  if (!reply) co_return std::unexpected(std::move(reply).error());
  if (reply->body.error_code != 0) co_return failure(reply->body.error_code);
  metadata_.update(reply->body, all);
  refreshed_at_ = now();
  co_return Answer<>{};
}

Task<Answer<>> Cluster::refresh_controllers() {
  protocol::DescribeClusterRequest request;
  request.endpoint_type = kControllerEndpoints;
  auto reply = co_await send_any(std::move(request), {.min_version = 1});
  if (!reply) co_return std::unexpected(std::move(reply).error());
  const auto& body = reply->body;
  if (body.error_code != 0) co_return failure(body.error_code, body.error_message ? body.error_message->str() : "");
  metadata_.cluster_id = body.cluster_id.str();
  metadata_.controller = body.controller_id;
  metadata_.nodes.clear();
  for (const auto& node : body.brokers) {
    metadata_.nodes[node.broker_id] = {
        node.broker_id, {node.host.str(), static_cast<std::uint16_t>(node.port)}, std::nullopt};
  }
  refreshed_at_ = now();
  co_return Answer<>{};
}

Task<Answer<std::int32_t>> Cluster::controller() {
  if (!config_.bootstrap_controllers) co_return co_await any_node();
  if (!metadata_.nodes.contains(metadata_.controller)) {
    if (auto refreshed = co_await refresh_metadata({}); !refreshed) {
      co_return std::unexpected(std::move(refreshed).error());
    }
  }
  if (metadata_.nodes.contains(metadata_.controller)) co_return metadata_.controller;
  co_return failure(ErrorCode::kBrokerNotAvailable, "There is no active controller");
}

Task<void> Cluster::disconnect(std::int32_t node) {
  const auto pass = gate_.enter();
  const auto found = connections_.find(node);
  if (found == connections_.end()) co_return;
  const auto connection = found->second;
  co_await connection->close();
}

bool Cluster::metadata_is_old() const {
  return !refreshed_at_ || (now() - *refreshed_at_) >= std::chrono::milliseconds(config_.metadata_max_age_ms);
}

Task<Answer<const TopicInfo*>> Cluster::topic(std::string name, std::int64_t timeout_ms, bool allow_auto_create) {
  const auto known = [this, &name]() -> const TopicInfo* {
    const TopicInfo* topic = metadata_.topic(name);
    if (topic == nullptr || topic->error != ErrorCode::kNone || topic->partitions.empty()) return nullptr;
    const bool led = std::ranges::all_of(topic->partitions, [](const auto& p) { return p.leader != kNoNode; });
    return led ? topic : nullptr;
  };
  if (const TopicInfo* topic = known(); topic != nullptr && !metadata_is_old()) co_return topic;
  co_return co_await retry(timeout_ms, [&]() -> Task<Answer<const TopicInfo*>> {
    if (auto refreshed = co_await refresh_metadata(std::vector{name}, allow_auto_create); !refreshed) {
      co_return std::unexpected(std::move(refreshed).error());
    }
    if (const TopicInfo* topic = known()) co_return topic;
    const TopicInfo* topic = metadata_.topic(name);
    if (topic != nullptr && topic->error != ErrorCode::kNone) co_return failure(number(topic->error));
    co_return failure(ErrorCode::kLeaderNotAvailable, fmt::format("Topic {} has a partition without a leader", name));
  });
}

Task<Answer<std::int32_t>> Cluster::coordinator(CoordinatorType type, std::string key) {
  const auto pass = gate_.enter();
  const auto known = coordinators_.find({type, key});
  if (known != coordinators_.end()) co_return known->second;
  protocol::FindCoordinatorRequest request;
  request.key_type = static_cast<std::int8_t>(type);
  request.coordinator_keys = {Text(key)};
  auto reply = co_await send_any(std::move(request), {.min_version = 4});
  if (!reply) co_return std::unexpected(std::move(reply).error());
  if (reply->body.coordinators.size() != 1) co_return failure(ErrorCode::kUnknownServerError);
  const auto& found = reply->body.coordinators.front();
  if (found.error_code != 0) {
    co_return failure(found.error_code, found.error_message ? found.error_message->str() : "");
  }
  const std::int32_t way = coordinator_way(found.node_id);
  coordinator_nodes_[way] = {found.host.str(), static_cast<std::uint16_t>(found.port)};
  coordinators_[{type, key}] = way;
  co_return way;
}

void Cluster::forget_coordinator(CoordinatorType type, std::string_view key) {
  coordinators_.erase({type, std::string(key)});
}

}  // namespace dohle::client
