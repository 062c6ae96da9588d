// What readers note of what they read.
#pragma once

#include <map>
#include <string>

#include <client/consumer.h>
#include <sim/history.h>

namespace dohle::scenarios {

// One `poll` event for each partition that has records: [[offset, id, timestamp], ...].
void note_records(sim::History& history, const std::string& who, const client::ConsumerRecords& records);

}  // namespace dohle::scenarios
