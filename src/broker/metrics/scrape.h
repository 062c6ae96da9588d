// A scrape: everything a node tells, gathered from all its shards. On shard 0.
#pragma once

#include <cstdint>
#include <functional>

#include <runtime/process_usage.h>
#include <runtime/shard.h>
#include <runtime/task.h>
#include <storage/log_manager.h>
#include <transport/server.h>

#include "metrics/samples.h"
#include "node/quorum_part.h"
#include "shard/broker.h"

namespace dohle::broker {

// All of it outlives the scrape.
struct ScrapeSources {
  runtime::Shards& shards;
  Broker& broker;
  QuorumPart& quorum;
  storage::LogManager& logs;
  transport::Server& server;
  std::uint64_t memory_bytes = 0;
  std::uint64_t buffer_bytes = 0;
  std::function<runtime::ProcessUsage()> process_usage;  // empty: nothing is told of it
};

[[nodiscard]] runtime::Task<Samples> scrape(const ScrapeSources& sources);

}  // namespace dohle::broker
