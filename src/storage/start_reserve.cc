#include "start_reserve.h"

#include <algorithm>

#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>

namespace dohle::storage {

namespace {
constexpr std::string_view kFile = ".dohle-start";
constexpr std::uint64_t kPart = 64;
constexpr std::uint64_t kLeast = 64U << 10U;
}  // namespace

StartReserve::StartReserve(runtime::FileSystem& fs, const std::string& directory)
    : fs_(fs), directory_(directory), path_(runtime::join_path(directory, kFile)) {}

std::uint64_t StartReserve::wanted(std::uint64_t reserve_bytes) const {
  const auto space = fs_.space(directory_);
  return space ? std::min(reserve_bytes, space->total_bytes) / kPart : 0;
}

bool StartReserve::give(std::uint64_t reserve_bytes) {
  const auto space = fs_.space(directory_);
  if (!space || space->usable_bytes >= wanted(reserve_bytes) || !fs_.remove_file(path_)) return false;
  DOHLE_MARK("storage.start_on_the_last_reserve");
  log::warn("storage", "log directory {} is full: starting on what was kept for that", directory_);
  return true;
}

void StartReserve::make(std::uint64_t reserve_bytes) {
  if (there_ || reserve_bytes == 0 || DOHLE_MUTANT("storage.nothing_kept_for_a_start")) return;
  const auto space = fs_.space(directory_);
  if (!space) return;
  // A start that used some of it leaves the rest; a quarter of that stays for what comes meanwhile.
  const bool exists = fs_.exists(path_);
  const std::uint64_t bytes = std::min(wanted(reserve_bytes), space->usable_bytes / 4 * 3);
  if (!exists && bytes < kLeast) return;
  const auto file = fs_.open(path_, runtime::OpenMode::kCreate);
  if (!file) return;
  there_ = exists || (*file)->allocate(0, bytes).has_value();
  if (!there_) static_cast<void>(fs_.remove_file(path_));  // it may hold a part
}

}  // namespace dohle::storage
