#include <controller/replica_placer.h>

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace dohle::metadata {
namespace {

template <typename T>
void shuffle(std::vector<T>& items, runtime::Random& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

// Brokers of one rack in one state. Within a round (epoch) each is given out once; every round starts one further.
class BrokerRing {
 public:
  void add(std::int32_t broker) { brokers_.push_back(broker); }
  void start(runtime::Random& random) {
    if (brokers_.empty()) return;
    std::ranges::sort(brokers_);
    offset_ = random.below(brokers_.size());
  }
  void mix(runtime::Random& random) { shuffle(brokers_, random); }
  // -1 when all have been given out in this round.
  std::int32_t next(std::int32_t epoch) {
    if (brokers_.empty()) return -1;
    if (epoch_ != epoch) {
      epoch_ = epoch;
      index_ = 0;
      offset_ = (offset_ + 1) % brokers_.size();
    }
    if (index_ >= brokers_.size()) return -1;
    return brokers_[(index_++ + offset_) % brokers_.size()];
  }

 private:
  std::vector<std::int32_t> brokers_;
  std::size_t index_ = 0;
  std::size_t offset_ = 0;
  std::int32_t epoch_ = 0;
};

struct Rack {
  BrokerRing unfenced;
  BrokerRing fenced;
  std::int32_t next(std::int32_t epoch) {
    const std::int32_t broker = unfenced.next(epoch);
    return broker >= 0 ? broker : fenced.next(epoch);
  }
};

class Placer {
 public:
  Placer(std::span<const UsableBroker> brokers, runtime::Random& random) : random_(random) {
    std::map<std::optional<std::string>, Rack> racks;
    for (const UsableBroker& broker : brokers) {
      Rack& rack = racks[broker.rack];
      (broker.fenced ? rack.fenced : rack.unfenced).add(broker.id);
      if (!broker.fenced) ++unfenced_;
    }
    for (auto& [name, rack] : racks) {
      rack.fenced.start(random);
      rack.unfenced.start(random);
      racks_.push_back(std::move(rack));
    }
    offset_ = racks_.empty() ? 0 : random.below(racks_.size());
  }
  [[nodiscard]] std::int32_t unfenced() const { return unfenced_; }

  // There must be an unfenced broker, and as many brokers as replicas.
  std::vector<std::int32_t> place(std::int16_t replication_factor) {
    // As many rounds as unfenced brokers repeat themselves: mix before going on.
    if (epoch_ == unfenced_ && unfenced_ > 1) {
      shuffle(racks_, random_);
      for (Rack& rack : racks_) {
        rack.fenced.mix(random_);
        rack.unfenced.mix(random_);
      }
      epoch_ = 0;
    }
    if (offset_ == racks_.size()) offset_ = 0;
    std::vector<std::int32_t> out;
    std::size_t leader_rack = offset_;
    while (true) {
      const std::int32_t leader = racks_[leader_rack].unfenced.next(epoch_);
      if (leader >= 0) {
        out.push_back(leader);
        break;
      }
      leader_rack = (leader_rack + 1) % racks_.size();
    }
    add_followers(out, leader_rack, replication_factor);
    ++epoch_;
    ++offset_;
    return out;
  }

 private:
  void add_followers(std::vector<std::int32_t>& out, std::size_t leader_rack, std::int16_t replication_factor) {
    bool skip_leader_rack = true;  // once: it has given its broker of this turn
    std::size_t rack = offset_;
    while (std::cmp_less(out.size(), replication_factor)) {
      std::int32_t broker = -1;
      if (skip_leader_rack && rack == leader_rack) {
        skip_leader_rack = false;
      } else {
        broker = racks_[rack].next(epoch_);
      }
      rack = (rack + 1) % racks_.size();
      if (broker >= 0) out.push_back(broker);
    }
  }

  runtime::Random& random_;
  std::vector<Rack> racks_;
  std::int32_t unfenced_ = 0;
  std::int32_t epoch_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace

Result<std::vector<std::vector<std::int32_t>>> place_replicas(std::span<const UsableBroker> brokers,
                                                              std::int32_t partitions, std::int16_t replication_factor,
                                                              runtime::Random& random) {
  if (replication_factor <= 0) {
    return fail(
        Errc::kInvalidRequest,
        fmt::format("Invalid replication factor {}: the replication factor must be positive.", replication_factor));
  }
  Placer placer(brokers, random);
  if (placer.unfenced() == 0) {
    return fail(Errc::kInvalidRequest, "All brokers are currently fenced, or have all their log directories cordoned.");
  }
  if (std::cmp_greater(replication_factor, brokers.size())) {
    return fail(Errc::kInvalidRequest,
                fmt::format("The target replication factor of {} cannot be reached because only {} broker(s) are "
                            "registered or some brokers have all their log directories cordoned.",
                            replication_factor, brokers.size()));
  }
  std::vector<std::vector<std::int32_t>> out;
  out.reserve(static_cast<std::size_t>(std::max(partitions, 0)));
  for (std::int32_t i = 0; i < partitions; ++i) out.push_back(placer.place(replication_factor));
  return out;
}

}  // namespace dohle::metadata
