// Who waits for the high watermark to reach an offset. Kept by offset; woken in order. One shard.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include <base/ids.h>
#include <base/result.h>
#include <runtime/future.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::replication {

class OffsetWaiters {
 public:
  // Completes once `reached(offset)` was called with at least `offset`; kTimedOut after `timeout`; or with the error of
  // fail_all(). The caller checks beforehand whether the offset has been reached already.
  [[nodiscard]] runtime::Task<Result<>> wait(Offset offset, runtime::Duration timeout);
  void reached(Offset offset);
  void fail_all(const Error& error);
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  // By offset, then by arrival.
  using Key = std::pair<Offset, std::uint64_t>;
  std::map<Key, runtime::Promise<Result<>>> waiting_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace dohle::replication
