#include "node_setup.h"

#include <sstream>

#include <base/check.h>
#include <metadata/storage_format.h>

namespace dohle::broker {

config::TextMap single_node(const std::string& directory, std::size_t shards, config::TextMap overrides) {
  const config::TextMap defaults{
      {"process.roles", "broker,controller"},
      {"node.id", "1"},
      {"listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0"},
      {"controller.listener.names", "CONTROLLER"},
      {"controller.quorum.bootstrap.servers", "127.0.0.1:9093"},
      {"log.dirs", directory},
      {"offsets.topic.replication.factor", "1"},
      {"offsets.topic.num.partitions", "4"},
      {"group.initial.rebalance.delay.ms", "0"},
      {"shards", std::to_string(shards)},
  };
  overrides.insert(defaults.begin(), defaults.end());
  return overrides;
}

void format_node(runtime::FileSystem& files, runtime::Random& random, const runtime::Clock& clock,
                 const config::ServerConfig& config) {
  std::ostringstream said;
  metadata::StorageTool tool{files, random, clock, said, said};
  metadata::StorageSettings settings;
  settings.node_id = config.node_id();
  settings.log_dirs = config.log_dirs();
  settings.metadata_log_dir = config.metadata_log_dir();
  settings.controller_listener = "CONTROLLER";
  settings.controller_host = "127.0.0.1";
  settings.controller_port = 9093;
  metadata::FormatOptions options;
  options.cluster_id = random.uuid().to_string();
  options.standalone = true;
  DOHLE_CHECK(tool.format(settings, options) == 0);
}

}  // namespace dohle::broker
