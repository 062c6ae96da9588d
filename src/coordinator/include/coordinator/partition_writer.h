// PartitionWriter: what a coordinator needs from the partition under it. Implemented by the broker over its replicas.
// All calls are made and answered on the shard where the partition lives.
#pragma once

#include <cstdint>

#include <base/buffer.h>
#include <base/ids.h>
#include <base/result.h>
#include <runtime/task.h>

namespace dohle::coordinator {

class PartitionWriter {
 public:
  // Whole record batches, one after the other; the first may begin before the offset asked for. Empty at the log end.
  struct Chunk {
    Slice batches;
    Offset log_end;
  };

  virtual ~PartitionWriter() = default;
  // Appends one batch as leader of `epoch`; the writer assigns offsets. The last offset, once written (not yet
  // committed). Nothing was written on an error; kNotLeader or kFencedEpoch when the epoch is no longer ours.
  [[nodiscard]] virtual runtime::Task<Result<Offset>> append(std::int32_t partition, LeaderEpoch epoch,
                                                             Slice batch) = 0;
  // Completes once the high watermark has passed `last`; an error when this node stops leading first.
  [[nodiscard]] virtual runtime::Task<Result<>> wait_committed(std::int32_t partition, Offset last) = 0;
  // Reads from `from` (or the log start, whichever is later) up to the log end, committed or not.
  [[nodiscard]] virtual runtime::Task<Result<Chunk>> read(std::int32_t partition, Offset from,
                                                          std::size_t max_bytes) = 0;
};

}  // namespace dohle::coordinator
