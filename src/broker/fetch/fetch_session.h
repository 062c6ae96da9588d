// Incremental fetch sessions (KIP-227, KIP-516). A shard keeps the sessions that its connections opened; a session's id
// tells its shard. Sans-I/O.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <base/ids.h>
#include <protocol/error_code.h>
#include <runtime/clock.h>
#include <runtime/random.h>

namespace dohle::broker {

inline constexpr std::int32_t kNoFetchSession = 0;
inline constexpr std::int32_t kInitialFetchEpoch = 0;
inline constexpr std::int32_t kFinalFetchEpoch = -1;

// One partition of a fetch, by name (up to version 12) or by id.
struct FetchTarget {
  TopicId topic_id;
  std::string topic;
  std::int32_t partition = 0;

  std::int32_t current_leader_epoch = -1;
  Offset fetch_offset;
  std::int32_t last_fetched_epoch = -1;
  Offset log_start_offset = kNoOffset;
  std::int32_t max_bytes = 0;
};

// What a client was last told about a partition; an incremental answer leaves out what has not changed.
struct FetchedState {
  Offset high_watermark = kNoOffset;
  Offset log_start_offset = kNoOffset;
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  bool has_records = false;
  bool diverging = false;
  bool preferred_replica = false;
};

struct FetchSessionRequest {
  std::int32_t session_id = kNoFetchSession;
  std::int32_t epoch = kFinalFetchEpoch;
  bool uses_topic_ids = false;
  bool from_follower = false;
  std::vector<FetchTarget> targets;
  std::vector<FetchTarget> forgotten;
};

// What to read, and how to answer.
struct FetchPlan {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::int32_t session_id = kNoFetchSession;  // 0: the answer names no session
  bool incremental = false;                   // leave out partitions without news
  std::vector<FetchTarget> targets;
};

class FetchSessions {
 public:
  // Session ids of this cache are congruent to `shard` modulo `shards`.
  FetchSessions(std::size_t slots, std::size_t shard, std::size_t shards, runtime::Random& random)
      : slots_(slots), shard_(shard), shards_(shards), random_(random) {}

  [[nodiscard]] static std::size_t shard_of(std::int32_t session_id, std::size_t shards) {
    return static_cast<std::size_t>(session_id) % shards;
  }

  [[nodiscard]] FetchPlan begin(FetchSessionRequest request, runtime::MonotonicTime now);
  // Records what is answered for each target of the plan, in its order; returns which of them the answer must carry.
  // Targets that carry records move to the end of the session's order, so that none starves behind the byte limit.
  [[nodiscard]] std::vector<bool> finish(const FetchPlan& plan, const std::vector<FetchedState>& states);

  [[nodiscard]] std::size_t size() const { return sessions_.size(); }

 private:
  using Key = std::tuple<TopicId, std::string, std::int32_t>;
  struct Entry {
    FetchTarget target;
    FetchedState told;
    bool fresh = true;
  };
  using Order = std::list<Entry>;
  struct Session {
    std::int32_t next_epoch = 1;
    bool uses_topic_ids = false;
    bool from_follower = false;
    runtime::MonotonicTime created;
    runtime::MonotonicTime last_used;
    Order order;
    std::map<Key, Order::iterator> by_key;
  };

  static Key key_of(const FetchTarget& target) { return {target.topic_id, target.topic, target.partition}; }
  FetchPlan open(FetchSessionRequest request, runtime::MonotonicTime now);
  FetchPlan resume(FetchSessionRequest request, runtime::MonotonicTime now);
  bool make_room(std::size_t targets, bool from_follower, runtime::MonotonicTime now);
  std::int32_t new_id();
  static void put(Session& session, FetchTarget target);

  std::size_t slots_;
  std::size_t shard_;
  std::size_t shards_;
  runtime::Random& random_;
  std::map<std::int32_t, Session> sessions_;
};

}  // namespace dohle::broker
