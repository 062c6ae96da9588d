// What an append and a read cost: time on real files, and allocations and file calls counted on memory files.
#include <benchmark/benchmark.h>

#include <records/builder.h>
#include <runtime/live/live_shards.h>
#include <runtime/memory/memory_shards.h>
#include <storage/log_manager.h>

#include "allocations.h"

namespace dohle::storage {
namespace {

using runtime::FileOperation;

const TopicPartition kPartition{"bench", 0};
const TopicId kTopicId{Uuid{1, 2}};

Slice one_batch(std::size_t value_bytes) {
  records::BatchBuilder builder({});
  const std::string value(value_bytes, 'x');
  builder.append(1'767'225'600'000, std::nullopt, as_bytes(value));
  return builder.build();
}

LogConfig page_cache() {
  LogConfig config;
  config.flush_messages = kMaxLong;
  config.timestamp_after_max_ms = kMaxLong;
  return config;
}

LogManagerConfig manager_config(const std::string& directory) { return {.log_dirs = {directory}, .reserve_bytes = 0}; }

// A log over memory files, with its shard entered.
struct MemoryLog {
  explicit MemoryLog(std::uint64_t tail_cache_bytes) {
    auto config = manager_config("/d");
    config.tail_cache_bytes_per_shard = tail_cache_bytes;
    manager = std::move(*LogManager::open(shards, config));
    static_cast<void>(shards.run(0, [this] { return manager->load({}); }));
    log = *shards.run(0, [this] { return manager->on(0).get_or_create(kPartition, kTopicId, page_cache()); });
  }
  ~MemoryLog() {
    static_cast<void>(shards.run(0, [this] { return manager->shutdown(1); }));
  }
  [[nodiscard]] std::uint64_t file_calls() {
    std::uint64_t total = 0;
    for (const auto operation :
         {FileOperation::kOpen, FileOperation::kRead, FileOperation::kReadNowait, FileOperation::kWrite,
          FileOperation::kTruncate, FileOperation::kAllocate, FileOperation::kSync, FileOperation::kRename}) {
      total += shards.files().count(operation);
    }
    return total;
  }
  runtime::MemoryShards shards{1};
  runtime::MemoryShards::Scope scope = shards.enter(0);
  std::unique_ptr<LogManager> manager;
  Log* log = nullptr;
};

void report(benchmark::State& state, std::size_t allocated, std::uint64_t calls) {
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(allocated), benchmark::Counter::kAvgIterations);
  state.counters["file_calls"] = benchmark::Counter(static_cast<double>(calls), benchmark::Counter::kAvgIterations);
}

void append_to_memory(benchmark::State& state) {
  MemoryLog world(1U << 20U);
  const auto value_bytes = static_cast<std::size_t>(state.range(0));
  std::size_t allocated = 0;
  const std::uint64_t calls = world.file_calls();
  for (auto _ : state) {
    state.PauseTiming();
    Slice batch = one_batch(value_bytes);
    const std::size_t before = allocations_of_this_thread().count;
    state.ResumeTiming();
    benchmark::DoNotOptimize(world.log->append_as_leader(std::move(batch), LeaderEpoch(0)));
    allocated += allocations_of_this_thread().count - before;
  }
  report(state, allocated, world.file_calls() - calls);
}
BENCHMARK(append_to_memory)->Arg(100)->Arg(16'384)->Iterations(2000);

void read_from_memory(benchmark::State& state) {
  MemoryLog world(state.range(0) != 0 ? 64U << 20U : 0U);
  for (int i = 0; i < 1000; ++i) static_cast<void>(world.log->append_as_leader(one_batch(100), LeaderEpoch(0)));
  std::size_t allocated = 0;
  const std::uint64_t calls = world.file_calls();
  std::int64_t at = 0;
  for (auto _ : state) {
    const std::size_t before = allocations_of_this_thread().count;
    auto read = world.log->read(Offset(at), {.max_bytes = 16'384});
    allocated += allocations_of_this_thread().count - before;
    benchmark::DoNotOptimize(read);
    at = (at + 37) % 1000;
  }
  report(state, allocated, world.file_calls() - calls);
}
BENCHMARK(read_from_memory)->ArgName("cached")->Arg(1)->Arg(0)->Iterations(2000);

// Real files: page cache, no sync.
runtime::Task<int> append_live(benchmark::State* state, runtime::LiveShards* shards, std::string directory) {
  static_cast<void>(shards->at(0).files().remove_all(directory));
  auto opened = LogManager::open(*shards, manager_config(directory));
  if (!opened) co_return 1;
  auto manager = std::move(*opened);
  static_cast<void>(co_await manager->load({}));
  Log* log = *co_await manager->on(0).get_or_create(kPartition, kTopicId, page_cache());
  const auto value_bytes = static_cast<std::size_t>(state->range(0));
  const Slice batch = one_batch(value_bytes);
  for (auto _ : *state) {
    // The offsets of the last append are patched over: the producer's batch begins at 0.
    store_be(batch.mutable_bytes().data(), std::int64_t{0});
    benchmark::DoNotOptimize(log->append_as_leader(batch, LeaderEpoch(0)));
  }
  state->SetBytesProcessed(static_cast<std::int64_t>(state->iterations() * batch.size()));
  static_cast<void>(co_await manager->shutdown(1));
  static_cast<void>(shards->at(0).files().remove_all(directory));
  co_return 0;
}

void append_to_files(benchmark::State& state) {
  runtime::LiveShards shards;
  const int failed = shards.run([&state, &shards] { return append_live(&state, &shards, "storage_bench.data"); });
  if (failed != 0) state.SkipWithError("the log directory does not open");
}
BENCHMARK(append_to_files)->Arg(100)->Arg(16'384);

}  // namespace
}  // namespace dohle::storage
