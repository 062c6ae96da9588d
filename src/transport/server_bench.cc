// What a request costs the server: CPU time of this process and system calls, with the load made by a child process
// over loopback. Each connection has one request under way.
#include <benchmark/benchmark.h>

#include <protocol/messages/heartbeat_request.h>
#include <protocol/messages/heartbeat_response.h>
#include <runtime/live/child_process.h>
#include <runtime/live/live_shards.h>
#include <transport/client_connection.h>
#include <transport/server.h>

namespace dohle::transport {
namespace {

using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;
using runtime::LiveShards;
using runtime::Task;
using std::chrono::seconds;

constexpr std::int16_t kVersion = 4;
constexpr int kRequests = 4000;

class Heartbeats final : public RequestSink {
 public:
  Task<void> handle(std::unique_ptr<Request> request) override {
    Reader reader(request->body());
    const auto heartbeat = HeartbeatRequest::decode(reader, kVersion);
    if (!heartbeat) co_return request->close_connection("a bad request");
    protocol::Writer writer;
    protocol::ResponseHeader header;
    header.correlation_id = request->header().correlation_id;
    header.encode(writer, HeartbeatResponse::kApiKey, kVersion);
    HeartbeatResponse().encode(writer, kVersion);
    request->respond(writer.finish_frame());
  }
};

Task<void> ask(runtime::Shard* shard, std::uint16_t port, int requests, int* answered, runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  auto connection = co_await ClientConnection::connect(*shard, {"127.0.0.1", port}, {.client_id = "bench"});
  if (!connection) co_return;
  HeartbeatRequest request;
  request.group_id = "a group with a name of some length";
  request.member_id = "a member with an id that is as long as those of Kafka's clients";
  for (int i = 0; i < requests; ++i) {
    const auto reply = co_await (*connection)->call(request, kVersion, seconds(10));
    if (!reply) break;
    ++*answered;
  }
  co_await (*connection)->close();
}

Task<int> ask_all(runtime::Shard* shard, std::uint16_t port, int connections) {
  runtime::Gate gate;
  int answered = 0;
  const int each = kRequests / connections;
  for (int i = 0; i < connections; ++i) spawn(ask(shard, port, each, &answered, gate.enter()));
  co_await gate.wait_empty();
  co_return answered == each* connections ? 0 : 1;
}

Task<int> serve(LiveShards* shards, runtime::ChildProcess* clients) {
  Heartbeats sink;
  Server server(*shards, [&sink](std::size_t) -> RequestSink& { return sink; }, {});
  const std::uint16_t port = server.listen({.name = "PLAINTEXT", .bind = {"127.0.0.1", 0}, .backlog = 512}).value();
  clients->send(port);
  while (server.connections() == 0) co_await runtime::sleep_for(std::chrono::milliseconds(1));
  while (server.connections() > 0) co_await runtime::sleep_for(std::chrono::milliseconds(20));
  co_await server.stop();
  co_return 0;
}

struct Totals {
  runtime::LiveCounters calls;
  runtime::CpuTime cpu;
};

void run_once(benchmark::State& state, Totals& totals) {
  const auto connections = static_cast<int>(state.range(0));
  runtime::ChildProcess clients([connections](std::uint64_t port) {
    LiveShards shards;
    return shards.run([&] { return ask_all(&shards.at(0), static_cast<std::uint16_t>(port), connections); });
  });
  const auto before = runtime::process_cpu_time();
  {
    LiveShards shards({.shards = static_cast<std::size_t>(state.range(1))});
    shards.run([&] { return serve(&shards, &clients); });
    const auto counters = shards.counters();
    auto& calls = totals.calls;
    calls.polls += counters.polls;
    calls.reads += counters.reads;
    calls.writes += counters.writes;
    calls.wakes += counters.wakes;
  }
  const auto cost = runtime::process_cpu_time() - before;
  totals.cpu.user += cost.user;
  totals.cpu.system += cost.system;
  state.SetIterationTime(cost.user + cost.system);
  if (clients.wait() != 0) state.SkipWithError("a client failed");
}

// The time shown is CPU time of the server for kRequests requests.
void BM_Request(benchmark::State& state) {
  Totals totals;
  double requests = 0;
  for (auto _ : state) {
    run_once(state, totals);
    requests += kRequests;
  }
  const auto& calls = totals.calls;
  state.counters["user_us"] = totals.cpu.user / requests * 1e6;
  state.counters["system_us"] = totals.cpu.system / requests * 1e6;
  state.counters["polls"] = static_cast<double>(calls.polls) / requests;
  state.counters["reads"] = static_cast<double>(calls.reads) / requests;
  state.counters["writes"] = static_cast<double>(calls.writes) / requests;
  state.counters["wakes"] = static_cast<double>(calls.wakes) / requests;
}
BENCHMARK(BM_Request)
    ->ArgNames({"connections", "shards"})
    ->Args({1, 1})
    ->Args({16, 1})
    ->Args({100, 1})
    ->Args({16, 2})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dohle::transport
