// What a shard lends to the logs that live on it. Everything outlives them.
#pragma once

#include <records/codec.h>
#include <runtime/clock.h>
#include <runtime/file_system.h>
#include <runtime/random.h>
#include <runtime/settled_clock.h>
#include <storage/commit_log.h>

namespace dohle::storage {

class TailCachePool;  // tail_cache.h
class OpenFiles;      // open_files.h

struct LogServices {
  runtime::FileSystem& files;
  runtime::Clock& clock;
  runtime::SettledClock& settled_clock;  // of the shard
  runtime::Random& random;
  CommitLog& commit_log;  // of the log's directory
  TailCachePool& tail_cache;
  OpenFiles& open_files;
  records::Decompressor& decompressor;
};

}  // namespace dohle::storage
