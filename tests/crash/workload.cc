// Clients for the crash tests, on Debian's librdkafka. They outlive the node: they go on while it is killed and started
// again.
//
//   workload run HOST:PORT TOPIC GROUP ACKS HISTORY
//     four producers and two consumers of a group, until SIGTERM; then what is in flight is delivered and the consumers
//     read on to the end. ACKS: idempotent or 1. DOHLE_PAUSE_MS: between two records of a producer
//   workload check HOST:PORT TOPIC GROUP HISTORY
//     appends what the partitions hold and what the group has committed
//
// HISTORY gets a line an event, fields apart by spaces; tests/crash/verify.py judges it:
//   acked PRODUCER SEQUENCE PARTITION OFFSET     failed PRODUCER SEQUENCE ERROR     read CONSUMER ASSIGNMENT PARTITION
//   OFFSET VALUE committed CONSUMER PARTITION OFFSET          holds PARTITION OFFSET VALUE       group PARTITION OFFSET
#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kProducers = 4;
constexpr int kConsumers = 2;
constexpr int kFlushMs = 120'000;
constexpr auto kQuietBeforeEnd =
    std::chrono::seconds(15);  // a member that died in a rebalance holds the group up for its session
constexpr auto kCommitEvery = std::chrono::milliseconds(200);

std::atomic<bool> stopping = false;      // producers: no new records
std::atomic<bool> all_produced = false;  // consumers: end when nothing comes any more

class History {
 public:
  explicit History(const char* path) : file_(std::fopen(path, "a")) {
    if (file_ == nullptr) std::abort();
    std::setvbuf(file_, nullptr, _IOLBF, 4096);  // what a test reads of it is what has happened
  }
  ~History() { std::fclose(file_); }
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  template <typename... Args>
  void line(const char* format, Args... args) {
    const std::lock_guard lock(mutex_);
    std::fprintf(file_, format, args...);  // NOLINT
  }

 private:
  std::FILE* file_;
  std::mutex mutex_;
};

struct Setup {
  std::string bootstrap;
  std::string topic;
  std::string group;
  History* history;
};

using Settings = std::map<std::string, std::string>;
using Client = std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)>;
using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t, decltype(&rd_kafka_topic_partition_list_destroy)>;
using Message = std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)>;

void set_all(rd_kafka_conf_t* conf, const Settings& settings) {
  char why[512];
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) == RD_KAFKA_CONF_OK) continue;
    std::fprintf(stderr, "%s\n", why);
    std::exit(2);
  }
}

Client open_client(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  char why[512];
  rd_kafka_t* client = rd_kafka_new(type, conf, why, sizeof why);
  if (client == nullptr) {
    std::fprintf(stderr, "%s\n", why);
    std::exit(2);
  }
  return {client, &rd_kafka_destroy};
}

// --- producers

struct Producer {
  History* history;
  int number;
};

void on_delivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
  const auto& self = *static_cast<Producer*>(opaque);
  const auto sequence = static_cast<long long>(reinterpret_cast<std::intptr_t>(message->_private));
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    self.history->line("failed %d %lld %s\n", self.number, sequence, rd_kafka_err2name(message->err));
  } else {
    self.history->line("acked %d %lld %d %lld\n", self.number, sequence, message->partition,
                       static_cast<long long>(message->offset));
  }
}

void run_producer(const Setup& setup, int number, const std::string& acks) {
  Producer self{setup.history, number};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set_all(conf, {{"bootstrap.servers", setup.bootstrap},
                 {"linger.ms", "2"},
                 {"message.timeout.ms", "100000"},
                 {"reconnect.backoff.max.ms", "200"},
                 {"batch.num.messages", "50"},
                 {"compression.type", number % 2 == 0 ? "none" : "lz4"}});
  if (acks == "idempotent") {
    set_all(conf, {{"enable.idempotence", "true"}});
  } else {
    set_all(conf, {{"acks", acks}, {"max.in.flight", "1"}});
  }
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_conf_set_opaque(conf, &self);
  const Client client = open_client(RD_KAFKA_PRODUCER, conf);
  const char* pause = std::getenv("DOHLE_PAUSE_MS");
  for (long long sequence = 0; !stopping; ++sequence) {
    const std::string value = std::to_string(number) + ":" + std::to_string(sequence);
    const std::string key = "key-" + std::to_string(sequence % 7);
    for (;;) {
      const auto error = rd_kafka_producev(
          client.get(), RD_KAFKA_V_TOPIC(setup.topic.c_str()), RD_KAFKA_V_KEY(key.data(), key.size()),
          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::intptr_t>(sequence))), RD_KAFKA_V_END);
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) break;
      rd_kafka_poll(client.get(), 50);
    }
    // Some 2,000 records a second for each producer: enough for every kill to meet requests under way.
    if (pause != nullptr) std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(pause)));
    rd_kafka_poll(client.get(), sequence % 2 == 0 ? 1 : 0);
  }
  rd_kafka_flush(client.get(), kFlushMs);
}

// --- consumers

struct Consumer {
  const Setup* setup;
  int number;
  int assignment = 0;
};

void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                  void* opaque) {
  auto& self = *static_cast<Consumer*>(opaque);
  const bool assigned = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  if (assigned) ++self.assignment;
  rd_kafka_assign(client, assigned ? partitions : nullptr);
}

void on_commit(rd_kafka_t* /*client*/, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* offsets,
               void* opaque) {
  const auto& self = *static_cast<Consumer*>(opaque);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR || offsets == nullptr) return;
  for (int i = 0; i < offsets->cnt; ++i) {
    const auto& of = offsets->elems[i];
    if (of.err == RD_KAFKA_RESP_ERR_NO_ERROR && of.offset >= 0) {
      self.setup->history->line("committed %d %d %lld\n", self.number, of.partition, static_cast<long long>(of.offset));
    }
  }
}

