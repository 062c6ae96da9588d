// What a leader pays per produced byte: 16 records of 1 KiB a batch, half random, half repeated text.
#include <algorithm>
#include <random>
#include <string>

#include <benchmark/benchmark.h>

#include <records/builder.h>
#include <records/validator.h>

#include "allocations.h"

namespace dohle::records {
namespace {

Slice batch_of(CompressionType type) {
  BatchBuilder builder({.compression = {type, {}}});
  std::mt19937 random(1);
  for (int i = 0; i < 16; ++i) {
    std::string value(1024, 'x');
    std::generate(value.begin(), value.begin() + 512, [&] { return static_cast<char>(random()); });
    builder.append(1000 + i, as_bytes("key"), as_bytes(value));
  }
  return builder.build();
}

void validate(benchmark::State& state, CompressionType type) {
  const Slice batch = batch_of(type);
  Decompressor decompressor;
  ValidationConfig config;
  config.now_ms = 1000;
  std::size_t before = 0;
  std::size_t runs = 0;
  for (auto _ : state) {
    if (runs++ == 1) before = allocations_of_this_thread().count;  // the first run fills the decompressor's memory
    set_base_offset(batch.mutable_bytes(), Offset(0));
    auto out = validate_and_assign(batch, config, &decompressor);
    if (!out) state.SkipWithError("refused");
    benchmark::DoNotOptimize(out);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * 16 * 1024);
  if (runs > 1) {
    state.counters["allocations"] =
        static_cast<double>(allocations_of_this_thread().count - before) / static_cast<double>(runs - 1);
  }
}
BENCHMARK_CAPTURE(validate, none, CompressionType::kNone);
BENCHMARK_CAPTURE(validate, gzip, CompressionType::kGzip);
BENCHMARK_CAPTURE(validate, snappy, CompressionType::kSnappy);
BENCHMARK_CAPTURE(validate, lz4, CompressionType::kLz4);
BENCHMARK_CAPTURE(validate, zstd, CompressionType::kZstd);

void build(benchmark::State& state, CompressionType type) {
  for (auto _ : state) benchmark::DoNotOptimize(batch_of(type));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * 16 * 1024);
}
BENCHMARK_CAPTURE(build, none, CompressionType::kNone);
BENCHMARK_CAPTURE(build, lz4, CompressionType::kLz4);

}  // namespace
}  // namespace dohle::records
