// RaftWorld: nodes of a quorum over real logs in one MemoryShards, for tests of raft and of what stands on it. Calls
// between nodes go through the wire format; links can be cut.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <raft/driver.h>
#include <raft/outbound.h>
#include <runtime/memory/memory_shards.h>
#include <storage/log_manager.h>

namespace dohle::raft {

inline constexpr const char* kTestCluster = "4L6g3nShT-eMCtK--X86sw";

// Writes down what it is told.
class RecordingListener final : public Listener {
 public:
  void on_commit(const CommittedBatch& batch) override;
  void on_load_snapshot(SnapshotReader& snapshot) override;
  void on_leader_change(const LeaderAndEpoch& leader) override { leaders.push_back(leader); }

  std::map<std::int64_t, std::string> records;  // by offset; those of a snapshot are in `loaded`
  std::vector<std::string> loaded;
  std::vector<SnapshotId> snapshots;
  std::vector<LeaderAndEpoch> leaders;
  std::vector<CommittedBatch> batches;  // without their records
  Offset next{0};
};

class RaftWorld {
 public:
  struct Node {
    std::int32_t id = 0;
    Uuid directory;
    std::string path;
    bool can_vote = true;
    std::unique_ptr<Outbound> outbound;
    std::unique_ptr<storage::LogManager> logs;
    std::unique_ptr<RaftNode> raft;
    std::unique_ptr<RecordingListener> listener;
  };

  explicit RaftWorld(std::size_t shards = 1, std::uint64_t seed = 1);
  ~RaftWorld();

  // Directories with meta.properties and, for voters, a bootstrap snapshot with the voter set and one record.
  void format(std::int32_t voters, std::int32_t observers = 0);
  Node& add(std::int32_t id, Uuid directory, std::string path);

  // Opens and starts; the error of open when it fails.
  Result<> start(Node& node);
  void stop(Node& node);
  // The process of this node dies. When it is the only one that runs, what it wrote and did not sync is lost as `loss`
  // says; with others the shared file system keeps it all.
  void crash(Node& node, runtime::CrashLoss loss);

  Node& node(std::int32_t id) { return *nodes_.at(static_cast<std::size_t>(id - 1)); }
  [[nodiscard]] std::vector<std::unique_ptr<Node>>& nodes() { return nodes_; }
  [[nodiscard]] runtime::MemoryShards& shards() { return shards_; }
  // The one that leads and has a high watermark; waits up to 30 s of virtual time.
  Node& await_leader();
  // Appends one batch and waits until it is committed.
  Result<Offset> append(Node& node, std::vector<std::string> records);
  void isolate(std::int32_t id) { isolated_.insert(id); }
  void heal() { isolated_.clear(); }
  [[nodiscard]] bool reachable(std::int32_t from, std::int32_t to) const {
    return isolated_.contains(from) == isolated_.contains(to);
  }
  [[nodiscard]] Node* at_port(std::uint16_t port);
  template <typename F>
  auto run(F work) {
    return shards_.run(0, std::move(work));
  }

  bool endpoints_known = true;  // nodes know where they listen
  RaftConfig config;            // for nodes started from now on; ids and endpoints are filled in

 private:
  runtime::MemoryShards shards_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::set<std::int32_t> isolated_;
};

[[nodiscard]] std::vector<std::uint8_t> as_record(std::string_view text);

}  // namespace dohle::raft
