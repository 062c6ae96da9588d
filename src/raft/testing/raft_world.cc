#include "raft_world.h"

#include <algorithm>

#include <base/check.h>
#include <base/reader.h>
#include <fmt/format.h>
#include <protocol/writer.h>
#include <runtime/sync.h>
#include <storage/meta_properties.h>

namespace dohle::raft {

namespace {

constexpr std::uint16_t kBasePort = 9000;

VoterEndpoint endpoint_of(std::int32_t id) {
  return {"CONTROLLER", "host", static_cast<std::uint16_t>(kBasePort + id)};
}

// What a connection would send.
std::vector<std::uint8_t> sent_bytes(const runtime::Fragments& fragments) {
  std::vector<std::uint8_t> out(runtime::size_of(fragments));
  MutableBytes rest(out);
  for (const runtime::Fragment& fragment : fragments) {
    const auto size = runtime::size_of(fragment);
    if (const auto* slice = std::get_if<Slice>(&fragment)) {
      std::ranges::copy(slice->bytes(), rest.begin());
    } else {
      const auto& range = std::get<runtime::FileRange>(fragment);
      DOHLE_CHECK(range.file->read_at(range.offset, rest.first(size)).value() == size);
    }
    rest = rest.subspan(size);
  }
  return out;
}

// Calls a node of the same world, through encoded requests and responses.
class WorldOutbound final : public Outbound {
 public:
  WorldOutbound(RaftWorld& world, std::int32_t from) : world_(world), from_(from) {}

  Call<protocol::VoteRequest> call(runtime::Endpoint to, protocol::VoteRequest request) override {
    return send(std::move(to), std::move(request));
  }
  Call<protocol::BeginQuorumEpochRequest> call(runtime::Endpoint to,
                                               protocol::BeginQuorumEpochRequest request) override {
    return send(std::move(to), std::move(request));
  }
  Call<protocol::EndQuorumEpochRequest> call(runtime::Endpoint to, protocol::EndQuorumEpochRequest request) override {
    return send(std::move(to), std::move(request));
  }
  Call<protocol::FetchRequest> call(runtime::Endpoint to, protocol::FetchRequest request) override {
    return send(std::move(to), std::move(request));
  }
  Call<protocol::FetchSnapshotRequest> call(runtime::Endpoint to, protocol::FetchSnapshotRequest request) override {
    return send(std::move(to), std::move(request));
  }

 private:
  template <typename Request>
  Call<Request> send(runtime::Endpoint to, Request request) {
    constexpr std::int16_t kVersion = Request::kMaxVersion;
    using Response = typename Request::Response;
    co_await runtime::sleep_for(std::chrono::milliseconds(1));
    RaftWorld::Node* target = world_.at_port(to.port);
    if (target == nullptr || !target->raft || !world_.reachable(from_, target->id)) {
      co_await runtime::sleep_for(std::chrono::milliseconds(50));
      co_return fail(Errc::kTimedOut, "nobody answers");
    }
    protocol::Writer out;
    request.encode(out, kVersion);
    const std::vector<std::uint8_t> bytes = sent_bytes(out.finish());
    Reader in(bytes);
    DOHLE_CO_ASSIGN(const Request decoded, Request::decode(in, kVersion));
    Response response = co_await target->raft->handle(decoded, {.version = kVersion, .listener = "CONTROLLER"});
    co_await runtime::sleep_for(std::chrono::milliseconds(1));
    if (!world_.reachable(from_, target->id)) co_return fail(Errc::kTimedOut, "the answer was lost");
    protocol::Writer back;
    response.encode(back, kVersion);
    const std::vector<std::uint8_t> answer = sent_bytes(back.finish());
    Slice frame = Slice::copy_of(answer);
    Reader reader(frame.bytes());
    DOHLE_CO_ASSIGN(Response received, Response::decode(reader, kVersion));
    co_return Answer<Response>{std::move(received), std::move(frame)};
  }

