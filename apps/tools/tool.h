// What all the command-line tools share: from the command line to a connected client, to an exit code.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <base/topic_name.h>
#include <client/admin.h>
#include <client/client_config.h>
#include <client/cluster.h>
#include <client/kafka_error.h>
#include <runtime/shard.h>
#include <runtime/task.h>

#include "dohle/command.h"
#include "options.h"

namespace dohle::app {

// Why a tool cannot go on: told on standard error, exit code 1.
struct Complaint {
  std::string message;
  bool with_usage = false;
};
template <typename T = void>
using Checked = std::expected<T, Complaint>;
[[nodiscard]] std::unexpected<Complaint> complain(std::string message);
[[nodiscard]] std::unexpected<Complaint> complain_with_usage(std::string message);
[[nodiscard]] std::unexpected<Complaint> complain(const Error& error);

// Parses, answers --help, --version and what ZooKeeper's time left behind, else runs `body`. Gives the exit code.
int run_tool(const OptionParser& parser, const Arguments& arguments,
             const std::function<Checked<int>(const ParsedOptions&)>& body);

// The checks of Kafka's tools, with their sentences.
[[nodiscard]] Checked<> require(const ParsedOptions& options, const std::vector<std::string_view>& names);
[[nodiscard]] Checked<> require_one(const ParsedOptions& options, const std::vector<std::string_view>& names);
// None of `others` together with `name`.
[[nodiscard]] Checked<> forbid(const ParsedOptions& options, std::string_view name,
                               const std::vector<std::string_view>& others);

// The spelling to read: `old_name` when it is the one that was used, which is warned of on standard output with
// `warning`. Both at once are refused.
[[nodiscard]] Checked<std::string_view> spelling(const ParsedOptions& options, std::string_view name,
                                                 std::string_view old_name, std::string_view warning);

// key=value each; a missing value is an empty one.
[[nodiscard]] client::Properties key_values(const std::vector<std::string>& texts);
[[nodiscard]] Checked<client::Properties> load_properties(const std::string& path);
// The file that an option names, none without it; and with the key=value texts of another option laid over it.
[[nodiscard]] Checked<client::Properties> file_properties(const ParsedOptions& options, std::string_view file_option);
[[nodiscard]] Checked<client::Properties> merged_properties(const ParsedOptions& options, std::string_view file_option,
                                                            std::string_view option);
[[nodiscard]] Checked<std::string> load_text(const std::string& path);
// The file of --command-config, if there, with --bootstrap-server or --bootstrap-controller laid over it.
[[nodiscard]] Checked<client::Properties> admin_properties(const ParsedOptions& options);

// Runs `work` on the only shard of a runtime of its own, with a cluster that is closed afterwards. `on_signal` runs on
// that shard for SIGINT and SIGTERM; without it they end the process.
struct Session {
  runtime::Shards& shards;
  client::Cluster& cluster;
};
[[nodiscard]] Checked<int> with_cluster(const client::Properties& properties,
                                        const std::function<runtime::Task<int>(Session)>& work,
                                        std::function<void(int)> on_signal = {});
[[nodiscard]] Checked<int> with_admin(const client::Properties& properties,
                                      const std::function<runtime::Task<int>(client::Admin&)>& work);

// Names of topics by Kafka's include pattern: a regular expression where a comma means "or".
class TopicPattern {
 public:
  [[nodiscard]] static Checked<TopicPattern> parse(std::string_view pattern);
  [[nodiscard]] bool matches(std::string_view topic) const { return matches_(topic); }

 private:
  std::function<bool(std::string_view)> matches_;
};

// The error of an answer's item; the broker's own sentence when it gave one.
[[nodiscard]] client::KafkaError item_error(std::int16_t code, const std::optional<Text>& message);
// "org.apache.kafka.common.errors.GroupIdNotFoundException: ...": how Kafka's tools show the failure of a call.
[[nodiscard]] std::string exception_text(const client::KafkaError& error);

}  // namespace dohle::app
