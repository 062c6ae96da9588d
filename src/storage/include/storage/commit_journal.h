// CommitJournal: records that are durable before their own files are. One write and one sync of it stand for those of a
// thousand logs.
//
// Two files of a fixed size in a log directory, written in turns, over bytes that are there already: a sync of it
// changes no metadata of the file system. Each turn is a generation. When a file is full the other one is next, and the
// logs that the full one tells of are synced; then it is cleared and may be written again. After a power loss a log is
// recovered as always, and where its own file has no whole batch the journal may have it (JournalContents).
// docs/FORMATS.md has the bytes, docs/decisions/006-commit-journal.md the reasons.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <base/bytes.h>
#include <base/ids.h>
#include <base/result.h>
#include <base/uuid.h>
#include <runtime/file_system.h>

namespace dohle::storage {

// Ascends from 1; 0: not in the journal.
using JournalGeneration = std::uint64_t;

// A log as the journal knows it, from its first commit on.
struct JournaledLog {
  explicit JournaledLog(std::string name) : partition(std::move(name)) {}
  const std::string partition;  // the name of its directory, like orders-3
  // Counted by the log's shard before it cuts a file: what is read of it at that time is not to be trusted.
  std::atomic<std::uint64_t> cuts{0};
  // Of the thread that syncs: the file that is to be synced for the newest generation that tells of the log.
  JournalGeneration noted_in = 0;
  const runtime::File* noted = nullptr;
};

// From here on the segment file holds these bytes, whole batches, and the log nothing else. Without bytes: it was cut.
struct CommitRun {
  std::shared_ptr<JournaledLog> log;
  TopicId topic_id;
  runtime::FileRef file;
  Offset segment;  // its base offset
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t cuts = 0;            // the log's, when this was made
  JournalGeneration generation = 0;  // once it is in the journal
  [[nodiscard]] std::uint64_t bytes() const { return to - from; }
  [[nodiscard]] bool is_cut() const { return from == to; }
};

// On the directory's sync thread, unless it says otherwise.
class CommitJournal {
 public:
  // What a run may have to go in at all: more would cost more to write twice than a sync of its own file.
  static constexpr std::uint64_t kMostRunBytes = 64U << 10U;
  static constexpr std::uint64_t kLeastFileBytes = 16U << 10U;

  // The files of an earlier run, cleared: their logs must be durable in their own files. Null where there are none of
  // this size; what there is then is removed. Blocks.
  [[nodiscard]] static Result<std::unique_ptr<CommitJournal>> take_over(runtime::FileSystem& fs,
                                                                        const std::string& directory,
                                                                        std::uint64_t file_bytes);
  // Blocks for as long as it takes to write them. An error leaves none behind.
  [[nodiscard]] static Result<std::unique_ptr<CommitJournal>> make(runtime::FileSystem& fs,
                                                                   const std::string& directory,
                                                                   std::uint64_t file_bytes);

  [[nodiscard]] bool takes(const CommitRun& run) const;
  // Those that takes() is true of, each of another log. Those that have a generation on return are durable. The others
  // found no room before a checkpoint ends, or their log was cut meanwhile.
  [[nodiscard]] Result<> append(std::span<CommitRun* const> runs);

  // A generation that nothing is added to any more, and what is to be synced for it.
  struct Sealed {
    JournalGeneration generation = 0;
    std::vector<runtime::FileRef> files;
    bool too_many = false;  // all that the directory holds
  };
  // After append(), or after turn(): once for each generation.
  [[nodiscard]] std::optional<Sealed> take_sealed() { return std::exchange(sealed_, std::nullopt); }
  // Goes on in the other file, if that is free and there is anything in this one.
  [[nodiscard]] Result<> turn();
  // On any thread: the logs of that generation are durable in their own files, and its file has nothing to say any
  // more. Blocks.
  [[nodiscard]] Result<> clear(JournalGeneration generation);
  // Up to which generation that was done.
  [[nodiscard]] JournalGeneration cleared() const { return cleared_.load(); }
  // Everything in the directory is durable: the journal begins anew, whatever a checkpoint is at.
  [[nodiscard]] Result<> start_over();

 private:
  CommitJournal(std::array<runtime::FileRef, 2> files, std::uint64_t file_bytes, JournalGeneration generation)
      : files_(std::move(files)), file_bytes_(file_bytes), generation_(generation), cleared_(generation - 1) {}
  [[nodiscard]] const runtime::FileRef& file_of(JournalGeneration generation) const { return files_[generation % 2]; }
  [[nodiscard]] std::uint64_t most_group_bytes() const;
  [[nodiscard]] Result<bool> write_group(std::span<CommitRun* const> runs);
  [[nodiscard]] Result<std::uint32_t> encode(std::span<CommitRun* const> runs);
  [[nodiscard]] Result<> sync();
  void note(const CommitRun& run);

  std::array<runtime::FileRef, 2> files_;
  std::uint64_t file_bytes_;
  JournalGeneration generation_;
  std::atomic<JournalGeneration> cleared_;
  std::uint64_t position_ = 0;       // behind the last group; 0: none yet
  std::vector<CommitRun*> written_;  // and not synced yet
  Sealed open_;                      // what will be sealed
  std::optional<Sealed> sealed_;
  std::vector<std::uint8_t> group_;
};

// What a journal holds, read at a start after an unclean stop. Immutable.
class JournalContents {
 public:
  // Blocks. Empty where there are no files; what is damaged ends a file.
  [[nodiscard]] static Result<std::shared_ptr<const JournalContents>> read(runtime::FileSystem& fs,
                                                                           const std::string& directory);
  // What a segment of the log holds from `position` on, as far as one run goes.
  [[nodiscard]] Bytes at(const std::string& partition, TopicId topic_id, Offset segment, std::uint64_t position) const;
  [[nodiscard]] bool empty() const { return logs_.empty(); }

 private:
  using Place = std::pair<Offset, std::uint64_t>;  // segment and position: ascends along a log
  using Runs = std::map<Place, Bytes>;
  [[nodiscard]] Result<> read_groups(const runtime::FileRef& file, JournalGeneration generation);
  void add_group(Bytes group);
  static void add_run(Runs& runs, Place place, Bytes bytes);
  std::vector<std::vector<std::uint8_t>> groups_;
  std::map<std::pair<std::string, Uuid>, Runs> logs_;
};

}  // namespace dohle::storage