  RaftWorld& world_;
  std::int32_t from_;
};

}  // namespace

std::vector<std::uint8_t> as_record(std::string_view text) { return {text.begin(), text.end()}; }

void RecordingListener::on_commit(const CommittedBatch& batch) {
  DOHLE_CHECK(batch.base_offset == next);
  next = batch.last_offset.next();
  std::int64_t offset = batch.base_offset.value();
  for (const Bytes record : batch.records) records[offset++] = std::string(as_text(record));
  batches.push_back(batch);
  batches.back().records.clear();
}

void RecordingListener::on_load_snapshot(SnapshotReader& snapshot) {
  snapshots.push_back(snapshot.id());
  records.clear();
  loaded.clear();
  for (auto batch = snapshot.next();; batch = snapshot.next()) {
    DOHLE_CHECK(batch);
    if (!*batch) break;
    for (const Bytes record : (*batch)->records) loaded.emplace_back(as_text(record));
  }
  next = snapshot.id().offset;
}

RaftWorld::RaftWorld(std::size_t shards, std::uint64_t seed) : shards_(shards, seed) {}

RaftWorld::~RaftWorld() {
  for (auto& node : nodes_) {
    if (node->raft) stop(*node);
  }
}

RaftWorld::Node& RaftWorld::add(std::int32_t id, Uuid directory, std::string path) {
  auto node = std::make_unique<Node>();
  node->id = id;
  node->directory = directory;
  node->path = std::move(path);
  node->outbound = std::make_unique<WorldOutbound>(*this, id);
  nodes_.push_back(std::move(node));
  return *nodes_.back();
}

void RaftWorld::format(std::int32_t voters, std::int32_t observers) {
  std::vector<Voter> set;
  for (std::int32_t id = 1; id <= voters; ++id) {
    set.push_back({.key = {id, Uuid{70, static_cast<std::uint64_t>(id)}},
                   .endpoints = {endpoint_of(id)},
                   .max_kraft_version = 1});
    config.bootstrap_servers.push_back({"host", endpoint_of(id).port});
  }
  const auto scope = shards_.enter(0);
  auto& files = shards_.files();
  for (std::int32_t id = 1; id <= voters + observers; ++id) {
    Node& node = add(id, Uuid{70, static_cast<std::uint64_t>(id)}, fmt::format("node{}", id));
    node.can_vote = id <= voters;
    DOHLE_CHECK(files.create_directories(node.path));
    storage::MetaProperties meta;
    meta.cluster_id = kTestCluster;
    meta.node_id = id;
    meta.directory_id = node.directory;
    DOHLE_CHECK(storage::write_meta_properties(files, node.path, meta));
    const std::string directory = runtime::join_path(node.path, kMetadataDirectory);
    if (!node.can_vote) continue;
    auto writer =
        SnapshotWriter::create(files, directory, kBootstrapSnapshotId, {.kraft_version = 1, .voters = VoterSet(set)});
    DOHLE_CHECK(writer);
    DOHLE_CHECK((*writer)->append(std::vector<std::vector<std::uint8_t>>{as_record("bootstrap")}));
    DOHLE_CHECK((*writer)->freeze());
    DOHLE_CHECK(files.sync_directory(node.path));
  }
  DOHLE_CHECK(files.sync_directory("."));
}

Result<> RaftWorld::start(Node& node) {
  return run([this, &node]() -> runtime::Task<Result<>> {
    storage::LogManagerConfig log_config{.log_dirs = {node.path}, .journal_bytes = 32U << 10U, .reserve_bytes = 0};
    log_config.shard_of = [](const TopicIdPartition&) { return std::size_t{0}; };
    DOHLE_CO_ASSIGN(node.logs, storage::LogManager::open(shards_, log_config));
    DOHLE_CO_TRY(node.logs->check_and_complete_meta(kTestCluster, node.id));
    RaftConfig own = config;
    own.node_id = node.id;
    own.cluster_id = kTestCluster;
    own.can_vote = node.can_vote;
    if (endpoints_known) own.endpoints = {endpoint_of(node.id)};
    auto opened = co_await RaftNode::open(own, {.shard = shards_.at(0),
                                                .directory = node.logs->metadata_directory(),
                                                .logs = node.logs->on(0),
                                                .outbound = node.outbound.get()});
    if (!opened) {
      static_cast<void>(co_await node.logs->shutdown(-1));
      node.logs.reset();
      co_return fail(opened.error());
    }
    node.raft = std::move(*opened);
    DOHLE_CO_TRY(co_await node.logs->load({}));  // of no logs: the journal begins
    node.listener = std::make_unique<RecordingListener>();
    node.raft->register_listener(*node.listener);
    node.raft->start();
    co_return Result<>();
  });
}

void RaftWorld::stop(Node& node) {
  run([&node]() -> runtime::Task<void> {
    co_await node.raft->shutdown();
    static_cast<void>(co_await node.logs->shutdown(-1));
  });
  shards_.run_until_idle();  // a failed directory still reports itself
  const auto scope = shards_.enter(0);
  node.raft.reset();
  node.logs.reset();
}

void RaftWorld::crash(Node& node, runtime::CrashLoss loss) {
  std::size_t running = 0;
  for (auto& other : nodes_) running += other->raft != nullptr ? 1 : 0;
  if (running == 1) shards_.files().crash(loss);  // it kills every open file
  const bool was_isolated = !isolated_.insert(node.id).second;
  // The dead process writes nothing more; what is still running of it only has to end.
  using Op = runtime::FileOperation;
  for (const Op operation :
       {Op::kOpen, Op::kWrite, Op::kRename, Op::kSync, Op::kRemove, Op::kSyncDirectory, Op::kTruncate}) {
    shards_.files().inject({.operation = operation, .path_part = node.path});
  }
  stop(node);
  shards_.files().clear_faults();
  if (!was_isolated) isolated_.erase(node.id);
}

RaftWorld::Node& RaftWorld::await_leader() {
  Node* found = nullptr;
  shards_.run_until(
      [&] {
        for (auto& node : nodes_) {
          const auto mark = node->raft && node->raft->is_leader() ? node->raft->high_watermark() : std::nullopt;
          if (mark) found = node.get();
        }
        return found != nullptr;
      },
      std::chrono::seconds(30));
  DOHLE_CHECK(found != nullptr);
  return *found;
}

Result<Offset> RaftWorld::append(Node& node, std::vector<std::string> records) {
  return run([&node, &records]() -> runtime::Task<Result<Offset>> {
    std::vector<std::vector<std::uint8_t>> framed;
    for (const std::string& record : records) framed.push_back(as_record(record));
    const LeaderEpoch epoch = node.raft->leader_and_epoch().epoch;
    DOHLE_CO_ASSIGN(const Offset last, node.raft->append(epoch, std::move(framed)));
    DOHLE_CO_TRY(co_await node.raft->wait_committed(epoch, last));
    co_return last;
  });
}

RaftWorld::Node* RaftWorld::at_port(std::uint16_t port) {
  for (auto& node : nodes_) {
    if (endpoint_of(node->id).port == port) return node.get();
  }
  return nullptr;
}

}  // namespace dohle::raft
