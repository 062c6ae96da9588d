#include <array>

#include "dohle/command.h"
#include "tools/tools.h"

namespace dohle::app {

std::span<const Command> commands() {
  static constexpr std::array kCommands{
      Command{"server", "kafka-server-start", "start a broker, a controller or both from server.properties",
              run_server},
      Command{"dev", "", "start a broker for development, without configuration, gone on exit", run_dev},
      Command{"storage", "kafka-storage", "format log directories, and say what is in them", run_storage},
      Command{"topics", "kafka-topics", "create, delete, describe, list and change topics", run_topics},
      Command{"broker-api-versions", "kafka-broker-api-versions", "the requests that each broker understands",
              run_broker_api_versions},
      Command{"get-offsets", "kafka-get-offsets", "offsets of partitions: newest, oldest, at a time", run_get_offsets},
      Command{"console-producer", "kafka-console-producer", "write lines of standard input to a topic",
              run_console_producer},
      Command{"console-consumer", "kafka-console-consumer", "print the records of topics", run_console_consumer},
      Command{"consumer-groups", "kafka-consumer-groups", "list, describe, reset and delete groups and their offsets",
              run_consumer_groups},
      Command{"configs", "kafka-configs", "show and change settings of topics, brokers and groups", run_configs},
      Command{"delete-records", "kafka-delete-records", "delete what lies before given offsets", run_delete_records},
      Command{"log-dirs", "kafka-log-dirs", "how much partitions take in log directories", run_log_dirs},
      Command{"dump-log", "kafka-dump-log", "show what is in log segments, indexes and snapshots", run_dump_log},
      Command{"producer-perf-test", "kafka-producer-perf-test", "how fast records can be written", run_producer_perf},
      Command{"consumer-perf-test", "kafka-consumer-perf-test", "how fast records can be read", run_consumer_perf},
  };
  return kCommands;
}

}  // namespace dohle::app
