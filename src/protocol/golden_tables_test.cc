// API keys, error codes, headers and record frames against what Apache Kafka says of them (tests/golden/README.md).
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include <base/base64.h>
#include <base/reader.h>
#include <protocol/api_table.h>
#include <protocol/coordinator_record.h>
#include <protocol/error_code.h>
#include <protocol/header.h>
#include <protocol/metadata_record.h>

namespace dohle::protocol {
namespace {

std::vector<std::istringstream> lines_of(const std::string& name) {
  std::vector<std::istringstream> out;
  std::ifstream file("tests/golden/" + name);
  for (std::string line; std::getline(file, line);) out.emplace_back(line);
  EXPECT_FALSE(out.empty()) << name;
  return out;
}

bool read_flag(std::istringstream& line) {
  std::string word;
  line >> word;
  return word == "true";
}

void check_version(const ApiInfo& api, std::istringstream& line) {
  std::int16_t version = 0;
  std::int16_t request = 0;
  std::int16_t response = 0;
  std::string raw;
  line >> version >> request >> response >> raw;
  SCOPED_TRACE(std::string(api.name) + " " + std::to_string(version));
  EXPECT_EQ(request_header_version(api.key, version), request);
  EXPECT_EQ(response_header_version(api.key, version), response);
  const auto bytes = base64_decode(raw).value();
  Reader reader(bytes);
  const auto header = RequestHeader::decode(reader);
  ASSERT_TRUE(header.has_value()) << header.error().message;
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_EQ(header->api_key, api.key);
  EXPECT_EQ(header->api_version, version);
  EXPECT_EQ(header->correlation_id, 1000 + version);
  EXPECT_EQ(header->client_id, Text("client-ž"));
  Writer writer;
  header->encode(writer);
  EXPECT_TRUE(std::ranges::equal(writer.bytes(), bytes));
}

TEST(GoldenTables, ApisAndHeadersAreKafkas) {
  std::size_t apis = 0;
  const ApiInfo* api = nullptr;
  for (auto& line : lines_of("apis.txt")) {
    std::string kind;
    line >> kind;
    if (kind == "version") {
      check_version(*api, line);
      continue;
    }
    std::int16_t key = 0;
    std::int16_t low = 0;
    std::int16_t stable = 0;
    std::int16_t high = 0;
    std::string name;
    line >> key >> name >> low >> stable >> high;
    api = find_api(key);
    ASSERT_NE(api, nullptr) << name;
    ++apis;
    EXPECT_EQ(api->name, name);
    EXPECT_EQ(api->min_version, low) << name;
    EXPECT_EQ(api->max_version, stable) << name;
    EXPECT_EQ(api->max_unstable_version, high) << name;
    EXPECT_EQ(api->on_broker, read_flag(line)) << name;
    EXPECT_EQ(api->on_controller, read_flag(line)) << name;
  }
  EXPECT_EQ(apis, api_table().size());
}

TEST(GoldenTables, ErrorCodesAreKafkas) {
  for (auto& line : lines_of("errors.txt")) {
    std::int16_t code = 0;
    std::string error;
    line >> code >> error;
    EXPECT_EQ(name(error_code_from(code)), error);
    EXPECT_EQ(number(error_code_from(code)), code);
    EXPECT_EQ(is_retriable(error_code_from(code)), read_flag(line)) << error;
  }
}

TEST(GoldenTables, FramesAreKafkas) {
  for (auto& line : lines_of("frames.txt")) {
    std::string kind;
    std::string record;
    std::string raw;
    line >> kind >> record >> raw;
    SCOPED_TRACE(record);
    const auto bytes = base64_decode(raw).value();
    Writer writer;
    if (kind == "metadata") {
      const auto framed = decode_metadata_record(bytes);
      ASSERT_TRUE(framed.has_value()) << framed.error().message;
      EXPECT_EQ(std::visit([](const auto& one) { return one.kName; }, framed->record), record);
      encode_metadata_record(writer, framed->record, framed->version);
    } else if (kind == "key") {
      const auto key = decode_group_key(bytes);
      ASSERT_TRUE(key.has_value()) << key.error().message;
      encode_coordinator_key(writer, std::get<OffsetCommitKey>(*key));
    } else {
      const auto value = decode_group_value(1, bytes);
      ASSERT_TRUE(value.has_value()) << value.error().message;
      encode_coordinator_value(writer, std::get<OffsetCommitValue>(*value), 3);
    }
    EXPECT_TRUE(std::ranges::equal(writer.bytes(), bytes));
  }
}

TEST(Header, IsReadAtAnyVersionOfApiVersionsOnly) {
  Writer future;
  future.write(std::int16_t{18});
  future.write(std::int16_t{99});
  future.write(std::int32_t{7});
  future.write(std::int16_t{-1});
  future.write_uvarint(0);
  Reader reader(future.bytes());
  const auto header = RequestHeader::decode(reader);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->correlation_id, 7);
  EXPECT_FALSE(header->client_id.has_value());

  for (const auto& [key, version] : {std::pair{1, 99}, {1, 3}, {7, 0}, {95, 0}, {-1, 0}}) {
    Writer unknown;
    unknown.write(static_cast<std::int16_t>(key));
    unknown.write(static_cast<std::int16_t>(version));
    unknown.write(std::int32_t{7});
    unknown.write(std::int16_t{-1});
    unknown.write_uvarint(0);
    Reader other(unknown.bytes());
    const auto refused = RequestHeader::decode(other);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::kUnsupported);
  }
}

}  // namespace
}  // namespace dohle::protocol
