#include "message_formatter.h"

#include <array>
#include <bit>
#include <cmath>

#include <base/bytes.h>
#include <fmt/core.h>

#include "property_values.h"

namespace dohle::app {

namespace {

constexpr std::string_view kToolsConsumer = "org.apache.kafka.tools.consumer.";

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

template <typename T>
std::optional<std::string> integer(Bytes bytes) {
  if (bytes.size() != sizeof(T)) return std::nullopt;
  return std::to_string(load_be<T>(bytes.data()));
}

template <typename Float, typename Raw>
std::optional<std::string> floating(Bytes bytes) {
  if (bytes.size() != sizeof(Raw)) return std::nullopt;
  const auto value = std::bit_cast<Float>(load_be<Raw>(bytes.data()));
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::optional<std::string> boolean(Bytes bytes) {
  if (bytes.size() != 1 || bytes[0] > 1) return std::nullopt;
  return bytes[0] == 1 ? "true" : "false";
}

std::optional<std::string> plain(Bytes bytes) { return std::string(text_of(bytes)); }

std::string timestamp_text(const client::ConsumerRecord& record) {
  switch (record.timestamp_type) {
    case records::TimestampType::kCreateTime:
      return fmt::format("CreateTime:{}", record.timestamp_ms);
    case records::TimestampType::kLogAppendTime:
      return fmt::format("LogAppendTime:{}", record.timestamp_ms);
    case records::TimestampType::kNone:
      break;
  }
  return {};
}

}  // namespace

std::optional<Deserializer> Deserializer::of(std::string_view class_name) {
  using Reader = std::optional<std::string> (*)(Bytes);
  static constexpr std::array<std::pair<std::string_view, Reader>, 9> kReaders = {
      {{"StringDeserializer", plain},
       {"ByteArrayDeserializer", plain},
       {"UUIDDeserializer", plain},
       {"IntegerDeserializer", integer<std::int32_t>},
       {"LongDeserializer", integer<std::int64_t>},
       {"ShortDeserializer", integer<std::int16_t>},
       {"FloatDeserializer", floating<float, std::uint32_t>},
       {"DoubleDeserializer", floating<double, std::uint64_t>},
       {"BooleanDeserializer", boolean}}};
  constexpr std::string_view kPackage = "org.apache.kafka.common.serialization.";
  if (!class_name.starts_with(kPackage)) return std::nullopt;
  class_name.remove_prefix(kPackage.size());
  for (const auto& [name, read] : kReaders) {
    if (name != class_name) continue;
    Deserializer out;
    out.read_ = read;
    return out;
  }
  return std::nullopt;
}

Checked<MessageFormatter> MessageFormatter::make(std::string_view class_name, const client::Properties& properties) {
  MessageFormatter out;
  const std::string_view name =
      class_name.starts_with(kToolsConsumer) ? class_name.substr(kToolsConsumer.size()) : class_name;
  if (name == "DefaultMessageFormatter") {
    out.kind_ = Kind::kDefault;
  } else if (name == "LoggingMessageFormatter") {
    out.kind_ = Kind::kLogging;
  } else if (name == "NoOpMessageFormatter") {
    out.kind_ = Kind::kNoOp;
  } else {
    return complain_with_usage(
        fmt::format("There is no formatter {}; there are {}DefaultMessageFormatter, LoggingMessageFormatter and "
                    "NoOpMessageFormatter.",
                    class_name, kToolsConsumer));
  }
  out.read_properties(properties);
  for (const auto& [key, into] :
       {std::pair{"key.deserializer", &out.key_}, std::pair{"value.deserializer", &out.value_},
        std::pair{"headers.deserializer", &out.headers_}}) {
    const auto given = properties.find(key);
    if (given == properties.end()) continue;
    *into = Deserializer::of(given->second);
    if (!*into) fmt::print(stderr, "Unable to instantiate a deserializer from {}\n", given->second);
  }
  return out;
}

void MessageFormatter::read_properties(const client::Properties& properties) {
  read_bool(properties, "print.timestamp", print_timestamp_);
  read_bool(properties, "print.key", print_key_);
  read_bool(properties, "print.offset", print_offset_);
  read_bool(properties, "print.delivery", print_delivery_);
  read_bool(properties, "print.epoch", print_epoch_);
  read_bool(properties, "print.partition", print_partition_);
  read_bool(properties, "print.headers", print_headers_);
  read_bool(properties, "print.value", print_value_);
  read_text(properties, "key.separator", key_separator_);
  read_text(properties, "line.separator", line_separator_);
  read_text(properties, "headers.separator", headers_separator_);
  read_text(properties, "null.literal", null_literal_);
}

Checked<> MessageFormatter::put(std::optional<Bytes> bytes, const std::optional<Deserializer>& deserializer,
                                std::string& out) const {
  if (!bytes) {
    out += null_literal_;
  } else if (!deserializer) {
    out += text_of(*bytes);
  } else if (const auto text = deserializer->text(*bytes)) {
    out += *text;
  } else {
    return complain(fmt::format("{} bytes cannot be deserialized", bytes->size()));
  }
  return {};
}

Checked<> MessageFormatter::put_headers(const client::ConsumerRecord& record, std::string& out) const {
  if (record.headers.empty()) out += "NO_HEADERS";
  for (std::size_t i = 0; i < record.headers.size(); ++i) {
    if (i > 0) out += headers_separator_;
    out.append(record.headers[i].key).append(":");
    if (auto put_one = put(record.headers[i].value, headers_, out); !put_one) return put_one;
  }
  return {};
}

// Columns end with the key separator, except the last one. Neither delivery nor epoch comes with a consumer's record
// here: Kafka's tool drops both before it prints.
void MessageFormatter::put_facts(const client::ConsumerRecord& record, std::string& out) const {
  const auto column = [&](bool shown, const std::string& text, bool more) {
    if (shown) out.append(text).append(more ? key_separator_ : line_separator_);
  };
  const std::string time = timestamp_text(record);
  bool more = print_headers_ || print_key_ || print_value_;
  const bool after_epoch = more;
  const bool after_delivery = print_epoch_ || after_epoch;
  const bool after_offset = print_delivery_ || after_delivery;
  const bool after_partition = print_offset_ || after_offset;
  more = print_partition_ || after_partition;
  column(print_timestamp_, time.empty() ? "NO_TIMESTAMP" : time, more);
  column(print_partition_, fmt::format("Partition:{}", record.partition), after_partition);
  column(print_offset_, fmt::format("Offset:{}", record.offset), after_offset);
  column(print_delivery_, "Delivery:NOT_PRESENT", after_delivery);
  column(print_epoch_, "Epoch:NOT_PRESENT", after_epoch);
}

Checked<> MessageFormatter::write(const client::ConsumerRecord& record, std::string& out) const {
  if (kind_ == Kind::kNoOp) return {};
  put_facts(record, out);
  if (print_headers_) {
    if (auto done = put_headers(record, out); !done) return done;
    out += print_key_ || print_value_ ? key_separator_ : line_separator_;
  }
  if (print_key_) {
    if (auto done = put(record.key, key_, out); !done) return done;
    out += print_value_ ? key_separator_ : line_separator_;
  }
  if (print_value_) {
    if (auto done = put(record.value, value_, out); !done) return done;
    out += line_separator_;
  }
  return {};
}

std::string MessageFormatter::log_line(const client::ConsumerRecord& record) const {
  if (kind_ != Kind::kLogging) return {};
  std::string out = timestamp_text(record);
  if (!out.empty()) out += ", ";
  out += "key:" + (record.key ? std::string(text_of(*record.key)) + ", " : "null ");
  return out + "value:" + (record.value ? std::string(text_of(*record.value)) : "null");
}

}  // namespace dohle::app
