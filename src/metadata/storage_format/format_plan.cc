#include <storage_format/format_plan.h>

#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <image/record_codec.h>
#include <protocol/messages/feature_level_record.h>

namespace dohle::metadata {
namespace {

template <typename... Args>
std::unexpected<Error> refuse(fmt::format_string<Args...> format, Args&&... args) {
  return fail(Errc::kInvalidConfig, fmt::format(format, std::forward<Args>(args)...));
}

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Result<FeatureLevels> parse_levels(const std::vector<std::string>& arguments) {
  FeatureLevels out;
  for (const std::string& argument : arguments) {
    const auto equals = argument.find('=');
    if (equals == std::string::npos) {
      return refuse("Can't parse feature=level string {}: equals sign not found.", argument);
    }
    const std::string_view level_text = trimmed(std::string_view(argument).substr(equals + 1));
    const auto level = parse_number<std::int16_t>(level_text);
    if (!level) {
      return refuse("Can't parse feature=level string {}: unable to parse {} as a short.", argument, level_text);
    }
    out[std::string(trimmed(std::string_view(argument).substr(0, equals)))] = *level;
  }
  return out;
}

Result<MetadataVersion> choose_version(const StorageSettings& settings, const FormatOptions& options,
                                       const FeatureLevels& asked) {
  const auto named = asked.find(kMetadataVersionFeature);
  std::optional<MetadataVersion> version;
  if (options.release_version) {
    DOHLE_ASSIGN(version, MetadataVersion::parse(*options.release_version, settings.unstable_features));
  }
  if (named != asked.end()) {
    if (version) {
      return refuse("Use --release-version instead of --feature metadata.version=X to avoid ambiguity.");
    }
    version = MetadataVersion(named->second);
    if (!version->is_known()) {
      return refuse("No MetadataVersion with feature level {}. Valid feature levels are from {} to {}.", named->second,
                    kMinMetadataVersion.level(), kNewestMetadataVersion.level());
    }
  }
  if (!version) return settings.unstable_features ? kNewestMetadataVersion : kProductionMetadataVersion;
  if (!settings.unstable_features && *version > kProductionMetadataVersion) {
    return refuse("metadata.version {} is not yet stable.", version->name());
  }
  return *version;
}

Result<std::int16_t> choose_kraft_version(std::optional<std::int16_t> asked, bool dynamic_quorum) {
  if (!asked) return static_cast<std::int16_t>(dynamic_quorum ? 1 : 0);
  if (*asked == 0 && dynamic_quorum) {
    return refuse(
        "Cannot set kraft.version to 0 if controller.quorum.voters is empty and one of the flags --standalone, "
        "--initial-controllers, or --no-initial-controllers is used. For dynamic controllers support, try "
        "removing the --feature flag for kraft.version.");
  }
  if (*asked != 0 && !dynamic_quorum) {
    return refuse(
        "Cannot set kraft.version to {} unless controller.quorum.voters is empty and one of the flags "
        "--standalone, --initial-controllers, or --no-initial-controllers is used. For dynamic controllers "
        "support, try using one of --standalone, --initial-controllers, or --no-initial-controllers and removing "
        "controller.quorum.voters.",
        *asked);
  }
  return *asked;
}

Result<FeatureLevels> choose_levels(MetadataVersion version, FeatureLevels asked, bool dynamic_quorum) {
  std::set<std::string_view> names;
  for (const Feature& feature : features()) names.insert(feature.name);
  for (const auto& [name, level] : asked) {
    if (name == kMetadataVersionFeature || names.contains(name)) continue;
    return refuse("Unsupported feature: {}. Supported features are: {}", name, fmt::join(names, ", "));
  }
  asked[std::string(kMetadataVersionFeature)] = version.level();
  for (const Feature& feature : features()) {
    const std::string name(feature.name);
    const auto at = asked.find(name);
    const auto wanted = at == asked.end() ? std::nullopt : std::optional(at->second);
    if (feature.name == kKRaftVersionFeature) {
      DOHLE_ASSIGN(asked[name], choose_kraft_version(wanted, dynamic_quorum));
    } else if (!wanted) {
      asked[name] = feature.default_level(version);
    }
  }
  for (const Feature& feature : features()) {
    DOHLE_TRY(check_feature_dependencies(feature, asked.at(std::string(feature.name)), asked));
  }
  return asked;
}

Result<raft::Voter> parse_voter(std::string_view text, std::string_view listener) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) return refuse("No @ found in dynamic voter string.");
  if (at == 0) return refuse("Invalid @ at beginning of dynamic voter string.");
  const auto id = parse_number<std::int32_t>(text.substr(0, at));
  if (!id) return refuse("Failed to parse node id in dynamic voter string.");
  if (*id < 0) return refuse("Invalid negative node id {} in dynamic voter string.", *id);
  std::string_view rest = text.substr(at + 1);
  if (rest.empty()) return refuse("No hostname found after node id.");
  std::string host;
  if (rest.front() == '[') {
    const auto bracket = rest.find(']');
    if (bracket == std::string_view::npos) {
      return refuse("Hostname began with left bracket, but no right bracket was found.");
    }
    host = rest.substr(1, bracket - 1);
    rest.remove_prefix(bracket + 1);
  } else {
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) return refuse("No colon following hostname could be found.");
    host = rest.substr(0, colon);
    rest.remove_prefix(colon);
  }
  if (!rest.starts_with(':')) return refuse("Port section must start with a colon.");
  rest.remove_prefix(1);
  const auto colon = rest.find(':');
  if (colon == std::string_view::npos) return refuse("No colon following port could be found.");
  const auto port = parse_number<std::int32_t>(rest.substr(0, colon));
  if (!port) return refuse("Failed to parse port in dynamic voter string.");
  if (*port < 0 || *port > 65535) return refuse("Invalid port {} in dynamic voter string.", *port);
  const auto directory = Uuid::parse(rest.substr(colon + 1));
  if (!directory) return refuse("Failed to parse directory ID in dynamic voter string.");
  raft::Voter voter;
  voter.key = raft::ReplicaKey::of(*id, *directory);
  voter.endpoints = {{std::string(listener), host, static_cast<std::uint16_t>(*port)}};
  voter.max_kraft_version = 1;
  return voter;
}

