#include "fetch/fetch_session.h"

#include <utility>

namespace dohle::broker {
namespace {

using protocol::ErrorCode;

// A session that was used within this time is not pushed out by another (min.incremental.fetch.session.eviction.ms).
constexpr runtime::Duration kMinEvictionAge = std::chrono::seconds(120);

FetchPlan refused(ErrorCode error) {
  FetchPlan plan;
  plan.error = error;
  return plan;
}

bool has_news(const FetchedState& told, const FetchedState& state, bool fresh) {
  return fresh || state.has_records || state.diverging || state.preferred_replica || state.error != ErrorCode::kNone ||
         told.error != state.error || told.high_watermark != state.high_watermark ||
         told.log_start_offset != state.log_start_offset;
}

}  // namespace

FetchPlan FetchSessions::begin(FetchSessionRequest request, runtime::MonotonicTime now) {
  if (request.epoch == kInitialFetchEpoch || request.epoch == kFinalFetchEpoch) {
    if (request.session_id != kNoFetchSession) sessions_.erase(request.session_id);
    if (request.epoch == kInitialFetchEpoch) return open(std::move(request), now);
    FetchPlan plan;
    plan.targets = std::move(request.targets);
    return plan;
  }
  return resume(std::move(request), now);
}

FetchPlan FetchSessions::open(FetchSessionRequest request, runtime::MonotonicTime now) {
  FetchPlan plan;
  if (make_room(request.targets.size(), request.from_follower, now)) {
    plan.session_id = new_id();
    Session& session = sessions_[plan.session_id];
    session.uses_topic_ids = request.uses_topic_ids;
    session.from_follower = request.from_follower;
    session.created = now;
    session.last_used = now;
    for (const auto& target : request.targets) put(session, target);
  }
  plan.targets = std::move(request.targets);
  return plan;
}

FetchPlan FetchSessions::resume(FetchSessionRequest request, runtime::MonotonicTime now) {
  auto at = sessions_.find(request.session_id);
  if (at == sessions_.end()) return refused(ErrorCode::kFetchSessionIdNotFound);
  Session& session = at->second;
  if (session.next_epoch != request.epoch) return refused(ErrorCode::kInvalidFetchSessionEpoch);
  if (session.uses_topic_ids != request.uses_topic_ids) return refused(ErrorCode::kFetchSessionTopicIdError);

  for (const auto& gone : request.forgotten) {
    auto entry = session.by_key.find(key_of(gone));
    if (entry == session.by_key.end()) continue;
    session.order.erase(entry->second);
    session.by_key.erase(entry);
  }
  for (auto& target : request.targets) put(session, std::move(target));

  session.last_used = now;
  session.next_epoch = session.next_epoch == INT32_MAX ? 1 : session.next_epoch + 1;
  FetchPlan plan;
  if (session.order.empty()) {  // nothing left to fetch: the session ends
    sessions_.erase(at);
    return plan;
  }
  plan.session_id = request.session_id;
  plan.incremental = true;
  for (const auto& entry : session.order) plan.targets.push_back(entry.target);
  return plan;
}

std::vector<bool> FetchSessions::finish(const FetchPlan& plan, const std::vector<FetchedState>& states) {
  std::vector<bool> carried(plan.targets.size(), true);
  auto at = sessions_.find(plan.session_id);
  if (plan.session_id == kNoFetchSession || at == sessions_.end()) return carried;
  Session& session = at->second;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    auto entry = session.by_key.find(key_of(plan.targets[i]));
    if (entry == session.by_key.end()) continue;
    const auto where = entry->second;
    if (plan.incremental) carried[i] = has_news(where->told, states[i], where->fresh);
    where->told = states[i];
    // An error is told again until it is gone, and its end is told too.
    where->fresh = states[i].error != ErrorCode::kNone;
    if (plan.incremental && states[i].has_records) session.order.splice(session.order.end(), session.order, where);
  }
  return carried;
}

bool FetchSessions::make_room(std::size_t targets, bool from_follower, runtime::MonotonicTime now) {
  if (sessions_.size() < slots_) return true;
  auto oldest = sessions_.end();
  for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
    if (oldest == sessions_.end() || at->second.last_used < oldest->second.last_used) oldest = at;
  }
  if (oldest == sessions_.end()) return false;
  const bool stale = now - oldest->second.last_used > kMinEvictionAge;
  const bool outranked = (from_follower && !oldest->second.from_follower) ||
                         (from_follower == oldest->second.from_follower &&
                          now - oldest->second.created > kMinEvictionAge && targets > oldest->second.order.size());
  if (!stale && !outranked) return false;
  sessions_.erase(oldest);
  return true;
}

std::int32_t FetchSessions::new_id() {
  for (;;) {
    const auto raw = 1 + random_.below(INT32_MAX / shards_ - 1);
    const auto id = static_cast<std::int32_t>(raw * shards_ + shard_);
    if (id > 0 && !sessions_.contains(id)) return id;
  }
}

void FetchSessions::put(Session& session, FetchTarget target) {
  const Key key = key_of(target);
  if (auto entry = session.by_key.find(key); entry != session.by_key.end()) {
    entry->second->target = std::move(target);
    return;
  }
  session.order.push_back(Entry{std::move(target), {}, true});
  session.by_key.emplace(key, std::prev(session.order.end()));
}

}  // namespace dohle::broker
