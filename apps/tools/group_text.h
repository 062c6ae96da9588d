// The tables of kafka-consumer-groups.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <base/ids.h>

namespace dohle::app {

// A line of --describe --offsets; what is absent is shown as "-".
struct OffsetRow {
  std::string group;
  TopicPartition partition;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> log_end;
  std::optional<std::int32_t> leader_epoch;
  std::string consumer_id = "-";
  std::string host = "-";
  std::string client_id = "-";

  [[nodiscard]] std::optional<std::int64_t> lag() const;
};
[[nodiscard]] std::string offsets_text(const std::vector<OffsetRow>& rows, bool verbose);

// A line of --describe --members.
struct MemberRow {
  std::string group;
  std::string consumer_id;
  std::string instance_id;  // empty: none
  std::string host;
  std::string client_id;
  std::vector<TopicPartition> assignment;
};
[[nodiscard]] std::string members_text(const std::vector<MemberRow>& rows, bool verbose);
// "a:0,1;b:2"
[[nodiscard]] std::string assignment_text(const std::vector<TopicPartition>& partitions);

struct StateRow {
  std::string group;
  std::string coordinator;  // host:port  (id)
  std::string strategy;
  std::string state;
  std::size_t members = 0;
};
[[nodiscard]] std::string state_text(const StateRow& row, bool verbose);

struct ListRow {
  std::string group;
  std::string type;
  std::string state;
};
[[nodiscard]] std::string list_text(const std::vector<ListRow>& rows, bool with_type, bool with_state);

// Groups with the offsets of their partitions: what a reset will do or has done.
using ResetPlan = std::map<std::string, std::map<TopicPartition, std::int64_t>>;
[[nodiscard]] std::string reset_text(const ResetPlan& plan);
// As --from-file reads it: topic,partition,offset lines, with the group before them unless it is the only one.
[[nodiscard]] std::string reset_csv(const ResetPlan& plan, bool single_group);
// Nothing when it is neither form. `group` is whom lines without a group are for.
[[nodiscard]] std::optional<ResetPlan> parse_reset_csv(std::string_view text, const std::optional<std::string>& group);

// Milliseconds since 1970 of yyyy-MM-ddTHH:mm:ss.SSS with Z, +hh:mm or nothing behind it, which is UTC.
[[nodiscard]] std::optional<std::int64_t> parse_datetime_ms(std::string_view text);
// Milliseconds of PnDTnHnMn.nS.
[[nodiscard]] std::optional<std::int64_t> parse_duration_ms(std::string_view text);

}  // namespace dohle::app
