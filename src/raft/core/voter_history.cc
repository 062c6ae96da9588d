#include "core/voter_history.h"

namespace dohle::raft {

namespace {

template <typename T>
void drop_new(std::map<Offset, T>& entries, Offset end) {
  entries.erase(entries.lower_bound(end), entries.end());
}

template <typename T>
void drop_old(std::map<Offset, T>& entries, Offset start) {
  auto at = entries.upper_bound(start);
  if (at != entries.begin()) entries.erase(entries.begin(), --at);
}

template <typename T>
const T* at_or_before(const std::map<Offset, T>& entries, Offset offset) {
  auto at = entries.upper_bound(offset);
  return at == entries.begin() ? nullptr : &(--at)->second;
}

}  // namespace

void VoterHistory::clear() {
  voters_.clear();
  versions_.clear();
}

void VoterHistory::truncate_new(Offset end) {
  drop_new(voters_, end);
  drop_new(versions_, end);
}

void VoterHistory::truncate_old(Offset start) {
  drop_old(voters_, start);
  drop_old(versions_, start);
}

std::optional<Offset> VoterHistory::voters_offset() const {
  if (voters_.empty()) return std::nullopt;
  return voters_.rbegin()->first;
}

std::optional<VoterSet> VoterHistory::voters_at(Offset offset) const {
  const VoterSet* found = at_or_before(voters_, offset);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::int16_t VoterHistory::kraft_version_at(Offset offset) const {
  const std::int16_t* found = at_or_before(versions_, offset);
  return found == nullptr ? std::int16_t{0} : *found;
}

}  // namespace dohle::raft
