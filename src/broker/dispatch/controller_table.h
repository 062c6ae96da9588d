// The table of APIs of the controller listener. Everything there is decided on shard 0, where raft and the controller
// live; the connection's shard passes the frame over and the answer back.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <base/reader.h>
#include <base/result.h>
#include <metadata/controller.h>
#include <metadata/publisher.h>
#include <protocol/header.h>
#include <protocol/writer.h>
#include <raft/driver.h>
#include <runtime/task.h>

namespace dohle::broker {

// On shard 0, for one request.
struct ControllerContext {
  raft::RaftNode& raft;
  metadata::Controller& controller;
  const metadata::ImageRef image;
  const std::string& cluster_id;
  std::int32_t node_id = -1;
  std::string listener;
  std::string client_id;
  std::int16_t version = 0;
};

struct ControllerRow {
  std::int16_t api_key = 0;
  std::int16_t min_version = 0;
  std::int16_t max_version = 0;
  // Decodes from the reader, encodes the answer's body into the writer. Fails when the request does not parse.
  runtime::Task<Result<>> (*serve)(ControllerContext&, Reader&, protocol::Writer&) = nullptr;
};

// Sorted by API key.
[[nodiscard]] std::span<const ControllerRow> controller_table();
[[nodiscard]] const ControllerRow* find_controller_row(std::int16_t api_key);

}  // namespace dohle::broker
