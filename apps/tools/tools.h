// Kafka's command-line tools: each takes the arguments behind its name and gives the exit code.
#pragma once

#include "dohle/command.h"

namespace dohle::app {

int run_topics(const Arguments& arguments);
int run_storage(const Arguments& arguments);
int run_broker_api_versions(const Arguments& arguments);
int run_get_offsets(const Arguments& arguments);
int run_console_producer(const Arguments& arguments);
int run_console_consumer(const Arguments& arguments);
int run_consumer_groups(const Arguments& arguments);
int run_configs(const Arguments& arguments);
int run_delete_records(const Arguments& arguments);
int run_log_dirs(const Arguments& arguments);
int run_dump_log(const Arguments& arguments);
int run_producer_perf(const Arguments& arguments);
int run_consumer_perf(const Arguments& arguments);

}  // namespace dohle::app
