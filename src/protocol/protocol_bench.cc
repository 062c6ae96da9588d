// What decoding and encoding of the hot messages costs, and how often they allocate.
#include <benchmark/benchmark.h>

#include <base/reader.h>
#include <protocol/header.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/messages/metadata_response.h>
#include <protocol/messages/produce_request.h>
#include <protocol/messages/produce_response.h>
#include <protocol/writer.h>

#include "allocations.h"

namespace dohle::protocol {
namespace {

constexpr std::int16_t kProduceVersion = 12;
constexpr std::int16_t kFetchVersion = 12;

class AllocationCounter {
 public:
  explicit AllocationCounter(benchmark::State& state) : state_(state), before_(allocations_of_this_thread().count) {}
  ~AllocationCounter() {
    const auto allocations = static_cast<double>(allocations_of_this_thread().count - before_);
    state_.counters["allocs"] = allocations / static_cast<double>(state_.iterations());
  }

 private:
  benchmark::State& state_;
  std::size_t before_;
};

ProduceRequest produce_request(int partitions, Bytes batch) {
  ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 30'000;
  auto& topic = request.topic_data.emplace_back();
  topic.name = "orders";
  for (int i = 0; i < partitions; ++i) {
    auto& partition = topic.partition_data.emplace_back();
    partition.index = i;
    partition.records = Records::view(batch);
  }
  return request;
}

void decode_produce(benchmark::State& state) {
  const std::vector<std::uint8_t> batch(200);
  Writer writer;
  produce_request(static_cast<int>(state.range(0)), batch).encode(writer, kProduceVersion);
  const AllocationCounter counter(state);
  for (auto _ : state) {
    Reader reader(writer.bytes());
    benchmark::DoNotOptimize(ProduceRequest::decode(reader, kProduceVersion));
  }
}
BENCHMARK(decode_produce)->Arg(1)->Arg(16);

void encode_produce_response(benchmark::State& state) {
  ProduceResponse response;
  auto& topic = response.responses.emplace_back();
  topic.name = "orders";
  topic.partition_responses.resize(static_cast<std::size_t>(state.range(0)));
  const AllocationCounter counter(state);
  for (auto _ : state) {
    Writer writer;
    ResponseHeader{7, {}}.encode(writer, 0, kProduceVersion);
    response.encode(writer, kProduceVersion);
    benchmark::DoNotOptimize(writer.finish_frame());
  }
}
BENCHMARK(encode_produce_response)->Arg(1)->Arg(16);

void decode_fetch(benchmark::State& state) {
  FetchRequest request;
  auto& topic = request.topics.emplace_back();
  topic.topic = "orders";
  topic.partitions.resize(static_cast<std::size_t>(state.range(0)));
  Writer writer;
  request.encode(writer, kFetchVersion);
  const AllocationCounter counter(state);
  for (auto _ : state) {
    Reader reader(writer.bytes());
    benchmark::DoNotOptimize(FetchRequest::decode(reader, kFetchVersion));
  }
}
BENCHMARK(decode_fetch)->Arg(1)->Arg(16);

void encode_fetch_response(benchmark::State& state) {
  const Slice batch = Slice::copy_of(std::vector<std::uint8_t>(200));
  FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = "orders";
  topic.partitions.resize(static_cast<std::size_t>(state.range(0)));
  for (auto& partition : topic.partitions) partition.records = Records(runtime::Fragments{batch});
  const AllocationCounter counter(state);
  for (auto _ : state) {
    Writer writer;
    ResponseHeader{7, {}}.encode(writer, 1, kFetchVersion);
    response.encode(writer, kFetchVersion);
    benchmark::DoNotOptimize(writer.finish_frame());
  }
}
BENCHMARK(encode_fetch_response)->Arg(1)->Arg(16);

void encode_metadata_response(benchmark::State& state) {
  MetadataResponse response;
  for (int i = 0; i < 10; ++i) {
    auto& topic = response.topics.emplace_back();
    topic.name = Text("topic-" + std::to_string(i));
    topic.partitions.resize(10);
    for (auto& partition : topic.partitions) partition.replica_nodes = partition.isr_nodes = {1, 2, 3};
  }
  const AllocationCounter counter(state);
  for (auto _ : state) {
    Writer writer(4096);
    response.encode(writer, 12);
    benchmark::DoNotOptimize(writer.finish_frame());
  }
}
BENCHMARK(encode_metadata_response);

}  // namespace
}  // namespace dohle::protocol
