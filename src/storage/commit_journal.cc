#include <storage/commit_journal.h>

#include <algorithm>
#include <string_view>

#include <base/crc32c.h>
#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>
#include <base/reader.h>
#include <fmt/format.h>

namespace dohle::storage {

namespace {

// A group is what was written together. It begins at a block, so that a power loss tears nothing that was durable.
constexpr std::uint64_t kBlockBytes = 4096;
constexpr std::uint64_t kMostGroupBytes = 1U << 20U;
constexpr std::size_t kZeroBytes = 1U << 20U;
// Descriptors that a generation may hold open. A sync of the file system is quicker then, too.
constexpr std::size_t kMostFiles = 2048;

// The first block of a file. Groups of another generation behind it do not count.
constexpr std::uint32_t kFileMagic = 0x444f484a;   // DOHJ
constexpr std::uint32_t kGroupMagic = 0x444f4847;  // DOHG
namespace header {
constexpr std::size_t kCrc = 4;
constexpr std::size_t kGeneration = 8;  // from here on the CRC covers all
constexpr std::size_t kFileBytes = 16;
constexpr std::size_t kRuns = 16;  // of a group
constexpr std::size_t kBytes = 20;
constexpr std::size_t kGroupBytes = 28;
}  // namespace header
constexpr std::size_t kRunHeaderBytes = 2 + 16 + 8 + 8 + 4;  // name's length, topic id, segment, position, bytes

std::string path_of(const std::string& directory, std::size_t which) {
  return runtime::join_path(directory, fmt::format(".dohle-journal-{}", which));
}

std::uint64_t whole_blocks(std::uint64_t bytes) { return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes; }

std::uint64_t encoded_bytes(const CommitRun& run) { return kRunHeaderBytes + run.log->partition.size() + run.bytes(); }

Result<std::vector<std::uint8_t>> read_range(const runtime::FileRef& file, std::uint64_t at, std::uint64_t bytes) {
  std::vector<std::uint8_t> out(bytes);
  DOHLE_ASSIGN(const std::size_t got, file->read_at(at, out));
  out.resize(got);
  return out;
}

// 0: it has none that can be read.
Result<JournalGeneration> read_header(const runtime::FileRef& file) {
  DOHLE_ASSIGN(const auto head, read_range(file, 0, header::kFileBytes));
  if (head.size() < header::kFileBytes || load_be<std::uint32_t>(head.data()) != kFileMagic) return 0;
  if (load_be<std::uint32_t>(head.data() + header::kCrc) != crc32c(Bytes(head).subspan(header::kGeneration))) return 0;
  return load_be<JournalGeneration>(head.data() + header::kGeneration);
}

Result<> write_header(const runtime::FileRef& file, JournalGeneration generation) {
  std::vector<std::uint8_t> block(kBlockBytes);
  store_be(block.data(), kFileMagic);
  store_be(block.data() + header::kGeneration, generation);
  const Bytes covered(block.data() + header::kGeneration, header::kFileBytes - header::kGeneration);
  store_be(block.data() + header::kCrc, crc32c(covered));
  DOHLE_TRY(file->write_at(0, Bytes(block)));
  return file->sync();
}

Result<runtime::FileRef> make_file(runtime::FileSystem& fs, const std::string& path, std::uint64_t bytes) {
  DOHLE_ASSIGN(auto file, fs.open(path, runtime::OpenMode::kTruncate));
  const std::vector<std::uint8_t> zeros(std::min<std::uint64_t>(kZeroBytes, bytes));
  for (std::uint64_t at = 0; at < bytes; at += zeros.size()) {
    DOHLE_TRY(file->write_at(at, Bytes(zeros).first(std::min<std::uint64_t>(zeros.size(), bytes - at))));
  }
  DOHLE_TRY(file->sync());
  return file;
}

Result<> remove_files(runtime::FileSystem& fs, const std::string& directory) {
  for (const std::size_t which : {0, 1}) {
    auto removed = fs.remove_file(path_of(directory, which));
    if (!removed && removed.error().code != Errc::kNotFound) return removed;
  }
  return fs.sync_directory(directory);
}

}  // namespace

Result<std::unique_ptr<CommitJournal>> CommitJournal::take_over(runtime::FileSystem& fs, const std::string& directory,
                                                                std::uint64_t file_bytes) {
  std::array<runtime::FileRef, 2> files;
  JournalGeneration newest = 0;
  bool usable = true;
  bool any = false;
  for (std::size_t which = 0; which < files.size(); ++which) {
    const auto size = fs.file_size(path_of(directory, which));
    any = any || size;
    usable = usable && size && *size == whole_blocks(file_bytes);
    if (!usable) continue;
    DOHLE_ASSIGN(files[which], fs.open(path_of(directory, which), runtime::OpenMode::kReadWrite));
    DOHLE_ASSIGN(const JournalGeneration generation, read_header(files[which]));
    usable = generation > 0;  // otherwise nobody knows which generations its groups are of
    newest = std::max(newest, generation);
  }
  if (!any) return std::unique_ptr<CommitJournal>();
  std::unique_ptr<CommitJournal> out(new CommitJournal(std::move(files), whole_blocks(file_bytes), newest + 1));
  const auto cleared = usable ? out->start_over() : Result<>{};
  if (usable && cleared) return out;
  if (!cleared && cleared.error().code == Errc::kIo) return fail(cleared.error());
  DOHLE_TRY(remove_files(fs, directory));
  return std::unique_ptr<CommitJournal>();
}

Result<std::unique_ptr<CommitJournal>> CommitJournal::make(runtime::FileSystem& fs, const std::string& directory,
                                                           std::uint64_t file_bytes) {
  const auto made = [&]() -> Result<std::unique_ptr<CommitJournal>> {
    std::array<runtime::FileRef, 2> files;
    for (std::size_t which = 0; which < files.size(); ++which) {
      DOHLE_ASSIGN(files[which], make_file(fs, path_of(directory, which), whole_blocks(file_bytes)));
    }
    std::unique_ptr<CommitJournal> out(new CommitJournal(std::move(files), whole_blocks(file_bytes), 1));
    DOHLE_TRY(out->start_over());
    DOHLE_TRY(fs.sync_directory(directory));
    return out;
  };
  auto journal = made();
  if (!journal) static_cast<void>(remove_files(fs, directory));
  return journal;
}

std::uint64_t CommitJournal::most_group_bytes() const {
  return std::min(kMostGroupBytes, (file_bytes_ - kBlockBytes) / 2 / kBlockBytes * kBlockBytes);
}

bool CommitJournal::takes(const CommitRun& run) const {
  return run.bytes() <= kMostRunBytes && header::kGroupBytes + encoded_bytes(run) <= most_group_bytes();
}

Result<> CommitJournal::append(std::span<CommitRun* const> runs) {
  for (std::size_t begin = 0; begin < runs.size();) {
    std::uint64_t bytes = header::kGroupBytes;
    std::size_t end = begin;
    while (end < runs.size() && bytes + encoded_bytes(*runs[end]) <= most_group_bytes()) {
      bytes += encoded_bytes(*runs[end++]);
    }
    DOHLE_ASSIGN(const bool written, write_group(runs.subspan(begin, end - begin)));
    if (!written) break;
    begin = end;
  }
  return sync();
}

// False: there is no room.
Result<bool> CommitJournal::write_group(std::span<CommitRun* const> runs) {
  const std::size_t before = written_.size();
  DOHLE_ASSIGN(const std::uint32_t count, encode(runs));
  if (count == 0) return true;
  if (std::max(position_, kBlockBytes) + group_.size() > file_bytes_) {
    DOHLE_MARK("storage.journal_full");
    std::vector<CommitRun*> of_this_group(written_.begin() + static_cast<std::ptrdiff_t>(before), written_.end());
    written_.resize(before);
    const JournalGeneration full = generation_;
    DOHLE_TRY(turn());
    if (generation_ == full) return false;
    written_ = std::move(of_this_group);
  }
  position_ = std::max(position_, kBlockBytes);
  store_be(group_.data() + header::kGeneration, generation_);
  store_be(group_.data() + header::kCrc, crc32c(Bytes(group_).subspan(header::kGeneration)));
  const auto written = file_of(generation_)->write_at(position_, Bytes(group_));
  if (!written) {
    written_.resize(written_.size() - count);
    // Of a file system that writes to new blocks always: the logs' own files may have some.
    if (written.error().code == Errc::kNoSpace) return false;
    return fail(written.error());
  }
  position_ += group_.size();
  return true;
}

// Into group_, in whole blocks; generation and CRC are not there yet. Those that go in are added to written_. A log
// that was cut while its bytes were read may have given some of before and some of after.
Result<std::uint32_t> CommitJournal::encode(std::span<CommitRun* const> runs) {
  std::uint64_t most = header::kGroupBytes;
  for (const auto* run : runs) most += encoded_bytes(*run);
  group_.resize(whole_blocks(most));
  std::uint32_t count = 0;
  auto* at = group_.data() + header::kGroupBytes;
  for (CommitRun* run : runs) {
    auto* const begin = at;
    const std::string& name = run->log->partition;
    store_be(at, static_cast<std::uint16_t>(name.size()));
    store_be(at + 2, run->topic_id.uuid.high);
    store_be(at + 10, run->topic_id.uuid.low);
    store_be(at + 18, run->segment.value());
    store_be(at + 26, run->from);
    store_be(at + 34, static_cast<std::uint32_t>(run->bytes()));
    at = std::ranges::copy(name, at + kRunHeaderBytes).out;
    if (!run->is_cut()) {
      DOHLE_ASSIGN(const std::size_t got, run->file->read_at(run->from, MutableBytes(at, run->bytes())));
      if (got != run->bytes() || run->log->cuts.load() != run->cuts) {
        DOHLE_MARK("storage.cut_while_journaled");
        at = begin;
        continue;
      }
      at += run->bytes();
    }
    written_.push_back(run);
    ++count;
  }
  const auto bytes = static_cast<std::uint64_t>(at - group_.data());
  group_.resize(whole_blocks(bytes));
  std::fill(group_.begin() + static_cast<std::ptrdiff_t>(bytes), group_.end(), 0);
  store_be(group_.data(), kGroupMagic);
  store_be(group_.data() + header::kRuns, count);
  store_be(group_.data() + header::kBytes, bytes - header::kGroupBytes);
  return count;
}

Result<> CommitJournal::sync() {
  if (written_.empty()) return {};
  if (!DOHLE_MUTANT("storage.journal_not_synced")) DOHLE_TRY(file_of(generation_)->sync());
  for (CommitRun* run : std::exchange(written_, {})) {
    run->generation = generation_;
    note(*run);
  }
  return {};
}

void CommitJournal::note(const CommitRun& run) {
  if (run.is_cut() || open_.too_many) return;
  if (std::exchange(run.log->noted_in, generation_) == generation_ && run.log->noted == run.file.get()) return;
  run.log->noted = run.file.get();
  open_.files.push_back(run.file);
  if (open_.files.size() < kMostFiles) return;
  open_.files.clear();
  open_.too_many = true;
}

Result<> CommitJournal::turn() {
  if (position_ == 0 || sealed_ || cleared_.load() + 1 < generation_) return {};
  DOHLE_TRY(sync());
  open_.generation = generation_;
  sealed_ = std::exchange(open_, {});
  ++generation_;
  position_ = 0;
  return {};
}

Result<> CommitJournal::clear(JournalGeneration generation) {
  DOHLE_TRY(write_header(file_of(generation), generation + 2));
  JournalGeneration before = cleared_.load();
  while (before < generation && !cleared_.compare_exchange_weak(before, generation)) {
  }
  return {};
}

// A checkpoint of the generation before may be under way: it writes the same header once more.
Result<> CommitJournal::start_over() {
  DOHLE_TRY(write_header(file_of(generation_ + 1), generation_ + 1));
  DOHLE_TRY(clear(generation_));
  ++generation_;
  position_ = 0;
  open_ = {};
  sealed_.reset();
  return {};
}

Result<std::shared_ptr<const JournalContents>> JournalContents::read(runtime::FileSystem& fs,
                                                                     const std::string& directory) {
  auto out = std::make_shared<JournalContents>();
  std::map<JournalGeneration, runtime::FileRef> files;
  for (const std::size_t which : {0, 1}) {
    if (!fs.exists(path_of(directory, which))) continue;
    DOHLE_ASSIGN(const auto file, fs.open(path_of(directory, which), runtime::OpenMode::kRead));
    DOHLE_ASSIGN(const JournalGeneration generation, read_header(file));
    if (generation > 0) files.emplace(generation, file);
  }
  for (const auto& [generation, file] : files) DOHLE_TRY(out->read_groups(file, generation));
  return out;
}

Result<> JournalContents::read_groups(const runtime::FileRef& file, JournalGeneration generation) {
  DOHLE_ASSIGN(const std::uint64_t end, file->size());
  for (std::uint64_t at = kBlockBytes; at + kBlockBytes <= end;) {
    DOHLE_ASSIGN(const auto head, read_range(file, at, header::kGroupBytes));
    if (head.size() < header::kGroupBytes || load_be<std::uint32_t>(head.data()) != kGroupMagic) return {};
    if (load_be<JournalGeneration>(head.data() + header::kGeneration) != generation) return {};
    const auto bytes = load_be<std::uint64_t>(head.data() + header::kBytes);
    if (bytes > end - at - header::kGroupBytes) return {};
    const std::uint64_t size = whole_blocks(header::kGroupBytes + bytes);
    DOHLE_ASSIGN(auto group, read_range(file, at, size));
    const Bytes covered = Bytes(group).subspan(std::min(header::kGeneration, group.size()));
    if (group.size() < size || crc32c(covered) != load_be<std::uint32_t>(group.data() + header::kCrc)) return {};
    groups_.push_back(std::move(group));
    add_group(groups_.back());
    at += size;
  }
  return {};
}

void JournalContents::add_group(Bytes group) {
  const auto count = load_be<std::uint32_t>(group.data() + header::kRuns);
  const auto bytes = load_be<std::uint64_t>(group.data() + header::kBytes);
  Reader reader(group.subspan(header::kGroupBytes, bytes));
  for (std::uint32_t run = 0; run < count; ++run) {
    const auto name_bytes = reader.read<std::uint16_t>();
    const Uuid id{reader.read<std::uint64_t>(), reader.read<std::uint64_t>()};
    const Offset segment(reader.read<std::int64_t>());
    const auto position = reader.read<std::uint64_t>();
    const auto size = reader.read<std::uint32_t>();
    const Bytes name = reader.read_bytes(name_bytes);
    const Bytes records = reader.read_bytes(size);
    if (!reader.ok()) return;
    add_run(logs_[{std::string(as_text(name)), id}], {segment, position}, records);
  }
}

// Nothing of the log lies beyond where a run begins: what was said of that part before was cut since.
void JournalContents::add_run(Runs& runs, Place place, Bytes bytes) {
  const auto next = runs.erase(runs.lower_bound(place), runs.end());
  if (next != runs.begin()) {
    auto& [before, kept] = *std::prev(next);
    if (before.first == place.first && place.second - before.second < kept.size()) {
      kept = kept.first(place.second - before.second);
    }
  }
  if (!bytes.empty()) runs.emplace(place, bytes);
}

Bytes JournalContents::at(const std::string& partition, TopicId topic_id, Offset segment,
                          std::uint64_t position) const {
  const auto log = logs_.find({partition, topic_id.uuid});
  if (log == logs_.end()) return {};
  auto run = log->second.upper_bound({segment, position});
  if (run == log->second.begin()) return {};
  --run;
  const auto& [place, bytes] = *run;
  if (place.first != segment || position - place.second >= bytes.size()) return {};
  return bytes.subspan(position - place.second);
}

}  // namespace dohle::storage
