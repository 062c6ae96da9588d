#include "dohle/server_process.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include <base/log.h>
#include <runtime/future.h>
#include <runtime/live/live_shards.h>
#include <runtime/live/system.h>
#include <storage/log_manager.h>

namespace dohle::app {
namespace {

std::size_t shard_count(const broker::config::ServerConfig& config) {
  const auto wanted = static_cast<std::size_t>(config.values().get_int("shards"));
  return wanted > 0 ? wanted : std::max<std::size_t>(1, runtime::processors() / 2);
}

// What ends the process: a signal, or a failure that it cannot outlive.
struct Ending {
  runtime::Promise<int> promise;
  bool serving = false;
  void with(int exit_code) { promise.try_set(exit_code); }
};

// A bar on the terminal while logs are loaded, gone when they are. The cursor waits at its beginning, so that a line of
// the log replaces it.
std::function<void(const storage::LoadProgress&)> progress_on_terminal() {
  if (!runtime::error_terminal_columns()) return {};
  return [](const storage::LoadProgress& progress) {
    const std::size_t columns = runtime::error_terminal_columns().value_or(0);
    const std::string bar = progress.finished || columns == 0 ? "" : storage::progress_bar(progress, columns - 1);
    std::fprintf(stderr, "\033[K%s\r", bar.c_str());
    std::fflush(stderr);
  };
}

// Freed memory counts against the limit like any other until the system has it back.
void keep_below(runtime::Executor& executor, std::uint64_t limit_bytes) {
  constexpr auto kPeriod = std::chrono::milliseconds(500);
  executor.start_timer(kPeriod, [&executor, limit_bytes] {
    if (runtime::process_memory().resident_bytes > limit_bytes / 4 * 3) runtime::return_free_memory();
    keep_below(executor, limit_bytes);
  });
}

runtime::Task<int> serve(runtime::Shards& shards, ServerProcess process,
                         std::shared_ptr<std::unique_ptr<Ending>> ending) {
  *ending = std::make_unique<Ending>();
  auto end = (*ending)->promise.future();
  broker::NodeOptions options;
  options.advertise_peer_address = process.advertise_peer_address;
  const auto limit = process.config.values().get_long("memory.limit");
  options.memory_bytes = limit > 0 ? static_cast<std::uint64_t>(limit) : runtime::memory_bytes();
  keep_below(shards.at(0).executor(), options.memory_bytes);
  options.process_usage = runtime::process_usage;
  options.on_load_progress = progress_on_terminal();
  options.fatal = [ending](const std::string& why) {
    std::fprintf(stderr, "dohle: %s\n", why.c_str());
    // A start may wait for what will not come any more, and has nothing to stop cleanly.
    if (!(*ending)->serving) std::_Exit(kExitDirectoryFailed);
    (*ending)->with(kExitDirectoryFailed);
  };
  auto node = co_await broker::Node::start(shards, std::move(process.config), std::move(options));
  if (!node) {
    std::fprintf(stderr, "dohle: %s\n", node.error().message.c_str());
    co_return kExitFailure;
  }
  (*ending)->serving = true;
  if (process.on_ready) process.on_ready(**node);
  const int exit_code = co_await end;
  co_await (*node)->stop();
  co_return exit_code;
}

}  // namespace

int run_server_process(ServerProcess process) {
  auto ending = std::make_shared<std::unique_ptr<Ending>>();
  runtime::LiveOptions options;
  options.shards = shard_count(process.config);
  options.on_signal = [ending](int) {
    if (*ending) (*ending)->with(0);
  };
  runtime::LiveShards shards(std::move(options));
  return shards.run(
      [&shards, ending, process = std::move(process)]() mutable { return serve(shards, std::move(process), ending); });
}

}  // namespace dohle::app