Result<std::optional<raft::VoterSet>> choose_voters(const StorageSettings& settings, const FormatOptions& options,
                                                    runtime::Random& random) {
  if (settings.has_static_voters && (options.initial_controllers || options.standalone)) {
    return refuse(
        "You cannot specify controller.quorum.voters and format the node with --initial-controllers or "
        "--standalone. If you want to use dynamic quorum, please remove controller.quorum.voters and specify "
        "controller.quorum.bootstrap.servers instead.");
  }
  if (options.standalone) {
    if (!settings.is_controller) return refuse("You can only use --standalone on a controller.");
    raft::Voter voter;
    voter.key = raft::ReplicaKey::of(settings.node_id, random.uuid());
    voter.endpoints = {{settings.controller_listener,
                        settings.controller_host.empty() ? "localhost" : settings.controller_host,
                        settings.controller_port}};
    voter.max_kraft_version = 1;
    return raft::VoterSet({voter});
  }
  if (options.initial_controllers) {
    DOHLE_ASSIGN(auto voters, parse_initial_controllers(*options.initial_controllers, settings.controller_listener));
    return voters;
  }
  if (!options.no_initial_controllers && settings.is_controller && !settings.has_static_voters) {
    return refuse(
        "Because controller.quorum.voters is not set on this controller, you must specify one of the following: "
        "--standalone, --initial-controllers, or --no-initial-controllers.");
  }
  return std::nullopt;
}

}  // namespace

Result<raft::VoterSet> parse_initial_controllers(std::string_view text, std::string_view listener) {
  std::vector<raft::Voter> voters;
  std::set<std::int32_t> ids;
  std::size_t from = 0;
  while (from <= text.size()) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const std::string_view part = trimmed(text.substr(from, comma - from));
    from = comma + 1;
    if (part.empty()) continue;
    DOHLE_ASSIGN(raft::Voter voter, parse_voter(part, listener));
    if (!ids.insert(voter.key.id).second) return refuse("Node id {} was specified more than once.", voter.key.id);
    voters.push_back(std::move(voter));
  }
  if (voters.empty()) return refuse("No voters given.");
  return raft::VoterSet(std::move(voters));
}

std::vector<EncodedRecord> bootstrap_records(MetadataVersion version, const FeatureLevels& levels) {
  std::vector<EncodedRecord> out;
  const auto add = [&out](std::string_view name, std::int16_t level) {
    protocol::FeatureLevelRecord record;
    record.name = name;
    record.feature_level = level;
    out.push_back(encode_record(record, 0));
  };
  add(kMetadataVersionFeature, version.level());
  for (const auto& [name, level] : levels) {
    // kraft.version is raft's own and stands in its control records.
    if (level > 0 && name != kMetadataVersionFeature && name != kKRaftVersionFeature) add(name, level);
  }
  return out;
}

Result<FormatPlan> plan_format(const StorageSettings& settings, const FormatOptions& options, runtime::Random& random) {
  if (!settings.has_roles) {
    return refuse(
        "The kafka configuration file appears to be for a legacy cluster. Formatting is only supported for "
        "clusters in KRaft mode.");
  }
  if (settings.node_id < 0) return refuse("You must specify a valid non-negative node ID.");
  if (!options.add_scram.empty())
    return refuse("--add-scram is not supported yet: create the users when the cluster runs.");
  FormatPlan plan;
  DOHLE_ASSIGN(const FeatureLevels asked, parse_levels(options.features));
  DOHLE_ASSIGN(plan.voters, choose_voters(settings, options, random));
  DOHLE_ASSIGN(plan.version, choose_version(settings, options, asked));
  DOHLE_ASSIGN(plan.levels, choose_levels(plan.version, asked, !settings.has_static_voters));
  plan.records = bootstrap_records(plan.version, plan.levels);
  return plan;
}

}  // namespace dohle::metadata
