#include <broker/config/alter.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace dohle::broker::config {
namespace {

constexpr std::array<std::string_view, 10> kPerListenerOnly = {"ssl.key.password",
                                                               "ssl.keystore.certificate.chain",
                                                               "ssl.keystore.key",
                                                               "ssl.keystore.location",
                                                               "ssl.keystore.password",
                                                               "ssl.keystore.type",
                                                               "ssl.truststore.certificates",
                                                               "ssl.truststore.location",
                                                               "ssl.truststore.password",
                                                               "ssl.truststore.type"};
// May be set for all brokers although they belong to a listener.
constexpr std::array<std::string_view, 3> kClusterWideOfListener = {"max.connections", "max.connection.creation.rate",
                                                                    "num.network.threads"};
constexpr std::array<std::string_view, 4> kThreadCounts = {"num.io.threads", "num.replica.fetchers",
                                                           "num.recovery.threads.per.data.dir", "background.threads"};

// At plain commas, as Java's String.split: empty parts at the end vanish.
std::vector<std::string> split_plain(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const auto comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  while (out.size() > 1 && out.back().empty()) out.pop_back();
  return out;
}

// A limit that the broker sets on a group's setting.
struct GroupLimit {
  std::string_view name;
  std::string_view min;  // server settings; empty for none
  std::string_view max;
};
constexpr std::array<GroupLimit, 13> kGroupLimits = {{
    {"consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms",
     "group.consumer.max.heartbeat.interval.ms"},
    {"consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms"},
    {"consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms",
     "group.consumer.max.assignment.interval.ms"},
    {"share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms"},
    {"share.session.timeout.ms", "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms"},
    {"share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms",
     "group.share.max.record.lock.duration.ms"},
    {"share.delivery.count.limit", "group.share.min.delivery.count.limit", "group.share.max.delivery.count.limit"},
    {"share.partition.max.record.locks", "group.share.min.partition.max.record.locks",
     "group.share.max.partition.max.record.locks"},
    {"share.assignment.interval.ms", "group.share.min.assignment.interval.ms",
     "group.share.max.assignment.interval.ms"},
    {"streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms",
     "group.streams.max.heartbeat.interval.ms"},
    {"streams.session.timeout.ms", "group.streams.min.session.timeout.ms", "group.streams.max.session.timeout.ms"},
    {"streams.assignment.interval.ms", "group.streams.min.assignment.interval.ms",
     "group.streams.max.assignment.interval.ms"},
    {"streams.task.offset.interval.ms", "group.streams.min.task.offset.interval.ms", ""},
}};
constexpr std::array<GroupLimit, 2> kGroupMaxima = {{
    {"streams.num.standby.replicas", "", "group.streams.max.standby.replicas"},
    {"streams.num.warmup.replicas", "", "group.streams.max.warmup.replicas"},
}};

std::unexpected<Error> invalid(std::string sentence) { return fail(Errc::kInvalidConfig, std::move(sentence)); }

Result<> check_known(Table table, const TextMap& values, std::string_view what, Errc code) {
  for (const auto& [name, text] : values) {
    if (find_setting(table, name) == nullptr)
      return fail(code, fmt::format("{} is not a configuration of a {}", name, what));
  }
  return {};
}

Result<> check_limit(const GroupLimit& limit, const Values& group, const TextMap& values, const Values& server) {
  if (!values.contains(limit.name)) return {};
  const auto value = group.find_integer(limit.name).value_or(0);
  if (!limit.min.empty() && value < *server.find_integer(limit.min)) {
    return invalid(fmt::format("'{}' for configuration {} is not allowed; allowed is at least {}, which is {}", value,
                               limit.name, limit.min, *server.find_integer(limit.min)));
  }
  if (!limit.max.empty() && value > *server.find_integer(limit.max)) {
    return invalid(fmt::format("'{}' for configuration {} is not allowed; allowed is at most {}, which is {}", value,
                               limit.name, limit.max, *server.find_integer(limit.max)));
  }
  return {};
}

Result<> check_session(std::string_view kind, const Values& group, const TextMap& values) {
  const auto session = fmt::format("{}.session.timeout.ms", kind);
  const auto heartbeat = fmt::format("{}.heartbeat.interval.ms", kind);
  if (!values.contains(session) && !values.contains(heartbeat)) return {};
  if (group.get_int(heartbeat) >= group.get_int(session)) {
    return invalid(fmt::format("'{}' for configuration {} is not allowed; allowed is more than {}, which is {}",
                               group.get_int(session), session, heartbeat, group.get_int(heartbeat)));
  }
  return {};
}

Result<> check_remote(const ServerConfig& server, const Values& topic, const TextMap& values, const TextMap& before) {
  const bool enabled = topic.get_bool("remote.storage.enable");
  const auto was = before.find("remote.storage.enable");
  if (!enabled && was != before.end() && was->second == "true" && !topic.get_bool("remote.log.delete.on.disable")) {
    return invalid(
        "remote.storage.enable=false also needs remote.log.delete.on.disable=true; to keep the remote data, leave it "
        "enabled and set remote.log.copy.disable=true");
  }
  if (!enabled) return {};
  if (!server.values().get_bool("remote.log.storage.system.enable")) {
    return invalid(
        "'true' for configuration remote.storage.enable is not allowed: remote storage is switched off in the broker");
  }
  const auto& policy = topic.get_list("cleanup.policy");
  if (!policy.empty() && policy != std::vector<std::string>{"delete"}) {
    return invalid(
        fmt::format("'{}' for configuration cleanup.policy is not allowed with remote.storage.enable=true; allowed is "
                    "delete or nothing",
                    fmt::join(policy, ",")));
  }
  for (const auto& [total, local] :
       {std::pair{"retention.bytes", "local.retention.bytes"}, std::pair{"retention.ms", "local.retention.ms"}}) {
    const auto all = topic.get_long(total);
    const auto here = topic.get_long(local);
    if (all != -1 && here != -2 && (here == -1 || here > all)) {
      return invalid(fmt::format("'{}' for configuration {} is not allowed; allowed is at most {}, which is {}", here,
                                 local, total, all));
    }
    if (topic.get_bool("remote.log.copy.disable") && here != -2 && here != all) {
      return invalid(fmt::format(
          "'{}' for configuration {} is not allowed with remote.log.copy.disable=true; allowed is {}, which is {}",
          here, local, total, all));
    }
  }
  (void)values;
  return {};
}

Result<> check_patterns(const std::vector<std::string>& patterns) {
  constexpr std::array<std::string_view, 6> kAttributes = {"client_instance_id",    "client_id",
                                                           "client_software_name",  "client_software_version",
                                                           "client_source_address", "client_source_port"};
  for (const auto& pattern : patterns) {
    const auto equals = pattern.find('=');
    const auto attribute = trim(std::string_view(pattern).substr(0, equals));
    const bool one = equals != std::string::npos && pattern.find('=', equals + 1) == std::string::npos &&
                     equals + 1 < pattern.size();
    if (!one || std::ranges::find(kAttributes, attribute) == kAttributes.end()) {
      return invalid(
          fmt::format("'{}' for configuration match is not allowed; allowed is attribute=pattern with one of {}",
                      pattern, fmt::join(kAttributes, ", ")));
    }
  }
  return {};
}

Result<> check_thread_counts(const Values& now, const Values& then) {
  for (const auto name : kThreadCounts) {
    const auto old_count = now.get_int(name);
    const auto new_count = then.get_int(name);
    if (new_count != old_count && (new_count < old_count / 2 || new_count > old_count * 2)) {
      return fail(Errc::kInvalidRequest,
                  fmt::format("'{}' for configuration {} is not allowed; allowed is from half to double of {}",
                              new_count, name, old_count));
    }
  }
  return {};
}

}  // namespace

