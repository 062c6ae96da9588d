// Rows 9 to 11 of the fault matrix: what goes wrong with a disk while it is in use. What a crash leaves of it is
// written in src/runtime/memory/memory_file_crash.cc.
//
// - eio: reads, writes, renames and syncs of the files, or syncs of the directories, whose path holds `path` fail,
//   `times` in a row, a write after some part of it was written. A sync of a file that failed has lost what it should
//   have synced, and the next one "succeeds". With mend=restart, somebody stops and starts the node when the disk is whole.
// - full: the disk has room for a few more bytes, and nothing more; a write takes what fits and fails. Later it has
// room
//   again, without anybody's help.
// - slow: whatever runs on a thread for blocking file work takes its time.
// - rot: a bit of a file at rest, or in use, is not what it was. `files` are endings of names; only files that can be
// made
//   again from others are named there by default. With covered=1, a log rots only where its checksums tell.
#include <algorithm>
#include <utility>

#include "simulation.h"

namespace dohle::scenarios {
namespace {

using runtime::FileOperation;

runtime::Duration to_duration(double seconds) { return runtime::Duration(static_cast<std::int64_t>(seconds * 1e9)); }

class IoErrors final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    auto& random = simulation().random();
    const std::string what = arguments().choose(random, "what", "write|sync|sync|sync_directory|read|rename");
    runtime::FileFault fault;
    fault.operation = what == "write"            ? FileOperation::kWrite
                      : what == "read"           ? FileOperation::kRead
                      : what == "rename"         ? FileOperation::kRename
                      : what == "sync_directory" ? FileOperation::kSyncDirectory
                                                 : FileOperation::kSync;
    fault.path_part = arguments().has("path") ? arguments().choose(random, "path", "") : "data";
    fault.times = 1 + random.below(static_cast<std::uint64_t>(arguments().draw_int(random, "times", "1..3")));
    fault.write_bytes = random.below(200);
    simulation().note("eio", sim::Json().field("what", what).field("path", fault.path_part));
    simulation().node().machine().disk().inject(fault);
    struck_ = true;
    heal_after(draw("for", "0.5..3"));
  }
  void heal() override {
    simulation().node().machine().disk().clear_faults();
    if (std::exchange(struck_, false) && arguments().text("mend", "") == "restart") mend();
  }
  // Whoever has mended the disk starts the node again, as soon as it is there to be stopped.
  void mend() {
    if (simulation().node().up()) return simulation().node().restart(to_duration(0.1));
    simulation().world().at(to_duration(0.5), [this] { mend(); });
  }
  bool struck_ = false;
};

class FullDisk final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    auto& disk = simulation().node().machine().disk();
    disk.set_capacity(disk.used_bytes() + static_cast<std::uint64_t>(draw("room", "0..20000")));
    heal_after(draw("for", "1..6"));
  }
  void heal() override {
    constexpr std::uint64_t kRoomy = 1ULL << 40U;
    simulation().node().machine().disk().set_capacity(kRoomy);
  }
};

class SlowDisk final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    simulation().node().machine().set_io_delay(to_duration(draw("delay", "0.001..0.3")));
    heal_after(draw("for", "0.5..4"));
  }
  void heal() override { simulation().node().machine().set_io_delay(runtime::Duration{0}); }
};

class BitRot final : public Fault {
 public:
  using Fault::Fault;

 private:
  void strike() override {
    auto& disk = simulation().node().machine().disk();
    auto& random = simulation().random();
    const auto endings = split(arguments().text("files", ".index|.timeindex|.snapshot"), '|');
    auto files = disk.files_below(".");
    const std::string path = arguments().text("path", "");
    std::erase_if(files, [&](const std::string& file) {
      return file.find(path) == std::string::npos ||
             std::ranges::none_of(endings, [&](const std::string& ending) { return file.ends_with(ending); });
    });
    const auto least = static_cast<std::uint64_t>(arguments().draw_int(random, "least", "1"));
    std::erase_if(files, [&](const std::string& file) { return disk.file_size(file).value_or(0) < least; });
    if (files.empty()) return;
    const std::string& file = files[random.below(files.size())];
    // The end of a file is what a start looks at, and a recovery takes what rotted there for a torn write.
    const double part = draw("part", "1");
    const auto bits = static_cast<std::uint64_t>(8 * part * static_cast<double>(disk.file_size(file).value_or(1)));
    std::uint64_t bit = random.below(bits);
    if (arguments().has("covered")) bit = to_covered(disk.content(file).value_or(""), bit);
    if (disk.flip_bit(file, bit)) simulation().note("rot", sim::Json().field("file", file));
  }

  // Kafka's checksum does not cover a batch's offset, length, epoch and magic: a bit of those becomes one behind them.
  static std::uint64_t to_covered(std::string_view log, std::uint64_t bit) {
    constexpr std::uint64_t kLengthAt = 8;
    constexpr std::uint64_t kChecksumAt = 17;
    for (std::uint64_t at = 0; at + kChecksumAt < log.size();) {
      std::uint64_t size = 0;
      for (std::uint64_t i = 0; i < 4; ++i) size = size << 8U | static_cast<std::uint8_t>(log[at + kLengthAt + i]);
      const std::uint64_t next = at + kLengthAt + 4 + size;
      if (bit / 8 < next) return std::max(bit, 8 * (at + kChecksumAt) + bit % 8);
      at = next;
    }
    return bit;
  }
};

}  // namespace

std::unique_ptr<Fault> make_disk_fault(Simulation& simulation, const Line& line) {
  if (line.name == "eio") return std::make_unique<IoErrors>(simulation, line);
  if (line.name == "full") return std::make_unique<FullDisk>(simulation, line);
  if (line.name == "slow") return std::make_unique<SlowDisk>(simulation, line);
  if (line.name == "rot") return std::make_unique<BitRot>(simulation, line);
  return nullptr;
}

}  // namespace dohle::scenarios
