#include <client/assignor.h>

#include <algorithm>
#include <set>
#include <utility>

#include <base/check.h>

namespace dohle::client {

namespace {

struct Names {
  Assignor assignor;
  std::string_view name;
  std::string_view java_class;
};
constexpr Names kNames[] = {
    {Assignor::kRange, "range", "org.apache.kafka.clients.consumer.RangeAssignor"},
    {Assignor::kRoundRobin, "roundrobin", "org.apache.kafka.clients.consumer.RoundRobinAssignor"},
    {Assignor::kSticky, "sticky", "org.apache.kafka.clients.consumer.StickyAssignor"},
    {Assignor::kCooperativeSticky, "cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"},
};

// Static members sort by their instance ids, before the others, so that restarts change nothing.
std::vector<const GroupMember*> in_order(const std::vector<GroupMember>& members) {
  std::vector<const GroupMember*> out;
  for (const auto& member : members) out.push_back(&member);
  std::ranges::sort(out, [](const GroupMember* a, const GroupMember* b) {
    if (a->instance_id.has_value() != b->instance_id.has_value()) return a->instance_id.has_value();
    return a->instance_id ? *a->instance_id < *b->instance_id : a->id < b->id;
  });
  return out;
}

bool subscribes(const GroupMember& member, std::string_view topic) {
  return std::ranges::find(member.subscription.topics, topic) != member.subscription.topics.end();
}

GroupAssignment nothing_for(const std::vector<GroupMember>& members) {
  GroupAssignment out;
  for (const auto& member : members) out[member.id];
  return out;
}

// Topic by topic, each member gets a run of partitions; the first ones one more where it does not come out even.
GroupAssignment assign_range(const std::vector<GroupMember>& members, const PartitionCounts& topics) {
  GroupAssignment out = nothing_for(members);
  const auto ordered = in_order(members);
  for (const auto& [topic, count] : topics) {
    std::vector<const GroupMember*> takers;
    for (const auto* member : ordered) {
      if (subscribes(*member, topic)) takers.push_back(member);
    }
    if (takers.empty()) continue;
    const auto n = static_cast<std::int32_t>(takers.size());
    std::int32_t next = 0;
    for (std::int32_t i = 0; i < n; ++i) {
      const std::int32_t share = count / n + (i < count % n ? 1 : 0);
      for (const std::int32_t end = next + share; next < end; ++next) {
        out[takers[static_cast<std::size_t>(i)]->id].push_back({topic, next});
      }
    }
  }
  return out;
}

// All partitions in order are dealt out, round and round, to those who subscribe to their topic.
GroupAssignment assign_round_robin(const std::vector<GroupMember>& members, const PartitionCounts& topics) {
  GroupAssignment out = nothing_for(members);
  const auto ordered = in_order(members);
  std::size_t at = 0;
  for (const auto& [topic, count] : topics) {
    const bool wanted = std::ranges::any_of(ordered, [&](const auto* member) { return subscribes(*member, topic); });
    for (std::int32_t index = 0; wanted && index < count; ++index) {
      while (!subscribes(*ordered[at % ordered.size()], topic)) ++at;
      out[ordered[at++ % ordered.size()]->id].push_back({topic, index});
    }
  }
  return out;
}

// Everyone keeps what they own, the rest goes to those who have least, and then partitions move from the fullest to the
// emptiest that may take them until that brings no more balance.
class StickyAssignment {
 public:
  StickyAssignment(const std::vector<GroupMember>& members, const PartitionCounts& topics)
      : members_(in_order(members)), topics_(topics), load_(members_.size()) {}

  GroupAssignment run() {
    if (members_.empty()) return {};
    keep_owned();
    deal_out();
    balance();
    GroupAssignment out;
    for (const auto* member : members_) out[member->id];
    for (const auto& [partition, owner] : owner_) out[members_[owner]->id].push_back(partition);
    return out;
  }