Result<> apply_alterations(Table table, std::span<const Alteration> alterations, TextMap& values) {
  for (const Alteration& alteration : alterations) {
    const std::string name(alteration.name);
    if (alteration.operation == AlterOperation::kDelete) {
      values.erase(name);
      continue;
    }
    if (!alteration.value) return fail(Errc::kInvalidRequest, fmt::format("configuration {} must have a value", name));
    if (alteration.operation == AlterOperation::kSet) {
      values.insert_or_assign(name, std::string(*alteration.value));
      continue;
    }
    const Setting* setting = find_setting(table, name);
    if (setting == nullptr) return invalid(fmt::format("configuration {} is not known", name));
    if (setting->type != ValueType::kList)
      return invalid(fmt::format("configuration {} is no list: nothing can be added to or taken from it", name));
    const auto at = values.find(name);
    auto items = split_plain(at != values.end() ? std::string_view(at->second) : setting->fallback.value_or(""));
    std::erase(items, "");
    for (const auto& item : split_plain(*alteration.value)) {
      const auto same = std::ranges::find(items, item);
      if (alteration.operation == AlterOperation::kSubtract) {
        if (same != items.end()) items.erase(same);
      } else if (same == items.end()) {
        items.push_back(item);
      }
    }
    values.insert_or_assign(name, fmt::format("{}", fmt::join(items, ",")));
  }
  return {};
}

