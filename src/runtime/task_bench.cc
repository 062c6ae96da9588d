// What coroutines cost: calling one, and a turn through the run queue.
#include <benchmark/benchmark.h>

#include <runtime/memory/memory_shards.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::runtime {
namespace {

[[gnu::noinline]] Task<int> leaf(int value) { co_return value + 1; }

[[gnu::noinline]] Task<int> middle(int value) {
  const int first = co_await leaf(value);
  co_return co_await leaf(first);
}

Task<void> call_many(int times, int* out) {
  int value = 0;
  for (int i = 0; i < times; ++i) value = co_await middle(value);
  *out = value;
}

// Three frames a round: one of middle, two of leaf.
void BM_ThreeCalls(benchmark::State& state) {
  constexpr int kTimes = 1000;
  int out = 0;
  for (auto _ : state) {
    spawn(call_many(kTimes, &out));
    benchmark::DoNotOptimize(out);
  }
  state.SetItemsProcessed(state.iterations() * kTimes);
}
BENCHMARK(BM_ThreeCalls);

}  // namespace
}  // namespace dohle::runtime