 private:
  void keep_owned() {
    std::map<TopicPartition, std::int32_t> claimed_in;  // generation of the claim that stands
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const auto& subscription = members_[i]->subscription;
      for (const auto& partition : subscription.owned) {
        const auto topic = topics_.find(partition.topic);
        if (topic == topics_.end() || partition.partition >= topic->second || partition.partition < 0) continue;
        if (!subscribes(*members_[i], partition.topic)) continue;
        const auto before = claimed_in.find(partition);
        if (before != claimed_in.end() && before->second >= subscription.generation) {
          // Two claims of one generation: neither is believed.
          if (before->second == subscription.generation) owner_.erase(partition);
          continue;
        }
        claimed_in[partition] = subscription.generation;
        owner_[partition] = i;
      }
    }
    for (const auto& [partition, owner] : owner_) ++load_[owner];
  }

  void deal_out() {
    for (const auto& [topic, count] : topics_) {
      for (std::int32_t index = 0; index < count; ++index) {
        const TopicPartition partition{topic, index};
        if (owner_.contains(partition)) continue;
        if (const auto taker = emptiest(topic)) {
          owner_[partition] = *taker;
          ++load_[*taker];
        }
      }
    }
  }

  [[nodiscard]] std::optional<std::size_t> emptiest(std::string_view topic) const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (subscribes(*members_[i], topic) && (!best || load_[i] < load_[*best])) best = i;
    }
    return best;
  }

  // From the fullest downwards, so that nobody gets what they would have to give on. Each move makes the sum of squares
  // of the loads smaller: it ends.
  void balance() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t level = std::ranges::max(load_); level > 1; --level) moved = level_down(level) || moved;
    }
  }

  // Takes one partition from each who has `level` of them, where another would still have less.
  bool level_down(std::size_t level) {
    bool moved = false;
    for (auto& [partition, owner] : owner_) {
      if (load_[owner] < level) continue;
      const auto taker = emptiest(partition.topic);
      if (!taker || load_[*taker] + 1 >= load_[owner]) continue;
      --load_[owner];
      ++load_[*taker];
      owner = *taker;
      moved = true;
    }
    return moved;
  }

  std::vector<const GroupMember*> members_;
  const PartitionCounts& topics_;
  std::vector<std::size_t> load_;
  std::map<TopicPartition, std::size_t> owner_;
};

// What would move straight from one member to another is given to nobody this time: its owner lets go first, and the
// group rebalances once more.
GroupAssignment hold_back_moves(GroupAssignment assignment, const std::vector<GroupMember>& members) {
  std::map<TopicPartition, std::string> owners;
  for (const auto& member : members) {
    for (const auto& partition : member.subscription.owned) owners.emplace(partition, member.id);
  }
  for (auto& [id, partitions] : assignment) {
    std::erase_if(partitions, [&](const TopicPartition& partition) {
      const auto owner = owners.find(partition);
      return owner != owners.end() && owner->second != id;
    });
  }
  return assignment;
}

}  // namespace

std::string_view to_string(Assignor assignor) { return kNames[static_cast<std::size_t>(assignor)].name; }

std::optional<Assignor> assignor_named(std::string_view name) {
  for (const auto& known : kNames) {
    if (name == known.name || name == known.java_class) return known.assignor;
  }
  return std::nullopt;
}

GroupAssignment assign(Assignor assignor, const std::vector<GroupMember>& members, const PartitionCounts& topics) {
  switch (assignor) {
    case Assignor::kRange:
      return assign_range(members, topics);
    case Assignor::kRoundRobin:
      return assign_round_robin(members, topics);
    case Assignor::kSticky:
      return StickyAssignment(members, topics).run();
    case Assignor::kCooperativeSticky:
      return hold_back_moves(StickyAssignment(members, topics).run(), members);
  }
  DOHLE_CHECK(!"an assignor");
}

}  // namespace dohle::client