Result<> validate_topic(const ServerConfig& server, const TextMap& values, const TextMap& before) {
  DOHLE_TRY(check_known(Table::kTopic, values, "topic", Errc::kInvalidConfig));
  DOHLE_ASSIGN(const Values topic, NodeConfig(server).topic(values));
  const auto min_lag = topic.get_long("min.compaction.lag.ms");
  const auto max_lag = topic.get_long("max.compaction.lag.ms");
  if (min_lag > max_lag) {
    return invalid(
        fmt::format("'{}' for configuration min.compaction.lag.ms is not allowed; allowed is at most "
                    "max.compaction.lag.ms, which is {}",
                    min_lag, max_lag));
  }
  return check_remote(server, topic, values, before);
}

Result<> validate_group(const ServerConfig& server, const TextMap& values) {
  DOHLE_TRY(check_known(Table::kGroup, values, "group", Errc::kInvalidConfig));
  DOHLE_ASSIGN(const Values group, NodeConfig(server).group(values));
  for (const auto& limit : kGroupLimits) DOHLE_TRY(check_limit(limit, group, values, server.values()));
  for (const auto& limit : kGroupMaxima) DOHLE_TRY(check_limit(limit, group, values, server.values()));
  for (const auto* kind : {"consumer", "share", "streams"}) DOHLE_TRY(check_session(kind, group, values));
  if (const auto at = values.find("streams.assignor.name"); at != values.end()) {
    const auto& known = server.values().get_list("group.streams.assignors");
    if (!contains(known, trim(at->second))) {
      return invalid(fmt::format("'{}' for configuration streams.assignor.name is not allowed; allowed is one of {}",
                                 at->second, fmt::join(known, ", ")));
    }
  }
  if (const auto at = values.find("errors.deadletterqueue.topic.name");
      at != values.end() && at->second.starts_with("__")) {
    return invalid(
        fmt::format("'{}' for configuration errors.deadletterqueue.topic.name is not allowed; allowed is a name that "
                    "does not begin with __",
                    at->second));
  }
  if (const auto at = values.find("streams.rack.aware.assignment.tags"); at != values.end()) {
    const auto tags = split_list(at->second);
    if (group.get_list("streams.rack.aware.assignment.tags").size() != tags.size()) {
      return invalid(fmt::format(
          "'{}' for configuration streams.rack.aware.assignment.tags is not allowed; allowed is each tag once",
          at->second));
    }
  }
  return {};
}

Result<> validate_client_metrics(std::string_view subscription, const TextMap& values) {
  if (subscription.empty()) return fail(Errc::kInvalidRequest, "a subscription must have a name");
  DOHLE_TRY(check_known(Table::kClientMetrics, values, "client-metrics subscription", Errc::kInvalidRequest));
  DOHLE_ASSIGN(const Values parsed, Values::parse(Table::kClientMetrics, values));
  const auto interval_ms = parsed.get_int("interval.ms");
  if (interval_ms < 100 || interval_ms > 3'600'000) {
    return fail(
        Errc::kInvalidRequest,
        fmt::format("'{}' for configuration interval.ms is not allowed; allowed is from 100 to 3600000", interval_ms));
  }
  return check_patterns(parsed.get_list("match"));
}

std::optional<std::string> not_dynamic(std::string_view name, bool per_broker) {
  const auto base = without_listener_prefix(name);
  const Setting* setting = find_setting(Table::kServer, name);
  if (setting != nullptr && setting->change == Change::kStatic) {
    return fmt::format("configuration {} cannot be changed while the broker runs", name);
  }
  if (std::ranges::find(kPerListenerOnly, name) != kPerListenerOnly.end()) {
    return fmt::format("configuration {} can only be changed for one listener, as listener.name.LISTENER.{}", name,
                       name);
  }
  const bool of_one_broker =
      setting != nullptr ? setting->change == Change::kPerBroker
                         : base && std::ranges::find(kClusterWideOfListener, *base) == kClusterWideOfListener.end();
  if (!per_broker && of_one_broker)
    return fmt::format("configuration {} can only be changed for one broker, not for all", name);
  return std::nullopt;
}

Result<> validate_broker(const NodeConfig& node, const TextMap& values, bool per_broker) {
  for (const auto& [name, text] : values) {
    if (auto why = not_dynamic(name, per_broker)) return fail(Errc::kInvalidRequest, std::move(*why));
    const Setting* setting = find_setting(Table::kServer, without_listener_prefix(name).value_or(name));
    if (setting == nullptr) continue;
    if (auto value = parse_value(*setting, text); !value)
      return fail(Errc::kInvalidRequest, std::move(value.error().message));
  }
  TextMap texts = node.from_file().originals();
  lay_over(texts, per_broker ? node.cluster() : values);
  lay_over(texts, per_broker ? values : node.broker());
  auto then = ServerConfig::from(std::move(texts));
  if (!then) return fail(Errc::kInvalidRequest, std::move(then.error().message));
  return check_thread_counts(node.current().values(), then->values());
}

}  // namespace dohle::broker::config
