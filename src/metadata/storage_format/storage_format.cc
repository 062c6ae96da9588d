#include <metadata/storage_format.h>

#include <charconv>
#include <map>
#include <ostream>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <metadata/partition_registration.h>
#include <raft/snapshot_reader.h>
#include <raft/snapshot_writer.h>
#include <storage/meta_properties.h>
#include <storage_format/format_plan.h>

namespace dohle::metadata {
namespace {

using storage::MetaProperties;

// The log directories by what is in them, sorted by path.
struct Directories {
  std::map<std::string, MetaProperties> formatted;
  std::set<std::string> empty;
  std::map<std::string, std::string> broken;  // with the reason
};

std::set<std::string> all_directories(const StorageSettings& settings) {
  std::set<std::string> out(settings.log_dirs.begin(), settings.log_dirs.end());
  if (!settings.metadata_log_dir.empty()) out.insert(settings.metadata_log_dir);
  return out;
}

Directories look(runtime::FileSystem& files, const std::set<std::string>& directories) {
  Directories out;
  for (const std::string& directory : directories) {
    auto meta = storage::read_meta_properties(files, directory);
    if (meta) {
      out.formatted.emplace(directory, std::move(*meta));
    } else if (meta.error().code == Errc::kNotFound) {
      out.empty.insert(directory);
    } else {
      out.broken.emplace(directory, meta.error().message);
    }
  }
  return out;
}

Result<> check_belongs(const Directories& directories, const std::string& cluster_id, std::int32_t node_id) {
  for (const auto& [directory, meta] : directories.formatted) {
    const std::string path = runtime::join_path(directory, storage::kMetaPropertiesFile);
    if (meta.cluster_id && *meta.cluster_id != cluster_id) {
      return fail(Errc::kInvalidConfig, fmt::format("Invalid cluster.id in: {}. Expected {}, but read {}", path,
                                                    cluster_id, *meta.cluster_id));
    }
    if (meta.node_id && *meta.node_id != node_id) {
      return fail(Errc::kInvalidConfig, fmt::format("Stored node id {} doesn't match previous node id {} in {}",
                                                    *meta.node_id, node_id, path));
    }
  }
  return {};
}

std::string describe(const FormatPlan& plan) {
  std::string records;
  const auto add = [&records](std::string_view name, std::int16_t level) {
    if (!records.empty()) records += ", ";
    records +=
        fmt::format("ApiMessageAndVersion(FeatureLevelRecord(name='{}', featureLevel={}) at version 0)", name, level);
  };
  add(kMetadataVersionFeature, plan.version.level());
  for (const auto& [name, level] : plan.levels) {
    if (level > 0 && name != kMetadataVersionFeature && name != kKRaftVersionFeature) add(name, level);
  }
  return fmt::format("BootstrapMetadata(records=[{}], metadataVersionLevel={}, source=format command)", records,
                     plan.version.level());
}

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A directory that is still there after a power loss: the entries of all new ones above it are synced too.
Result<> create_durably(runtime::FileSystem& files, const std::string& directory) {
  std::vector<std::string> parents;
  for (std::string at = directory; !files.exists(at); at = parent_of(at)) {
    parents.push_back(parent_of(at));
    if (parents.back() == at) break;
  }
  DOHLE_TRY(files.create_directories(directory));
  for (const std::string& parent : parents) DOHLE_TRY(files.sync_directory(parent));
  return {};
}

// One directory's part of a format.
class Formatter {
 public:
  Formatter(StorageTool& tool, const StorageSettings& settings, const FormatOptions& options, const FormatPlan& plan)
      : tool_(tool), settings_(settings), options_(options), plan_(plan) {}

  Result<> run(const Directories& directories) {
    std::set<Uuid> taken;
    for (const auto& [directory, meta] : directories.formatted) {
      if (meta.directory_id) taken.insert(*meta.directory_id);
    }
    for (const std::string& directory : directories.empty) {
      Uuid id;
      do id = tool_.random.uuid();
      while (is_reserved_directory(id) || !taken.insert(id).second);
      DOHLE_TRY(format_one(directory, id));
    }
    return {};
  }

