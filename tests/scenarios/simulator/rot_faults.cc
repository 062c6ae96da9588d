// Row 9 of the fault matrix: a bit of a file is not what it was.
//
// - files, path: endings of names, and a part of the path; only files that can be made again from others by default.
// - least, part: how large a file must be, and in which part of it, from its start, the bit lies.
// - older=N: not in the newest N logs of a partition. What rots above the last checkpoint of an unclean stop is taken
//   for a torn write, and so is what follows it.
// - where=covered|length: in a log, where its checksums tell; or in the length of a batch. A log rots once at most, and
//   the history says which offsets its damaged batch held.
// - last=1: in the last batch of a partition.
// - rest=1: only while no process runs, once each time.
// - noticed=1: in a checkpoint of where logs start, what cannot be: Kafka's format has no checksum, and a digit that
//   became another is the truth to any reader of it.
#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "simulation.h"

namespace dohle::scenarios {
namespace {

constexpr std::uint64_t kLengthAt = 8;
constexpr std::uint64_t kChecksumAt = 17;
constexpr std::uint64_t kLastDeltaAt = 23;
constexpr std::uint64_t kLeastBatch = 61;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<std::uint8_t>(byte);
  return value;
}

struct StoredBatch {
  std::uint64_t at = 0;
  std::uint64_t next = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
};

// The whole batches of a log that nothing has happened to.
std::vector<StoredBatch> batches_of(std::string_view log) {
  std::vector<StoredBatch> out;
  for (std::uint64_t at = 0; at + kLeastBatch <= log.size();) {
    const std::uint64_t next = at + kLengthAt + 4 + big_endian(log.substr(at + kLengthAt, 4));
    if (next > log.size() || next < at + kLeastBatch) break;
    const auto first = static_cast<std::int64_t>(big_endian(log.substr(at, 8)));
    const auto delta = static_cast<std::int64_t>(big_endian(log.substr(at + kLastDeltaAt, 4)));
    out.push_back({.at = at, .next = next, .first_offset = first, .last_offset = first + delta});
    at = next;
  }
  return out;
}

std::string directory_of(const std::string& file) { return file.substr(0, file.rfind('/')); }

// Of each directory the last in the order of names.
class IsNewest {
 public:
  explicit IsNewest(const std::vector<std::string>& files) {
    for (const auto& file : files) newest_[directory_of(file)] = std::max(newest_[directory_of(file)], file);
  }
  bool operator()(const std::string& file) const { return newest_.at(directory_of(file)) == file; }

