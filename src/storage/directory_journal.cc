#include "directory_journal.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>

namespace dohle::storage {

namespace {
constexpr std::uint64_t kShareOfDisk = 64;        // one of so many parts for each file
constexpr std::uint64_t kSmallBytes = 1U << 20U;  // what is written in no time
}  // namespace

DirectoryJournal::DirectoryJournal(std::string path, runtime::FileSystem& fs,
                                   std::unique_ptr<runtime::IoThread> checkpoints, Directory directory)
    : path_(std::move(path)), fs_(fs), directory_(std::move(directory)), checkpoints_(std::move(checkpoints)) {}

runtime::Task<void> DirectoryJournal::begin(std::uint64_t file_bytes) {
  const auto begun = co_await runtime::run_on(*checkpoints_, [this, file_bytes] { return take_over(file_bytes); });
  if (!begun) directory_.failed(begun.error());
}

Result<> DirectoryJournal::take_over(std::uint64_t file_bytes) {
  if (const auto space = fs_.space(path_)) file_bytes = std::min(file_bytes, space->total_bytes / kShareOfDisk);
  if (file_bytes < CommitJournal::kLeastFileBytes) file_bytes = 0;
  DOHLE_ASSIGN(auto earlier, CommitJournal::take_over(fs_, path_, file_bytes));
  if (earlier) {
    use(std::move(earlier));
    return {};
  }
  to_make_.store(file_bytes);
  if (file_bytes <= kSmallBytes) make();
  return {};
}

// Without it all goes on, more slowly.
void DirectoryJournal::make() {
  const std::uint64_t file_bytes = to_make_.exchange(0);
  if (file_bytes == 0 || directory_.offline() || directory_.lives_on_reserve()) return;
  auto made = CommitJournal::make(fs_, path_, file_bytes);
  if (made) return use(std::move(*made));
  if (made.error().code == Errc::kIo) return directory_.failed(made.error());
  log::warn("storage", "log directory {} goes without a journal: {}", path_, made.error().message);
}

void DirectoryJournal::use(std::unique_ptr<CommitJournal> journal) {
  opened_ = std::move(journal);
  journal_.store(opened_.get());
}

Result<> DirectoryJournal::append(std::span<CommitRun* const> runs) {
  CommitJournal* const journal = journal_.load();
  if (journal == nullptr && runs.size() > 1 && to_make_.load() > 0) checkpoints_->post([this] { make(); });
  if (journal == nullptr) return {};
  std::vector<CommitRun*> small;
  std::ranges::copy_if(runs, std::back_inserter(small), [&](const CommitRun* run) { return journal->takes(*run); });
  DOHLE_TRY(journal->append(small));
  checkpoint_sealed();
  const bool untold = std::ranges::any_of(runs, [](const auto* run) { return run->is_cut() && run->generation == 0; });
  if (!untold) return {};
  // No room. What was cut must not come back: so it is forgotten altogether.
  DOHLE_MARK("storage.journal_started_over");
  DOHLE_TRY(fs_.sync_all(path_));
  return journal->start_over();
}

Result<> DirectoryJournal::settle() {
  CommitJournal* const journal = journal_.load();
  if (journal == nullptr) return {};
  DOHLE_TRY(journal->turn());
  checkpoint_sealed();
  return {};
}

JournalGeneration DirectoryJournal::cleared() const {
  const CommitJournal* const journal = journal_.load();
  return journal == nullptr ? 0 : journal->cleared();
}

void DirectoryJournal::checkpoint_sealed() {
  auto sealed = journal_.load()->take_sealed();
  if (!sealed) return;
  checkpoints_->post([this, sealed = std::move(*sealed)] {
    if (directory_.offline()) return;
    if (const auto done = checkpoint(sealed); !done) directory_.failed(done.error());
  });
}

Result<> DirectoryJournal::checkpoint(const CommitJournal::Sealed& sealed) {
  DOHLE_MARK("storage.journal_checkpointed");
  if (!DOHLE_MUTANT("storage.journal_checkpoint_skipped")) {
    if (sealed.too_many) DOHLE_TRY(fs_.sync_all(path_));
    for (const auto& file : sealed.files) DOHLE_TRY(file->sync());
  }
  return journal_.load()->clear(sealed.generation);
}

// A checkpoint may be under way, and another generation be waiting for it.
runtime::Task<void> DirectoryJournal::end(runtime::IoThread& syncs) {
  to_make_.store(0);
  for (int turn = 0; turn < 2; ++turn) {
    const auto settled =
        co_await runtime::run_on(syncs, [this] { return directory_.offline() ? Result<>{} : settle(); });
    if (!settled) directory_.failed(settled.error());
    co_await runtime::run_on(*checkpoints_, [] { return true; });
  }
}

}  // namespace dohle::storage
