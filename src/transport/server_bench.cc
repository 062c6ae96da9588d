// What a request costs the server: CPU time of this process and system calls, with the load made by a child process
// over loopback. Each connection has one request under way.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include <protocol/messages/heartbeat_request.h>
#include <protocol/messages/heartbeat_response.h>
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

Task<void> ask(runtime::Shard* shard, std::uint16_t port, int requests, runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  auto connection = co_await ClientConnection::connect(*shard, {"127.0.0.1", port}, {.client_id = "bench"});
  if (!connection) ::_exit(1);
  HeartbeatRequest request;
  request.group_id = "a group with a name of some length";
  request.member_id = "a member with an id that is as long as those of Kafka's clients";
  for (int i = 0; i < requests; ++i) {
    const auto reply = co_await (*connection)->call(request, kVersion, seconds(10));
    if (!reply) ::_exit(1);
  }
  co_await (*connection)->close();
}

Task<int> ask_all(runtime::Shard* shard, std::uint16_t port, int connections) {
  runtime::Gate gate;
  for (int i = 0; i < connections; ++i) spawn(ask(shard, port, kRequests / connections, gate.enter()));
  co_await gate.wait_empty();
  co_return 0;
}

[[noreturn]] void run_clients(int port_pipe, int connections) {
  std::uint16_t port = 0;
  if (::read(port_pipe, &port, sizeof(port)) != sizeof(port)) ::_exit(1);
  LiveShards shards;
  ::_exit(shards.run([&] { return ask_all(&shards.at(0), port, connections); }));
}

struct Cpu {
  double user = 0;
  double system = 0;
};

Cpu cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds_of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds_of(usage.ru_utime), seconds_of(usage.ru_stime)};
}

Task<int> serve(LiveShards* shards, int port_pipe) {
  Heartbeats sink;
  Server server(*shards, [&sink](std::size_t) -> RequestSink& { return sink; }, {});
  const std::uint16_t port = server.listen({.name = "PLAINTEXT", .bind = {"127.0.0.1", 0}, .backlog = 512}).value();
  if (::write(port_pipe, &port, sizeof(port)) != sizeof(port)) co_return 1;
  while (server.connections() == 0) co_await runtime::sleep_for(std::chrono::milliseconds(1));
  while (server.connections() > 0) co_await runtime::sleep_for(std::chrono::milliseconds(20));
  co_await server.stop();
  co_return 0;
}

struct Totals {
  runtime::LiveCounters calls;
  Cpu cpu;
};

void run_once(benchmark::State& state, Totals& totals) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return state.SkipWithError("no pipe");
  const pid_t child = ::fork();
  if (child == 0) run_clients(pipe[0], static_cast<int>(state.range(0)));
  const Cpu before = cpu_seconds();
  {
    LiveShards shards({.shards = static_cast<std::size_t>(state.range(1))});
    shards.run([&] { return serve(&shards, pipe[1]); });
    const auto counters = shards.counters();
    auto& calls = totals.calls;
    calls.polls += counters.polls;
    calls.reads += counters.reads;
    calls.writes += counters.writes;
    calls.wakes += counters.wakes;
  }
  const Cpu after = cpu_seconds();
  totals.cpu.user += after.user - before.user;
  totals.cpu.system += after.system - before.system;
  state.SetIterationTime(after.user + after.system - before.user - before.system);
  int status = -1;
  ::waitpid(child, &status, 0);
  ::close(pipe[0]);
  ::close(pipe[1]);
  if (status != 0) state.SkipWithError("a client failed");
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