std::string value_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.payload), message.len};
}

void run_consumer(const Setup& setup, int number) {
  Consumer self{&setup, number};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set_all(conf, {{"bootstrap.servers", setup.bootstrap},
                 {"group.id", setup.group},
                 {"enable.auto.commit", "false"},
                 {"auto.offset.reset", "earliest"},
                 {"session.timeout.ms", "6000"},
                 {"heartbeat.interval.ms", "500"},
                 {"reconnect.backoff.max.ms", "200"},
                 {"fetch.wait.max.ms", "100"},
                 {"partition.assignment.strategy", "roundrobin"}});
  rd_kafka_conf_set_opaque(conf, &self);
  rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
  rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
  const Client client = open_client(RD_KAFKA_CONSUMER, conf);
  rd_kafka_poll_set_consumer(client.get());
  const Partitions topics(rd_kafka_topic_partition_list_new(1), &rd_kafka_topic_partition_list_destroy);
  rd_kafka_topic_partition_list_add(topics.get(), setup.topic.c_str(), RD_KAFKA_PARTITION_UA);
  rd_kafka_subscribe(client.get(), topics.get());
  auto last_read = std::chrono::steady_clock::now();
  auto last_commit = last_read;
  for (;;) {
    const Message message(rd_kafka_consumer_poll(client.get(), 100), &rd_kafka_message_destroy);
    const auto now = std::chrono::steady_clock::now();
    if (message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      setup.history->line("read %d %d %d %lld %s\n", number, self.assignment, message->partition,
                          static_cast<long long>(message->offset), value_of(*message).c_str());
      last_read = now;
    }
    if (now - last_commit > kCommitEvery) {
      rd_kafka_commit(client.get(), nullptr, 1);
      last_commit = now;
    }
    if (!all_produced) last_read = now;  // while nodes die, a group may find no time to form
    if (now - last_read > kQuietBeforeEnd) break;
  }
  rd_kafka_commit(client.get(), nullptr, 0);
  rd_kafka_consumer_close(client.get());
}

int run(const Setup& setup, const std::string& acks) {
  std::vector<std::thread> producers;
  std::vector<std::thread> consumers;
  for (int i = 0; i < kProducers; ++i) producers.emplace_back(run_producer, std::cref(setup), i, acks);
  for (int i = 0; i < kConsumers; ++i) consumers.emplace_back(run_consumer, std::cref(setup), i);
  for (auto& thread : producers) thread.join();
  all_produced = true;
  for (auto& thread : consumers) thread.join();
  return 0;
}

// --- what is there in the end

std::vector<int> partitions_of(rd_kafka_t* client, const std::string& topic) {
  const std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)> handle(
      rd_kafka_topic_new(client, topic.c_str(), nullptr), &rd_kafka_topic_destroy);
  const rd_kafka_metadata_t* metadata = nullptr;
  std::vector<int> out;
  if (rd_kafka_metadata(client, 0, handle.get(), &metadata, 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) out.push_back(metadata->topics[0].partitions[i].id);
  rd_kafka_metadata_destroy(metadata);
  return out;
}

int check(const Setup& setup) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set_all(conf, {{"bootstrap.servers", setup.bootstrap},
                 {"group.id", setup.group},
                 {"enable.auto.commit", "false"},
                 {"auto.offset.reset", "error"},
                 {"check.crcs", "true"}});
  const Client client = open_client(RD_KAFKA_CONSUMER, conf);
  rd_kafka_poll_set_consumer(client.get());
  const std::vector<int> partitions = partitions_of(client.get(), setup.topic);
  if (partitions.empty()) return 1;
  const Partitions all(rd_kafka_topic_partition_list_new(1), &rd_kafka_topic_partition_list_destroy);
  for (const int partition : partitions) rd_kafka_topic_partition_list_add(all.get(), setup.topic.c_str(), partition);
  if (rd_kafka_committed(client.get(), all.get(), 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR) return 1;
  for (int i = 0; i < all->cnt; ++i) {
    setup.history->line("group %d %lld\n", all->elems[i].partition, static_cast<long long>(all->elems[i].offset));
  }
  std::map<int, std::int64_t> ends;
  for (int i = 0; i < all->cnt; ++i) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    if (rd_kafka_query_watermark_offsets(client.get(), setup.topic.c_str(), all->elems[i].partition, &low, &high,
                                         30'000) != 0)
      return 1;
    if (high > low) ends[all->elems[i].partition] = high;
    all->elems[i].offset = low;
  }
  rd_kafka_assign(client.get(), all.get());
  for (auto idle = 0; !ends.empty() && idle < 300;) {
    const Message message(rd_kafka_consumer_poll(client.get(), 100), &rd_kafka_message_destroy);
    if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++idle;
      continue;
    }
    setup.history->line("holds %d %lld %s\n", message->partition, static_cast<long long>(message->offset),
                        value_of(*message).c_str());
    if (message->offset + 1 >= ends[message->partition]) ends.erase(message->partition);
  }
  return ends.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool running = arguments.size() == 6 && arguments[0] == "run";
  if (!running && !(arguments.size() == 5 && arguments[0] == "check")) {
    std::fputs("usage: see the head of tests/crash/workload.cc\n", stderr);
    return 2;
  }
  std::signal(SIGTERM, [](int) { stopping = true; });
  History history(arguments.back().c_str());
  const Setup setup{arguments[1], arguments[2], arguments[3], &history};
  return running ? run(setup, arguments[4]) : check(setup);
}