 private:
  Result<> format_one(const std::string& directory, Uuid id) {
    const bool is_metadata = directory == settings_.metadata_log_dir;
    const raft::Voter* voter = is_metadata && plan_.voters ? plan_.voters->find(settings_.node_id) : nullptr;
    if (voter != nullptr) id = voter->key.directory_or_zero();
    const std::string_view kind = !is_metadata       ? "data directory"
                                  : !plan_.voters    ? "metadata directory"
                                  : voter != nullptr ? "dynamic metadata voter directory"
                                                     : "dynamic metadata directory";
    tool_.out << fmt::format("Formatting {} {} with metadata.version {}.\n", kind, directory, plan_.version.name());
    DOHLE_TRY(create_durably(tool_.files, directory));
    if (settings_.is_controller && is_metadata) DOHLE_TRY(write_bootstrap_snapshot(directory));
    MetaProperties meta;
    meta.cluster_id = options_.cluster_id;
    meta.node_id = settings_.node_id;
    meta.directory_id = id;
    if (auto written = storage::write_meta_properties(tool_.files, directory, meta); !written) {
      return fail(written.error().code,
                  fmt::format("Error while writing meta.properties file {}: {}", directory, written.error().message));
    }
    return {};
  }

  Result<> write_bootstrap_snapshot(const std::string& directory) {
    const std::int64_t now = tool_.clock.wall_ms();
    raft::SnapshotOptions options;
    options.last_contained_log_timestamp_ms = now;
    options.now_ms = now;
    options.kraft_version = plan_.kraft_version();
    if (plan_.kraft_version() > 0) options.voters = plan_.voters;
    DOHLE_ASSIGN(auto writer,
                 raft::SnapshotWriter::create(tool_.files, runtime::join_path(directory, raft::kMetadataDirectory),
                                              raft::kBootstrapSnapshotId, options));
    DOHLE_TRY(writer->append(plan_.records));
    return writer->freeze();
  }

