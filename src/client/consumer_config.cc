#include <client/consumer_config.h>

#include <limits>
#include <type_traits>

#include <fmt/core.h>

namespace dohle::client {

namespace {

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int32_t>::max();

std::unexpected<Error> not_one_of(std::string_view key, std::string_view value, std::string_view allowed) {
  return fail(Errc::kInvalidConfig,
              fmt::format("Invalid value {} for configuration {}: String must be one of: {}", value, key, allowed));
}

Result<std::vector<Assignor>> assignors_of(std::string_view text) {
  std::vector<Assignor> out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    std::string_view name = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    const auto known = assignor_named(name);
    if (!known) {
      return not_one_of("partition.assignment.strategy", name,
                        "range, roundrobin, sticky, cooperative-sticky or their classes");
    }
    out.push_back(*known);
  }
  if (out.empty()) return fail(Errc::kInvalidConfig, "partition.assignment.strategy must not be empty");
  return out;
}

Result<OffsetReset> reset_of(const std::string& text) {
  if (text == "latest") return OffsetReset::kLatest;
  if (text == "earliest") return OffsetReset::kEarliest;
  if (text == "none") return OffsetReset::kNone;
  return not_one_of("auto.offset.reset", text, "latest, earliest, none");
}

Result<IsolationLevel> isolation_of(const std::string& text) {
  if (text == "read_uncommitted") return IsolationLevel::kReadUncommitted;
  if (text == "read_committed") return IsolationLevel::kReadCommitted;
  return not_one_of("isolation.level", text, "read_committed, read_uncommitted");
}

}  // namespace

Result<ConsumerConfig> ConsumerConfig::from(const Properties& properties) {
  ConsumerConfig config;
  if (const auto id = property_text(properties, "group.id", ""); !id.empty()) config.group_id = id;
  if (const auto id = property_text(properties, "group.instance.id", ""); !id.empty()) config.group_instance_id = id;
  if (const auto name = property_text(properties, "group.protocol", "classic");
      name != "classic" && name != "CLASSIC") {
    return fail(Errc::kInvalidConfig, fmt::format("group.protocol {} is not supported yet", name));
  }
  DOHLE_ASSIGN(config.partition_assignment_strategy,
               assignors_of(property_text(properties, "partition.assignment.strategy", "range,cooperative-sticky")));
  DOHLE_ASSIGN(config.auto_offset_reset, reset_of(property_text(properties, "auto.offset.reset", "latest")));
  DOHLE_ASSIGN(config.isolation_level, isolation_of(property_text(properties, "isolation.level", "read_uncommitted")));
  DOHLE_ASSIGN(config.enable_auto_commit, property_bool(properties, "enable.auto.commit", config.group_id.has_value()));
  DOHLE_ASSIGN(config.check_crcs, property_bool(properties, "check.crcs", true));
  DOHLE_ASSIGN(config.allow_auto_create_topics, property_bool(properties, "allow.auto.create.topics", true));
  const auto number = [&](std::string_view key, auto& field, std::int64_t min) -> Result<> {
    DOHLE_ASSIGN(const std::int64_t value,
                 property_number(properties, key, static_cast<std::int64_t>(field), min, kMaxInt));
    field = static_cast<std::remove_reference_t<decltype(field)>>(value);
    return {};
  };
  DOHLE_TRY(number("auto.commit.interval.ms", config.auto_commit_interval_ms, 0));
  DOHLE_TRY(number("fetch.min.bytes", config.fetch_min_bytes, 0));
  DOHLE_TRY(number("fetch.max.wait.ms", config.fetch_max_wait_ms, 0));
  DOHLE_TRY(number("fetch.max.bytes", config.fetch_max_bytes, 0));
  DOHLE_TRY(number("max.partition.fetch.bytes", config.max_partition_fetch_bytes, 0));
  DOHLE_TRY(number("max.poll.records", config.max_poll_records, 1));
  DOHLE_TRY(number("max.poll.interval.ms", config.max_poll_interval_ms, 1));
  DOHLE_TRY(number("session.timeout.ms", config.session_timeout_ms, 1));
  DOHLE_TRY(number("heartbeat.interval.ms", config.heartbeat_interval_ms, 1));
  return config;
}

}  // namespace dohle::client
