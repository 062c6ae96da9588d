// kafka-dump-log: what is in the files of a partition, without a broker.
#include <array>

#include <fmt/core.h>
#include <runtime/live/system.h>

#include "log_dump.h"
#include "tool.h"
#include "tools.h"

namespace dohle::app {

namespace {

constexpr std::string_view kStringDecoder = "org.apache.kafka.tools.api.StringDecoder";
// Each of these asks for the contents of records.
const std::vector<std::string_view> kDecoders = {
    "offsets-decoder",           "transaction-log-decoder", "cluster-metadata-decoder", "remote-log-metadata-decoder",
    "share-group-state-decoder", "key-decoder-class",       "value-decoder-class"};

OptionParser parser() {
  return {
      "This tool shows what is in log segments, their indexes, producer snapshots and metadata snapshots. It reads the "
      "files only; no broker is needed.",
      {{"files", Takes::kText, "file1, file2, ...",
        "REQUIRED: the files, separated by commas: .log, .index, .timeindex, .txnindex, .snapshot, .checkpoint"},
       {"print-data-log", Takes::kNothing, "", "Print keys and values too. Any decoder does that as well."},
       {"deep-iteration", Takes::kNothing, "", "Print the records of each batch, not only the batch."},
       {"skip-record-metadata", Takes::kNothing, "", "Print only keys and values of records; no control records."},
       {"max-bytes", Takes::kInt, "size", "Read only so much of each log, in whole batches. (default: 2147483647)"},
       {"max-message-size", Takes::kInt, "size", "The largest batch that an index may point to. (default: 5242880)"},
       {"index-sanity-check", Takes::kNothing, "",
        "Only check indexes as a broker does when it starts, to know whether to rebuild them."},
       {"verify-index-only", Takes::kNothing, "", "Compare indexes with their log and print only what differs."},
       {"key-decoder-class", Takes::kOptionalText, "String",
        "How to show keys: org.apache.kafka.tools.api.StringDecoder, IntegerDecoder, LongDecoder, or DefaultDecoder "
        "for "
        "base64. (default: " +
            std::string(kStringDecoder) + ")"},
       {"value-decoder-class", Takes::kOptionalText, "String", "The same for values."},
       {"offsets-decoder", Takes::kNothing, "", "The files are of __consumer_offsets."},
       {"transaction-log-decoder", Takes::kNothing, "", "The files are of __transaction_state."},
       {"share-group-state-decoder", Takes::kNothing, "", "The files are of __share_group_state."},
       {"cluster-metadata-decoder", Takes::kNothing, "", "The files are of __cluster_metadata, or its snapshots."},
       {"remote-log-metadata-decoder", Takes::kNothing, "", "The files are of __remote_log_metadata."}}};
}

Checked<RecordDecoder> decoder_of(const ParsedOptions& options) {
  if (options.has("offsets-decoder")) return offsets_decoder();
  if (options.has("transaction-log-decoder")) return transaction_log_decoder();
  if (options.has("cluster-metadata-decoder")) return cluster_metadata_decoder();
  if (options.has("remote-log-metadata-decoder")) return remote_log_metadata_decoder();
  if (options.has("share-group-state-decoder")) return share_group_state_decoder();
  return decoder_of_classes(options.text("key-decoder-class", kStringDecoder),
                            options.text("value-decoder-class", kStringDecoder));
}

DumpOptions dump_options(const ParsedOptions& options) {
  DumpOptions out;
  out.contents = options.has("print-data-log") || options.count(kDecoders) > 0;
  out.deep = out.contents || options.has("deep-iteration");
  out.skip_metadata = options.has("skip-record-metadata");
  out.max_bytes = static_cast<std::int32_t>(options.number("max-bytes", out.max_bytes));
  out.max_message_bytes = static_cast<std::int32_t>(options.number("max-message-size", out.max_message_bytes));
  out.verify_only = options.has("verify-index-only");
  out.sanity_only = options.has("index-sanity-check");
  return out;
}

// As Java shows a path: no empty names in it.
std::string tidy_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || !out.ends_with('/')) out += c;
  }
  if (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

Checked<> dump(LogDumper& dumper, const std::string& path, const ParsedOptions& options) {
  fmt::print("Dumping {}\n", path);
  const std::string_view name = name_of_file(path);
  const auto suffix = name.substr(std::min(name.rfind('.'), name.size()));
  if (suffix == ".log" || suffix == ".checkpoint") {
    const auto decoder = decoder_of(options);
    if (!decoder) return std::unexpected(decoder.error());
    return dumper.dump_log(path, *decoder);
  }
  if (suffix == ".index") return dumper.dump_offset_index(path);
  if (suffix == ".timeindex") return dumper.dump_time_index(path);
  if (suffix == ".txnindex") return dumper.dump_transaction_index(path);
  if (suffix == ".snapshot") return dumper.dump_producer_snapshot(path);
  fmt::print(stderr, "Ignoring unknown file {}\n", path);
  return {};
}

Checked<int> run(const ParsedOptions& options) {
  if (auto checked = require(options, {"files"}); !checked) return std::unexpected(checked.error());
  const auto files = runtime::make_system_files();
  LogDumper dumper(*files, dump_options(options));
  for (const std::string& path : split(options.text("files", ""), ',')) {
    if (auto dumped = dump(dumper, tidy_path(path), options); !dumped) return std::unexpected(dumped.error());
  }
  std::fflush(stdout);
  dumper.findings().print();
  return 0;
}

}  // namespace

int run_dump_log(const Arguments& arguments) { return run_tool(parser(), arguments, run); }

}  // namespace dohle::app
