// Rows 9 to 11 of the fault matrix: what goes wrong with a disk while it is in use. What a crash leaves of it is
// written in src/runtime/memory/memory_file_crash.cc.
//
// - eio: reads, writes, renames and syncs of the files, or syncs of the directories, whose path holds `path` fail,
//   `times` in a row, a write after some part of it was written. A sync of a file that failed has lost what it should
//   have synced, and the next one "succeeds". With mend=restart, somebody stops and starts the node when the disk is
//   whole.
// - full: the disk has room for a few more bytes, and nothing more; a write takes what fits and fails. Later it has
//   room again, without anybody's help. With hungry=1, somebody else takes what the node gives back while it serves.
// - slow: whatever runs on a thread for blocking file work takes its time.
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
    fill();
    full_ = true;
    if (arguments().has("hungry")) eat();
    heal_after(draw("for", "1..6"));
  }
  void fill() {
    auto& disk = simulation().node().machine().disk();
    disk.set_capacity(disk.used_bytes() + static_cast<std::uint64_t>(draw("room", "0..20000")));
  }
  void eat() {
    simulation().world().at(to_duration(1), [this] {
      if (!full_) return;
      if (simulation().node().up()) fill();
      eat();
    });
  }
  void heal() override {
    full_ = false;
    constexpr std::uint64_t kRoomy = 1ULL << 40U;
    simulation().node().machine().disk().set_capacity(kRoomy);
  }
  bool full_ = false;
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

}  // namespace

std::unique_ptr<Fault> make_disk_fault(Simulation& simulation, const Line& line) {
  if (line.name == "eio") return std::make_unique<IoErrors>(simulation, line);
  if (line.name == "full") return std::make_unique<FullDisk>(simulation, line);
  if (line.name == "slow") return std::make_unique<SlowDisk>(simulation, line);
  return nullptr;
}

}  // namespace dohle::scenarios
