// Hostile records of __consumer_offsets: whatever lies in the log, loading ends with a state or an error.
// Input: records, each two length bytes for the key and two for the value (0xffff: none), then both.
#include <coordinator/group/group_config.h>

#include <base/reader.h>

#include "group/group_machine.h"

namespace {

class ZeroRandom final : public dohle::runtime::Random {
 public:
  std::uint64_t next() override { return 0; }
};

class NoTimers final : public dohle::coordinator::Timers {
 public:
  void schedule(const std::string&, std::int64_t, dohle::coordinator::TimerAction) override {}
  void cancel(const std::string&) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dohle;
  ZeroRandom random;
  NoTimers timers;
  coordinator::GroupConfig config;
  coordinator::GroupMachine machine(config, random);
  coordinator::UndoLog undo;
  Reader reader(Bytes(data, size));
  std::int64_t offset = 0;
  while (reader.remaining() >= 4) {
    const auto key_size = reader.read<std::uint16_t>();
    const auto value_size = reader.read<std::uint16_t>();
    const Bytes key = reader.read_bytes(std::min<std::size_t>(key_size, reader.remaining()));
    coordinator::ReplayedRecord record{.offset = Offset(offset++), .key = key};
    if (value_size != 0xffff) record.value = reader.read_bytes(std::min<std::size_t>(value_size, reader.remaining()));
    (void)machine.replay(record, undo);
  }
  // A state that was loaded must bear being used.
  coordinator::Turn turn(0, 0, timers, undo);
  machine.on_loaded(turn);
  (void)machine.describe({"group"}, 6);
  machine.expire(turn);
  undo.revert_to(0);
  return 0;
}
