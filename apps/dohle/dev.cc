// dohle dev: a broker for development and tests. No configuration, a temporary directory, gone without a trace on exit.
#include <charconv>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

#include <base/log.h>
#include <broker/config/properties.h>
#include <broker/config/server_config.h>
#include <metadata/storage_format.h>
#include <runtime/live/system.h>

#include "dohle/command.h"
#include "dohle/server_process.h"

namespace dohle::app {
namespace {

constexpr const char* kUsage =
    "Usage: dohle dev [--port N] [--shards N] [--metrics PORT] [--override property=value]...\n\n"
    "Starts a broker for development and tests: no configuration, its data in a temporary directory that is removed "
    "on\n"
    "exit. The default port is 9092; with --port 0 any free one is taken. The address it listens on is printed on "
    "standard\n"
    "output as soon as it serves. With --metrics there are metrics for Prometheus at http://localhost:PORT/metrics.\n";

struct DevOptions {
  std::string port = "9092";
  std::string shards = "1";
  std::vector<std::string> overrides;
};

Result<DevOptions> parse(const Arguments& arguments) {
  DevOptions out;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (i + 1 == arguments.size()) return fail(Errc::kInvalidConfig, arguments[i] + " needs a value");
    const auto& value = arguments[i + 1];
    if (arguments[i] == "--port") {
      out.port = value;
    } else if (arguments[i] == "--shards") {
      out.shards = value;
    } else if (arguments[i] == "--metrics") {
      out.overrides.push_back("metrics.listener=127.0.0.1:" + value);
    } else if (arguments[i] == "--override") {
      out.overrides.push_back(value);
    } else {
      return fail(Errc::kInvalidConfig, "there is no option " + arguments[i] + "; `dohle dev --help` lists them");
    }
  }
  return out;
}

// A directory of its own below the system's temporary one; removed with everything in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory(runtime::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~TemporaryDirectory() { static_cast<void>(files_.remove_all(path_)); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  runtime::FileSystem& files_;
  std::string path_;
};

Result<broker::config::ServerConfig> make_config(const DevOptions& options, const std::string& directory) {
  broker::config::TextMap properties{
      {"process.roles", "broker,controller"},
      {"node.id", "1"},
      {"listeners", "PLAINTEXT://:" + options.port + ",CONTROLLER://127.0.0.1:0"},
      {"advertised.listeners", "PLAINTEXT://localhost:" + options.port},
      {"controller.listener.names", "CONTROLLER"},
      {"controller.quorum.bootstrap.servers", "127.0.0.1:9093"},
      {"log.dirs", directory},
      {"offsets.topic.replication.factor", "1"},
      {"transaction.state.log.replication.factor", "1"},
      {"transaction.state.log.min.isr", "1"},
      {"share.coordinator.state.topic.replication.factor", "1"},
      {"share.coordinator.state.topic.min.isr", "1"},
      {"group.initial.rebalance.delay.ms", "0"},
      {"shards", options.shards},
  };
  for (const auto& text : options.overrides) DOHLE_TRY(broker::config::apply_override(properties, text));
  return broker::config::ServerConfig::from(std::move(properties));
}

Result<> format(runtime::FileSystem& files, runtime::Random& random, const broker::config::ServerConfig& config) {
  const auto clock = runtime::make_system_clock();
  std::ostringstream said;
  metadata::StorageTool tool{files, random, *clock, said, said};
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
  if (tool.format(settings, options) != 0) return fail(Errc::kIo, said.str());
  return {};
}

}  // namespace

int run_dev(const Arguments& arguments) {
  if (!arguments.empty() && (arguments.front() == "--help" || arguments.front() == "-h")) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  log::configure(log::Level::kWarn, log::Format::kText);
  const auto complain = [](const Error& error) {
    std::fprintf(stderr, "dohle: %s\n", error.message.c_str());
    return kExitFailure;
  };
  const auto options = parse(arguments);
  if (!options) return complain(options.error());

  const auto files = runtime::make_system_files();
  const auto random = runtime::make_system_random();
  const TemporaryDirectory directory(*files, temporary_path("dohle-dev-" + random->uuid().to_string()));
  auto config = make_config(*options, directory.path());
  if (!config) return complain(config.error());
  if (auto formatted = format(*files, *random, *config); !formatted) return complain(formatted.error());
  return run_server_process(
      {.config = std::move(*config), .advertise_peer_address = true, .on_ready = [](const broker::Node& node) {
         std::printf("localhost:%d\n", node.ports().at("PLAINTEXT"));
         std::fflush(stdout);
       }});
}

}  // namespace dohle::app
