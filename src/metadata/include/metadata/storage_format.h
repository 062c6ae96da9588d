// What `kafka-storage` does: format log directories, say what is in them, and explain feature levels. Output and exit
// codes are those of Kafka 4.4's StorageTool. Blocking; start-up and tools only.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>
#include <metadata/delta.h>
#include <metadata/features.h>
#include <runtime/clock.h>
#include <runtime/file_system.h>
#include <runtime/random.h>

namespace dohle::metadata {

// The parts of server.properties that matter here.
struct StorageSettings {
  std::int32_t node_id = -1;          // node.id
  bool has_roles = true;              // process.roles is set
  bool is_controller = true;          // and has "controller"
  std::vector<std::string> log_dirs;  // log.dirs
  std::string metadata_log_dir;       // metadata.log.dir, by default the first of log.dirs
  bool has_static_voters = false;     // controller.quorum.voters is set
  std::string controller_listener;    // first of controller.listener.names
  std::string controller_host;        // as advertised; "localhost" when empty
  std::uint16_t controller_port = 0;
  bool unstable_features = false;  // unstable.feature.versions.enable
};

struct FormatOptions {
  std::string cluster_id;                          // --cluster-id
  std::optional<std::string> release_version;      // --release-version
  std::vector<std::string> features;               // --feature name=level
  bool ignore_formatted = false;                   // --ignore-formatted
  bool standalone = false;                         // --standalone
  bool no_initial_controllers = false;             // --no-initial-controllers
  std::optional<std::string> initial_controllers;  // --initial-controllers id@host:port:directory,...
  std::vector<std::string> add_scram;              // --add-scram: refused, see README
};

// What the commands need from the outside; all must outlive the call.
struct StorageTool {
  runtime::FileSystem& files;
  runtime::Random& random;
  const runtime::Clock& clock;
  std::ostream& out;
  std::ostream& err;

  // Each gives the exit code, 0 or 1.
  [[nodiscard]] int format(const StorageSettings& settings, const FormatOptions& options);
  [[nodiscard]] int info(const StorageSettings& settings);
  [[nodiscard]] int random_uuid();
  [[nodiscard]] int version_mapping(const std::optional<std::string>& release_version);
  [[nodiscard]] int feature_dependencies(const std::vector<std::string>& features);
};

// The records a new cluster of that version starts with, in Kafka's order.
[[nodiscard]] std::vector<EncodedRecord> bootstrap_records(MetadataVersion version, const FeatureLevels& levels);
// For directories formatted before 4.4: the records of `bootstrap.checkpoint`, or, when there is none, just the newest
// metadata.version. (The bootstrap snapshot 0-0 of 4.4 comes through raft.)
[[nodiscard]] Result<std::vector<EncodedRecord>> read_bootstrap_records(runtime::FileSystem& files,
                                                                        const std::string& metadata_log_dir);

}  // namespace dohle::metadata
