#include <raft/replica_key.h>

#include <fmt/format.h>

namespace dohle::raft {

std::string ReplicaKey::to_string() const {
  return directory ? fmt::format("{} (directory {})", id, directory->to_string()) : fmt::format("{}", id);
}

}  // namespace dohle::raft
