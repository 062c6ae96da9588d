// What it costs to make many logs durable together: each file by itself, the whole file system, or through the journal.
// Files grow by a batch of one record for each commit. On the disk of the working directory.
#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <records/builder.h>
#include <runtime/live/live_shards.h>
#include <runtime/start_all.h>
#include <storage/log_manager.h>

namespace dohle::storage {
namespace {

enum class Way : std::uint8_t { kOneByOne, kFileSystem };

const std::string kDirectory = "commit_bench.data";

Slice one_batch() {
  records::BatchBuilder builder({});
  builder.append(1'767'225'600'000, std::nullopt, as_bytes(std::string(100, 'x')));
  return builder.build();
}

// As a log's file grows: blocks are allocated ahead.
void sync_files(benchmark::State& state, Way way) {
  runtime::LiveShards shards;
  auto& files = shards.at(0).files();
  static_cast<void>(files.remove_all(kDirectory));
  if (!files.create_directories(kDirectory)) return state.SkipWithError("no directory");
  std::vector<runtime::FileRef> logs;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    logs.push_back(*files.open(runtime::join_path(kDirectory, std::to_string(i)), runtime::OpenMode::kCreate));
    static_cast<void>(logs.back()->allocate(0, 64U << 10U));
  }
  const Slice batch = one_batch();
  std::uint64_t at = 0;
  for (auto _ : state) {
    for (const auto& log : logs) static_cast<void>(log->write_at(at, batch.bytes()));
    at += batch.size();
    Result<> synced;
    if (way == Way::kFileSystem) synced = files.sync_all(kDirectory);
    for (std::size_t i = 0; way == Way::kOneByOne && i < logs.size() && synced; ++i) synced = logs[i]->sync();
    if (!synced) state.SkipWithError("a sync failed");
  }
  static_cast<void>(files.remove_all(kDirectory));
}

runtime::Task<Result<>> commit(Log* log) { co_return co_await log->commit(log->log_end()); }

runtime::Task<int> commit_logs(benchmark::State* state, runtime::LiveShards* shards) {
  static_cast<void>(shards->at(0).files().remove_all(kDirectory));
  auto manager = LogManager::open(*shards, {.log_dirs = {kDirectory}, .journal_bytes = 16U << 20U, .reserve_bytes = 0});
  if (!manager || !co_await (*manager)->load({})) co_return 1;
  std::vector<Log*> logs;
  LogConfig config;
  config.timestamp_after_max_ms = kMaxLong;
  for (std::int32_t i = 0; i < state->range(0); ++i) {
    logs.push_back(*co_await (*manager)->on(0).get_or_create({"bench", i}, TopicId{Uuid{1, 2}}, config));
  }
  const auto commit_all = [&]() -> runtime::Task<bool> {
    std::vector<runtime::Task<Result<>>> commits;
    for (Log* log : logs) {
      static_cast<void>(log->append_as_leader(one_batch(), LeaderEpoch(0)));
      commits.push_back(commit(log));
    }
    for (const auto& done : co_await runtime::start_all(std::move(commits))) {
      if (!done) co_return false;
    }
    co_return true;
  };
  // Until the journal has been made and everything new about the logs is durable.
  bool good = co_await commit_all();
  while (good && logs.front()->synced_end() == logs.front()->log_end()) good = co_await commit_all();
  for (auto _ : *state) good = co_await commit_all() && good;
  static_cast<void>(co_await (*manager)->shutdown(1));
  static_cast<void>(shards->at(0).files().remove_all(kDirectory));
  co_return good ? 0 : 1;
}

void commit_each_file(benchmark::State& state) { sync_files(state, Way::kOneByOne); }
void commit_file_system(benchmark::State& state) { sync_files(state, Way::kFileSystem); }
void commit_through_the_journal(benchmark::State& state) {
  runtime::LiveShards shards;
  const int failed = shards.run([&state, &shards] { return commit_logs(&state, &shards); });
  if (failed != 0) state.SkipWithError("a commit failed");
}
BENCHMARK(commit_each_file)->Arg(1)->Arg(32)->Arg(1000)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(commit_file_system)->Arg(1)->Arg(32)->Arg(1000)->UseRealTime()->Unit(benchmark::kMicrosecond);
// One log alone has no journal made.
BENCHMARK(commit_through_the_journal)->Arg(2)->Arg(32)->Arg(1000)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace dohle::storage
