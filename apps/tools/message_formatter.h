// How kafka-console-consumer writes records: Kafka's Default, Logging and NoOp message formatters with their
// properties.
#pragma once

#include <string>
#include <string_view>

#include <client/client_config.h>
#include <client/consumer.h>

#include "tool.h"

namespace dohle::app {

// Turns the bytes of a key, value or header into text, by the name of a Kafka deserializer.
class Deserializer {
 public:
  // Nothing for a class that is not known here.
  [[nodiscard]] static std::optional<Deserializer> of(std::string_view class_name);
  // Nothing when the bytes cannot be one.
  [[nodiscard]] std::optional<std::string> text(Bytes bytes) const { return read_(bytes); }

 private:
  std::optional<std::string> (*read_)(Bytes) = nullptr;
};

class MessageFormatter {
 public:
  // print.{timestamp,key,offset,delivery,epoch,partition,headers,value}, {key,line,headers}.separator, null.literal,
  // {key,value,headers}.deserializer.
  [[nodiscard]] static Checked<MessageFormatter> make(std::string_view class_name,
                                                      const client::Properties& properties);

  // Appends the record to `out`. Fails when a deserializer does.
  [[nodiscard]] Checked<> write(const client::ConsumerRecord& record, std::string& out) const;
  // What the logging formatter says besides; empty with the others.
  [[nodiscard]] std::string log_line(const client::ConsumerRecord& record) const;

 private:
  enum class Kind : std::uint8_t { kDefault, kLogging, kNoOp };
  void read_properties(const client::Properties& properties);
  [[nodiscard]] Checked<> put(std::optional<Bytes> bytes, const std::optional<Deserializer>& deserializer,
                              std::string& out) const;
  [[nodiscard]] Checked<> put_headers(const client::ConsumerRecord& record, std::string& out) const;
  void put_facts(const client::ConsumerRecord& record, std::string& out) const;

  Kind kind_ = Kind::kDefault;
  bool print_timestamp_ = false;
  bool print_key_ = false;
  bool print_value_ = true;
  bool print_partition_ = false;
  bool print_offset_ = false;
  bool print_delivery_ = false;
  bool print_epoch_ = false;
  bool print_headers_ = false;
  std::string key_separator_ = "\t";
  std::string line_separator_ = "\n";
  std::string headers_separator_ = ",";
  std::string null_literal_ = "null";
  std::optional<Deserializer> key_;
  std::optional<Deserializer> value_;
  std::optional<Deserializer> headers_;
};

}  // namespace dohle::app