  StorageTool& tool_;
  const StorageSettings& settings_;
  const FormatOptions& options_;
  const FormatPlan& plan_;
};

Result<> run_format(StorageTool& tool, const StorageSettings& settings, const FormatOptions& options) {
  DOHLE_ASSIGN(const FormatPlan plan, plan_format(settings, options, tool.random));
  const Directories directories = look(tool.files, all_directories(settings));
  DOHLE_TRY(check_belongs(directories, options.cluster_id, settings.node_id));
  if (!options.ignore_formatted && !directories.formatted.empty()) {
    return fail(
        Errc::kAlreadyExists,
        fmt::format("Log directory {} is already formatted. Use --ignore-formatted to ignore this directory and "
                    "format the others.",
                    directories.formatted.begin()->first));
  }
  for (const auto& [directory, why] : directories.broken) {
    tool.out << fmt::format("I/O error trying to read log directory {}. Ignoring...\n", directory);
  }
  if (!directories.broken.empty() && directories.empty.empty() && directories.formatted.empty()) {
    return fail(Errc::kIo, "No available log directories to format.");
  }
  if (directories.empty.empty()) {
    tool.out << "All of the log directories are already formatted.\n";
    return {};
  }
  tool.out << "Bootstrap metadata: " << describe(plan) << '\n';
  return Formatter(tool, settings, options, plan).run(directories);
}

void print_list(std::ostream& out, std::string_view one, std::string_view many, const std::vector<std::string>& items) {
  if (items.empty()) return;
  out << (items.size() == 1 ? one : many) << ":\n";
  for (const std::string& item : items) out << "  " << item << '\n';
  out << '\n';
}

}  // namespace

int StorageTool::format(const StorageSettings& settings, const FormatOptions& options) {
  const auto done = run_format(*this, settings, options);
  if (done) return 0;
  err << done.error().message << '\n';
  return 1;
}

int StorageTool::info(const StorageSettings& settings) {
  std::vector<std::string> found;
  std::vector<std::string> problems;
  std::optional<MetaProperties> first;
  for (const std::string& directory : all_directories(settings)) {
    if (!files.list(directory)) {
      problems.push_back(directory + (files.exists(directory) ? " is not a directory" : " does not exist"));
      continue;
    }
    found.push_back(directory);
    auto meta = storage::read_meta_properties(files, directory);
    if (!meta && meta.error().code == Errc::kNotFound) {
      problems.push_back(directory + " is not formatted.");
    } else if (!meta) {
      problems.push_back(fmt::format(
          "Error loading {}: {}", runtime::join_path(directory, storage::kMetaPropertiesFile), meta.error().message));
    } else if (!first) {
      first = std::move(*meta);
    } else if (first->cluster_id != meta->cluster_id) {
      problems.emplace_back("Mismatched cluster IDs between storage directories.");
    } else if (first->node_id != meta->node_id) {
      problems.emplace_back("Mismatched node IDs between storage directories.");
    }
  }
  if (first && settings.has_roles && first->version == 0) {
    problems.emplace_back(
        "The kafka configuration file appears to be for a cluster in KRaft mode, but the directories are formatted for "
        "legacy mode.");
  } else if (first && !settings.has_roles && first->version == 1) {
    problems.emplace_back(
        "The kafka configuration file appears to be for a legacy cluster, but the directories are formatted for a "
        "cluster "
        "in KRaft mode.");
  }
  if (found.empty() && problems.empty()) {
    out << "No directories specified.\n";
    return 0;
  }
  print_list(out, "Found log directory", "Found log directories", found);
  if (first) {
    std::vector<std::string> entries;
    if (first->version == 0 && first->node_id) entries.push_back(fmt::format("broker.id={}", *first->node_id));
    if (first->cluster_id) entries.push_back(fmt::format("cluster.id={}", *first->cluster_id));
    if (first->directory_id) entries.push_back(fmt::format("directory.id={}", first->directory_id->to_string()));
    if (first->version != 0 && first->node_id) entries.push_back(fmt::format("node.id={}", *first->node_id));
    entries.push_back(fmt::format("version={}", first->version));
    out << "Found metadata: {";
    for (std::size_t i = 0; i < entries.size(); ++i) out << (i == 0 ? "" : ", ") << entries[i];
    out << "}\n\n";
  }
  print_list(out, "Found problem", "Found problems", problems);
  return problems.empty() ? 0 : 1;
}

int StorageTool::random_uuid() {
  out << random.uuid().to_string() << '\n';
  return 0;
}

int StorageTool::version_mapping(const std::optional<std::string>& release_version) {
  const std::string asked = release_version.value_or(std::string(kProductionMetadataVersion.name()));
  const auto version = MetadataVersion::parse(asked, true);
  if (!version) {
    err << version.error().message << '\n';
    return 1;
  }
  out << fmt::format("metadata.version={} ({})\n", version->level(), asked);
  for (const Feature& feature : features())
    out << fmt::format("{}={}\n", feature.name, feature.default_level(*version));
  return 0;
}

int StorageTool::feature_dependencies(const std::vector<std::string>& arguments) {
  const auto refuse = [this](const std::string& why) {
    err << why << '\n';
    return 1;
  };
  for (const std::string& argument : arguments) {
    const auto equals = argument.find('=');
    if (equals == std::string::npos) {
      return refuse(fmt::format(
          "Invalid feature format: {}. Expected format: 'feature=version' (e.g. 'group.version=1')", argument));
    }
    const std::string name = argument.substr(0, equals);
    const std::string text = argument.substr(equals + 1);
    std::int16_t level = 0;
    const auto [end, parsed] = std::from_chars(text.data(), text.data() + text.size(), level);
    if (parsed != std::errc{} || end != text.data() + text.size()) {
      return refuse(fmt::format("Invalid version format: {} for feature {}", text, name));
    }
    if (name == kMetadataVersionFeature) {
      const MetadataVersion version(level);
      if (!version.is_known()) return refuse(fmt::format("Unknown metadata.version {}", level));
      out << fmt::format("{}={} ({}) has no dependencies.\n", name, level, version.name());
      continue;
    }
    const Feature* feature = find_feature(name);
    if (feature == nullptr) return refuse(fmt::format("Unknown feature: {}", name));
    const FeatureLevel* found = feature->find(level);
    if (found == nullptr) return refuse(fmt::format("Feature level {} is not supported for feature {}", level, name));
    if (found->dependencies.empty()) {
      out << fmt::format("{}={} has no dependencies.\n", name, level);
      continue;
    }
    out << fmt::format("{}={} requires:\n", name, level);
    for (const FeatureDependency& need : found->dependencies) {
      out << fmt::format("    {}={}", need.feature, need.level);
      if (need.feature == kMetadataVersionFeature) out << fmt::format(" ({})", MetadataVersion(need.level).name());
      out << '\n';
    }
  }
  return 0;
}

Result<std::vector<EncodedRecord>> read_bootstrap_records(runtime::FileSystem& files,
                                                          const std::string& metadata_log_dir) {
  const std::string path = runtime::join_path(metadata_log_dir, "bootstrap.checkpoint");
  if (!files.exists(path)) return bootstrap_records(kProductionMetadataVersion, {});
  DOHLE_ASSIGN(auto reader, raft::SnapshotReader::open(files, path, raft::kBootstrapSnapshotId));
  std::vector<EncodedRecord> out;
  while (true) {
    DOHLE_ASSIGN(const auto batch, reader->next());
    if (!batch) return out;
    for (const Bytes record : batch->records) out.emplace_back(record.begin(), record.end());
  }
}

}  // namespace dohle::metadata