 private:
  std::map<std::string, std::string> newest_;
};

class BitRot final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    if (arguments().has("rest")) {
      if (simulation().node().alive()) struck_at_rest_ = false;
      if (simulation().node().alive() || std::exchange(struck_at_rest_, true)) return;
    }
    auto& disk = simulation().node().machine().disk();
    auto& random = simulation().random();
    const auto files = eligible();
    if (files.empty()) return;
    const std::string& file = files[random.below(files.size())];
    const std::string content = disk.content(file).value_or("");
    // The end of a file is what a start looks at, and a recovery takes what rotted there for a torn write.
    const double part = draw("part", "1");
    const auto bits = static_cast<std::uint64_t>(8 * part * static_cast<double>(content.size()));
    if (bits == 0) return;
    if (arguments().has("where")) return strike_batch(file, content, random.below(bits));
    std::uint64_t bit = random.below(bits);
    // Few bits say what cannot be.
    for (int i = 0; arguments().has("noticed") && meaning(content, bit) != Meaning::kImpossible && i < 100; ++i) {
      bit = random.below(bits);
    }
    if (arguments().has("noticed") && meaning(content, bit) == Meaning::kWrong) return;
    if (disk.flip_bit(file, bit)) simulation().note("rot", sim::Json().field("file", file));
  }

  std::vector<std::string> eligible() {
    auto& disk = simulation().node().machine().disk();
    const auto endings = split(arguments().text("files", ".index|.timeindex|.snapshot"), '|');
    const std::string path = arguments().text("path", "");
    auto files = disk.files_below(".");
    std::erase_if(files, [&](const std::string& file) {
      return file.find(path) == std::string::npos ||
             std::ranges::none_of(endings, [&](const std::string& ending) { return file.ends_with(ending); });
    });
    const auto older = arguments().draw_int(simulation().random(), "older", "0");
    for (std::int64_t i = 0; i < older; ++i) std::erase_if(files, IsNewest(files));
    if (arguments().has("last")) std::erase_if(files, std::not_fn(IsNewest(files)));
    const auto least = static_cast<std::uint64_t>(arguments().draw_int(simulation().random(), "least", "1"));
    std::erase_if(files, [&](const std::string& file) {
      return disk.file_size(file).value_or(0) < least || simulation().rotted_logs().contains(file);
    });
    return files;
  }

  void strike_batch(const std::string& file, const std::string& content, std::uint64_t bit) {
    const auto batches = batches_of(content);
    if (arguments().has("last") && !batches.empty()) bit = 8 * batches.back().at + bit % kLeastBatch;
    const auto batch = std::ranges::find_if(
        batches, [bit](const StoredBatch& one) { return one.at <= bit / 8 && bit / 8 < one.next; });
    if (batch == batches.end()) return;
    if (arguments().choose(simulation().random(), "where", "covered") == "length") {
      bit = 8 * (batch->at + kLengthAt) + bit % 32;
    } else {
      bit = std::max(bit, 8 * (batch->at + kChecksumAt) + bit % 8);
    }
    if (!simulation().node().machine().disk().flip_bit(file, bit)) return;
    simulation().rotted_logs().insert(file);
    const std::string directory = directory_of(file);
    const std::string partition = directory.substr(directory.rfind('/') + 1);
    const std::size_t dash = partition.rfind('-');
    simulation().note("rot",
                      sim::Json()
                          .field("file", file)
                          .raw("tp", "[\"" + partition.substr(0, dash) + "\"," + partition.substr(dash + 1) + "]")
                          .field("first", batch->first_offset)
                          .field("last", batch->last_offset));
  }

  // What a checkpoint of where logs start says with that bit turned over.
  enum class Meaning : std::uint8_t {
    kHarmless,    // nothing, or less than before
    kWrong,       // that records are gone which are there
    kImpossible,  // that a log starts behind its end
  };
  Meaning meaning(std::string content, std::uint64_t bit) {
    const auto before = starts_in(content);
    content[bit / 8] = static_cast<char>(static_cast<unsigned char>(content[bit / 8]) ^ (1U << bit % 8));
    auto out = Meaning::kHarmless;
    for (const auto& [partition, start] : starts_in(content)) {
      const auto was = before.find(partition);
      const std::int64_t end = end_of(partition);
      if (end == 0 || start <= (was == before.end() ? 0 : was->second)) continue;
      if (start <= end) return Meaning::kWrong;
      out = Meaning::kImpossible;
    }
    return out;
  }

  // Partition directories with an offset: the lines `topic partition offset`.
  static std::map<std::string, std::int64_t> starts_in(std::string_view content) {
    std::map<std::string, std::int64_t> out;
    for (const auto& line : split(content, '\n')) {
      const auto words = split(line, ' ');
      std::int64_t offset = 0;
      if (words.size() != 3) continue;
      std::from_chars(words[2].data(), words[2].data() + words[2].size(), offset);
      out[words[0] + "-" + words[1]] = offset;
    }
    return out;
  }

  // What the log on the disk ends with, for a process that does not run.
  std::int64_t end_of(const std::string& partition) {
    auto& disk = simulation().node().machine().disk();
    std::int64_t end = 0;
    for (const auto& file : disk.files_below(".")) {
      if (!file.ends_with(".log") || !directory_of(file).ends_with("/" + partition)) continue;
      for (const auto& batch : batches_of(disk.content(file).value_or(""))) end = batch.last_offset + 1;
    }
    return end;
  }

  bool struck_at_rest_ = false;
};

}  // namespace

std::unique_ptr<Fault> make_rot_fault(Simulation& simulation, const Line& line) {
  if (line.name == "rot") return std::make_unique<BitRot>(simulation, line);
  return nullptr;
}

}  // namespace dohle::scenarios
