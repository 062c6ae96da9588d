// What a request costs a node with one shard: its time over loopback, and what its shard's thread takes from the heap.
#include <benchmark/benchmark.h>

#include "live_requests.h"

namespace {

using dohle::broker::cost_of;
using dohle::broker::LiveRequest;
using Kind = LiveRequest::Kind;

void request_cost(benchmark::State& state, LiveRequest what) {
  dohle::broker::RequestCost cost;
  for (auto _ : state) cost = cost_of({what}).at(0);
  state.counters["allocations"] = cost.allocations;
  state.counters["us"] = cost.micros;
}

BENCHMARK_CAPTURE(request_cost, produce_acks_1, LiveRequest{.kind = Kind::kProduce, .acks = 1})->Iterations(1);
BENCHMARK_CAPTURE(request_cost, produce_acks_all, LiveRequest{.kind = Kind::kProduce, .acks = -1})->Iterations(1);
BENCHMARK_CAPTURE(request_cost, produce_16_partitions, LiveRequest{.kind = Kind::kProduce, .partitions = 16})
    ->Iterations(1);
BENCHMARK_CAPTURE(request_cost, fetch, LiveRequest{.kind = Kind::kFetchTail})->Iterations(1);
BENCHMARK_CAPTURE(request_cost, fetch_that_waits, LiveRequest{.kind = Kind::kFetchWait, .count = 20})->Iterations(1);
BENCHMARK_CAPTURE(request_cost, fetch_that_waits_at_16,
                  LiveRequest{.kind = Kind::kFetchWait, .partitions = 16, .count = 20})
    ->Iterations(1);

}  // namespace
