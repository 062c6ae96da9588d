// Calls to other voters, and the follower's side of replication.
#include <utility>

#include <base/log.h>
#include <fmt/format.h>

#include "raft_node.h"
#include "wire.h"

namespace dohle::raft {

std::optional<runtime::Endpoint> RaftNodeImpl::address_of(NodeId to) const {
  if (to <= -2) {
    const auto index = static_cast<std::size_t>(-2 - to);
    if (index >= config_.bootstrap_servers.size()) return std::nullopt;
    return config_.bootstrap_servers[index];
  }
  std::vector<VoterEndpoint> endpoints;
  if (core_.leader() == to) endpoints = core_.leader_endpoints();
  if (const Voter* voter = core_.history().voters().find(to); voter != nullptr && endpoints.empty()) {
    endpoints = voter->endpoints;
  }
  for (const VoterEndpoint& endpoint : endpoints) {
    if (endpoint.listener == config_.listener) return runtime::Endpoint{endpoint.host, endpoint.port};
  }
  return std::nullopt;
}

void RaftNodeImpl::send(Outgoing out) {
  const auto address = around_.outbound == nullptr ? std::nullopt : address_of(out.to);
  if (!address) {
    core_.on_failure(out.to, out.correlation, now());
    return;
  }
  std::visit([&](auto& call) { runtime::spawn(call_peer(out.to, out.correlation, *address, std::move(call))); },
             out.call);
}

template <typename Call>
runtime::Task<void> RaftNodeImpl::call_peer(NodeId to, std::uint64_t correlation, runtime::Endpoint address,
                                            Call call) {
  const auto pass = gate_.enter();
  auto request = wire::to_request(call, config_.cluster_id);
  auto answer = co_await around_.outbound->call(std::move(address), std::move(request));
  if (failed_) co_return;
  if (!answer) {
    if constexpr (std::is_same_v<Call, VoteCall>) {
      if (call.pre_vote && answer.error().code == Errc::kUnsupported) {
        core_.on_pre_vote_unsupported(to, correlation, now());
        co_return co_await settle();
      }
    }
    core_.on_failure(to, correlation, now());
  } else if (const auto reply = wire::to_reply(answer->response, config_.listener); !reply) {
    core_.on_failure(to, correlation, now());
  } else if constexpr (std::is_same_v<Call, FetchCall>) {
    const auto& records = answer->response.responses[0].partitions[0].records;
    co_await take_reply(to, correlation, *reply, records && records->is_view() ? records->bytes() : Bytes());
  } else if constexpr (std::is_same_v<Call, FetchSnapshotCall>) {
    const auto& bytes = answer->response.topics[0].partitions[0].unaligned_records;
    co_await take_reply(to, correlation, *reply, bytes.is_view() ? bytes.bytes() : Bytes());
  } else {
    core_.on_reply(to, correlation, *reply, now());
  }
  co_await settle();
}

template <typename Reply>
runtime::Task<void> RaftNodeImpl::take_reply(NodeId from, std::uint64_t correlation, const Reply& reply,
                                             Bytes records) {
  Result<> done;
  if constexpr (std::is_same_v<Reply, FetchReply>) {
    const FollowerStep step = core_.on_reply(from, correlation, reply, now());
    if (step.kind == FollowerStep::Kind::kNothing) co_return;
    done = co_await follow(step, reply.high_watermark, records);
  } else {
    if (!core_.on_reply(from, correlation, reply, now())) co_return;
    done = co_await store_snapshot_part(reply, records);
  }
  core_.on_applied();
  if (!done && done.error().code == Errc::kCorrupt) {
    log::warn("raft", "node {} sent records that cannot be used: {}", from, done.error().message);
  } else if (!done) {
    fail_stop(done.error());
  }
}

runtime::Task<Result<>> RaftNodeImpl::follow(FollowerStep step, Offset high_watermark, Bytes records) {
  switch (step.kind) {
    case FollowerStep::Kind::kNothing:
      break;
    case FollowerStep::Kind::kAppend:
      co_return co_await append_as_follower(records, high_watermark);
    case FollowerStep::Kind::kTruncate: {
      const Offset to = truncation_point(*log_, step.point);
      log::info("raft", "cutting the metadata log at {}: the leader's epoch {} ends there", to.value(),
                step.point.epoch.value());
      DOHLE_CO_TRY(log_->truncate_to(to));
      core_.history().truncate_new(to);
      break;
    }
    case FollowerStep::Kind::kFetchSnapshot: {
      DOHLE_CO_ASSIGN(snapshot_part_,
                      log_->files().open(log_->path_of(step.point) + ".part", runtime::OpenMode::kTruncate));
      break;
    }
  }
  co_return Result<>();
}

// Flushed before the next fetch says that this replica has it: the leader counts it then. Observers that can never vote
// need not wait for the disk.
runtime::Task<Result<>> RaftNodeImpl::append_as_follower(Bytes records, Offset high_watermark) {
  if (!records.empty()) {
    const Offset before = log_->end().offset;
    DOHLE_CO_TRY(log_->append_as_follower(Slice::copy_of(records), core_.epoch()));
    const Offset end = log_->end().offset;
    if (end > before) {
      DOHLE_CO_ASSIGN(const auto written, co_await log_->read_bytes(before, end, kMaxFetchBytes));
      DOHLE_CO_TRY(note_control_batches(written));
      if (config_.can_vote) DOHLE_CO_TRY(co_await log_->commit(end));
    }
  }
  core_.on_follower_appended(high_watermark);
  co_return Result<>();
}

runtime::Task<Result<>> RaftNodeImpl::store_snapshot_part(const FetchSnapshotReply& reply, Bytes bytes) {
  if (!snapshot_part_) co_return Result<>();
  DOHLE_CO_TRY(snapshot_part_->write_at(static_cast<std::uint64_t>(reply.position), bytes));
  const std::int64_t position = reply.position + static_cast<std::int64_t>(bytes.size());
  const bool complete = position >= reply.size;
  if (complete) {
    const runtime::FileRef file = std::exchange(snapshot_part_, nullptr);
    const std::string path = log_->path_of(reply.snapshot);
    DOHLE_CO_TRY(co_await log_->door().commit({.files = {file}}));
    DOHLE_CO_TRY(log_->files().rename(path + ".part", path));
    DOHLE_CO_TRY(co_await log_->door().commit({.directories = {log_->directory()}}));
    log_->adopt_snapshot(reply.snapshot);
    DOHLE_CO_TRY(log_->truncate_to_latest_snapshot());
    DOHLE_CO_TRY(load_history_from_snapshot());
    log::info("raft", "fetched snapshot {}, {} bytes", snapshot_name(reply.snapshot), reply.size);
  }
  core_.on_snapshot_progress(position, complete, now());
  co_return Result<>();
}

}  // namespace dohle::raft
