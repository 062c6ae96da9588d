#include <broker/config/module_settings.h>

#include <charconv>
#include <chrono>

#include <base/check.h>

namespace dohle::broker::config {
namespace {

storage::BrokerCompression compression(std::string_view name) {
  if (name == "producer") return storage::BrokerCompression::kProducer;
  if (name == "gzip") return storage::BrokerCompression::kGzip;
  if (name == "snappy") return storage::BrokerCompression::kSnappy;
  if (name == "lz4") return storage::BrokerCompression::kLz4;
  if (name == "zstd") return storage::BrokerCompression::kZstd;
  return storage::BrokerCompression::kUncompressed;
}

}  // namespace

storage::LogConfig log_config(const Values& topic) {
  storage::LogConfig out;
  const auto internal_bytes = topic.find_integer("internal.segment.bytes");
  out.segment_bytes = internal_bytes ? static_cast<std::int32_t>(*internal_bytes) : topic.get_int("segment.bytes");
  out.segment_ms = topic.get_long("segment.ms");
  out.segment_jitter_ms = topic.get_long("segment.jitter.ms");
  out.segment_index_bytes = topic.get_int("segment.index.bytes");
  out.flush_messages = topic.get_long("flush.messages");
  out.flush_ms = topic.get_long("flush.ms");
  out.retention_bytes = topic.get_long("retention.bytes");
  out.retention_ms = topic.get_long("retention.ms");
  out.max_message_bytes = topic.get_int("max.message.bytes");
  out.index_interval_bytes = topic.get_int("index.interval.bytes");
  out.file_delete_delay_ms = topic.get_long("file.delete.delay.ms");
  out.delete_retention_ms = topic.get_long("delete.retention.ms");
  out.min_compaction_lag_ms = topic.get_long("min.compaction.lag.ms");
  out.max_compaction_lag_ms = topic.get_long("max.compaction.lag.ms");
  out.min_cleanable_dirty_ratio = topic.get_double("min.cleanable.dirty.ratio");
  out.cleanup_delete = contains(topic.get_list("cleanup.policy"), "delete");
  out.cleanup_compact = contains(topic.get_list("cleanup.policy"), "compact");
  out.unclean_leader_election = topic.get_bool("unclean.leader.election.enable");
  out.min_insync_replicas = topic.get_int("min.insync.replicas");
  out.compression = compression(topic.get_string("compression.type"));
  out.gzip_level = topic.get_int("compression.gzip.level");
  out.lz4_level = topic.get_int("compression.lz4.level");
  out.zstd_level = topic.get_int("compression.zstd.level");
  out.preallocate = topic.get_bool("preallocate");
  out.timestamp_type = topic.get_string("message.timestamp.type") == "LogAppendTime"
                           ? storage::TimestampType::kLogAppendTime
                           : storage::TimestampType::kCreateTime;
  out.timestamp_before_max_ms = topic.get_long("message.timestamp.before.max.ms");
  out.timestamp_after_max_ms = topic.get_long("message.timestamp.after.max.ms");
  return out;
}

storage::LogManagerConfig log_manager_config(const ServerConfig& server) {
  const Values& v = server.values();
  storage::LogManagerConfig out;
  out.log_dirs = server.log_dirs();
  out.metadata_log_dir = server.metadata_log_dir();
  out.retention_check_interval_ms = v.get_long("log.retention.check.interval.ms");
  out.recovery_checkpoint_interval_ms = v.get_int("log.flush.offset.checkpoint.interval.ms");
  out.start_offset_checkpoint_interval_ms = v.get_int("log.flush.start.offset.checkpoint.interval.ms");
  out.high_watermark_checkpoint_interval_ms = v.get_long("replica.high.watermark.checkpoint.interval.ms");
  out.producer_id_expiration_ms = v.get_int("producer.id.expiration.ms");
  out.producer_id_expiration_check_interval_ms = v.get_int("producer.id.expiration.check.interval.ms");
  return out;
}

raft::RaftConfig raft_config(const ServerConfig& server, std::string_view canonical_host_name) {
  const Values& v = server.values();
  raft::RaftConfig out;
  out.node_id = server.node_id();
  out.can_vote = server.is_controller();
  out.listener = server.controller_listener_names().front();
  for (const Endpoint& at : with_hosts(server.advertised_controller_listeners(), canonical_host_name)) {
    if (at.port != 0) out.endpoints.push_back({at.listener, *at.host, static_cast<std::uint16_t>(at.port)});
  }
  for (const HostPort& at : server.quorum_bootstrap_servers()) {
    out.bootstrap_servers.push_back({at.host, static_cast<std::uint16_t>(at.port)});
  }
  if (!server.voters().empty()) {
    std::vector<raft::Voter> voters;
    for (const auto& [id, at] : server.voters()) {
      raft::Voter& voter = voters.emplace_back();
      voter.key.id = id;
      voter.endpoints.push_back({out.listener, at.host, static_cast<std::uint16_t>(at.port)});
    }
    out.static_voters = raft::VoterSet(std::move(voters));
  }
  out.election_timeout_ms = v.get_int("controller.quorum.election.timeout.ms");
  out.fetch_timeout_ms = v.get_int("controller.quorum.fetch.timeout.ms");
  out.request_timeout_ms = v.get_int("controller.quorum.request.timeout.ms");
  out.retry_backoff_ms = v.get_int("controller.quorum.retry.backoff.ms");
  out.segment_bytes = v.get_int("metadata.log.segment.bytes");
  out.segment_ms = v.get_long("metadata.log.segment.ms");
  out.retention_bytes = v.get_long("metadata.max.retention.bytes");
  out.retention_ms = v.get_long("metadata.max.retention.ms");
  return out;
}

coordinator::GroupConfig group_config(const ServerConfig& server) {
  constexpr std::int64_t kMinuteMs = 60'000;
  const Values& v = server.values();
  coordinator::GroupConfig out;
  out.min_session_timeout_ms = v.get_int("group.min.session.timeout.ms");
  out.max_session_timeout_ms = v.get_int("group.max.session.timeout.ms");
  out.initial_rebalance_delay_ms = v.get_int("group.initial.rebalance.delay.ms");
  out.max_size = v.get_int("group.max.size");
  out.append_linger_ms = v.get_int("group.coordinator.append.linger.ms");
  out.offset_metadata_max_bytes = v.get_int("offset.metadata.max.bytes");
  out.offsets_retention_ms = v.get_int("offsets.retention.minutes") * kMinuteMs;
  out.offsets_retention_check_interval_ms = v.get_long("offsets.retention.check.interval.ms");
  out.offsets_commit_timeout_ms = v.get_int("offsets.commit.timeout.ms");
  out.offsets_load_buffer_bytes = v.get_int("offsets.load.buffer.size");
  out.offsets_topic_partitions = v.get_int("offsets.topic.num.partitions");
  out.max_batch_bytes = v.get_int("message.max.bytes");
  const auto codec = v.get_int("offsets.topic.compression.codec");
  if (codec >= 0 && codec < records::kCompressionTypes) {
    out.offsets_compression.type = static_cast<records::CompressionType>(codec);
  }
  return out;
}

transport::ConnectionLimitOptions connection_limits(const ServerConfig& server) {
  const Values& v = server.values();
  transport::ConnectionLimitOptions out;
  out.max_connections = v.get_int("max.connections");
  out.max_per_address = v.get_int("max.connections.per.ip");
  for (const auto& item : split_list(v.get_string("max.connections.per.ip.overrides"))) {
    const auto colon = item.rfind(':');
    std::int32_t count = 0;
    std::from_chars(item.data() + colon + 1, item.data() + item.size(), count);  // ServerConfig has checked the form
    out.max_per_address_overrides.insert_or_assign(item.substr(0, colon), count);
  }
  return out;
}

transport::ServerOptions server_options(const ServerConfig& server) {
  constexpr auto kForever = std::chrono::hours(24 * 365);
  const Values& v = server.values();
  transport::ServerOptions out;
  out.max_frame_bytes = static_cast<std::uint32_t>(v.get_int("socket.request.max.bytes"));
  if (const auto queued = v.get_long("queued.max.request.bytes"); queued > 0)
    out.request_bytes = static_cast<std::uint64_t>(queued);
  const auto idle_ms = v.get_long("connections.max.idle.ms");
  out.max_idle =
      idle_ms < 0 ? runtime::Duration(kForever)
                  : std::min(runtime::Duration(kForever),
                             runtime::Duration(std::chrono::milliseconds(std::min(idle_ms, std::int64_t{1} << 40U))));
  out.limits = connection_limits(server);
  return out;
}

std::vector<transport::ListenerOptions> listener_options(const ServerConfig& server,
                                                         const std::vector<Endpoint>& listeners) {
  std::vector<transport::ListenerOptions> out;
  for (const Endpoint& listener : listeners) {
    auto& options = out.emplace_back();
    options.name = listener.listener;
    options.bind = {.host = listener.host.value_or(""), .port = static_cast<std::uint16_t>(listener.port)};
    options.backlog = server.values().get_int("socket.listen.backlog.size");
    options.buffers.send_bytes = server.values().get_int("socket.send.buffer.bytes");
    options.buffers.receive_bytes = server.values().get_int("socket.receive.buffer.bytes");
    options.privileged = contains(server.controller_listener_names(), listener.listener);
  }
  return out;
}

}  // namespace dohle::broker::config
