#include "node_connection.h"

#include <utility>

#include <fmt/core.h>

#include <base/log.h>

namespace dohle::client {

using protocol::ErrorCode;
using runtime::Task;

Task<Answer<std::shared_ptr<transport::ClientConnection>>> NodeConnection::ready() {
  const auto self = shared_from_this();
  const auto hold = co_await connecting_.lock();
  if (is_connected()) co_return connection_;
  if (is_backing_off()) {
    co_return failure(ErrorCode::kNetworkException,
                      fmt::format("Node {} at {} is not available", node_, endpoint_.to_string()));
  }
  const Answer<> connected = co_await connect();
  if (!connected) {
    not_before_ = shard_->clock().now() + std::chrono::milliseconds(backoff_.next_ms());
    if (connection_ != nullptr) co_await connection_->close();
    connection_.reset();
    co_return std::unexpected(connected.error());
  }
  backoff_.reset();
  co_return connection_;
}

Task<Answer<>> NodeConnection::connect() {
  if (connection_ != nullptr) co_await std::exchange(connection_, nullptr)->close();
  transport::ClientOptions options;
  options.client_id = config_->client_id;
  options.connect_timeout = std::chrono::milliseconds(config_->socket_connection_setup_timeout_ms);
  auto made = co_await transport::ClientConnection::connect(*shard_, endpoint_, std::move(options));
  if (!made) {
    log::warn("client", "Connection to node {} ({}) could not be established. Node may not be available.", node_,
              endpoint_.to_string());
    co_return failure(ErrorCode::kNetworkException,
                      fmt::format("Connection to node {} ({}) could not be established", node_, endpoint_.to_string()));
  }
  connection_ = std::move(*made);
  auto versions =
      co_await transport::ask_api_versions(*connection_, {}, std::chrono::milliseconds(config_->request_timeout_ms));
  if (!versions) co_return std::unexpected(Cluster::failure_of(versions.error(), node_));
  versions_ = std::move(*versions);
  co_return Answer<>{};
}

Task<void> NodeConnection::close() {
  const auto self = shared_from_this();
  if (auto connection = std::exchange(connection_, nullptr)) co_await connection->close();
}

}  // namespace dohle::client
