#include "shard/settled.h"

#include <memory>

#include <runtime/future.h>

#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {

// What the shards report to; touched at home only.
struct Countdown {
  std::size_t missing;
  runtime::Promise<> promise;
};

runtime::Task<void> settle_and_tell(BrokerShard* shard, runtime::Executor* home, std::shared_ptr<Countdown> countdown) {
  co_await shard->settled();
  home->post([countdown = std::move(countdown)] {
    if (--countdown->missing == 0) countdown->promise.try_set();
  });
}

}  // namespace

runtime::Task<void> settled_everywhere(BrokerShard& here, runtime::Duration limit) {
  Broker& broker = here.broker();
  runtime::Executor& home = here.shard().executor();
  auto countdown = std::make_shared<Countdown>(Countdown{broker.shard_count(), {}});
  auto all = countdown->promise.future();
  const auto timer = home.start_timer(limit, [countdown] { countdown->promise.try_set(); });
  for (std::size_t i = 0; i < broker.shard_count(); ++i) {
    BrokerShard& shard = broker.at(i);
    runtime::spawn_on(shard.shard().executor(), settle_and_tell(&shard, &home, countdown));
  }
  co_await all;
  home.cancel_timer(timer);
}

}  // namespace dohle::broker
