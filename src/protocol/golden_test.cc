// Every message at every version against the bytes and the JSON that Apache Kafka's own classes made of it
// (tests/golden/README.md).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <base/base64.h>
#include <base/reader.h>
#include <protocol/json.h>

namespace dohle::protocol {
namespace {

const std::filesystem::path kFolder = "tests/golden/messages";

struct Sample {
  std::int16_t version;
  std::string kind;
  std::vector<std::uint8_t> bytes;
  Json json;
};

std::vector<Sample> samples_of(std::string_view name) {
  std::vector<Sample> out;
  std::ifstream file(kFolder / (std::string(name) + ".txt"));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    auto& sample = out.emplace_back();
    std::string raw;
    // Single spaces between the words: after "version kind " two in a row mean that the message has no bytes.
    words >> sample.version >> sample.kind;
    words.get();
    std::getline(words, raw, ' ');
    sample.bytes = base64_decode(raw).value();
    std::string json;
    std::getline(words, json);
    sample.json = Json::parse(json).value();
  }
  return out;
}

class Golden : public testing::TestWithParam<const MessageForms*> {};

TEST_P(Golden, AgreesWithKafka) {
  const MessageForms& message = *GetParam();
  std::set<std::int16_t> versions;
  for (const auto& sample : samples_of(message.name)) {
    SCOPED_TRACE(std::string(message.name) + " version " + std::to_string(sample.version) + " " + sample.kind);
    versions.insert(sample.version);
    Reader reader(sample.bytes);
    const auto json = message.json_of(reader, sample.version);
    ASSERT_TRUE(json.has_value()) << json.error().message;
    EXPECT_EQ(reader.remaining(), 0u);
    EXPECT_EQ(json->print(), sample.json.print());

    Reader again(sample.bytes);
    const auto encoded = message.decode_and_encode(again, sample.version);
    ASSERT_TRUE(encoded.has_value());
    EXPECT_TRUE(std::ranges::equal(encoded->bytes(), sample.bytes)) << "decoded and encoded again";

    if (sample.kind == "tags") continue;  // JSON does not have them
    const auto bytes = message.bytes_of(sample.json, sample.version);
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message;
    EXPECT_TRUE(std::ranges::equal(bytes->bytes(), sample.bytes)) << "from JSON";
  }
  for (auto version = message.min_version; version <= message.max_version; ++version) {
    EXPECT_TRUE(versions.contains(version)) << message.name << " has no sample of version " << version;
  }
}

INSTANTIATE_TEST_SUITE_P(Messages, Golden, testing::ValuesIn(all_messages().begin(), all_messages().end()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(GoldenFiles, AreAllKnownMessages) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    EXPECT_NE(find_message(entry.path().stem().string()), nullptr) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, all_messages().size());
}

// What is cut short anywhere is refused, and never read past its end (the sanitizers watch).
TEST_P(Golden, RefusesWhatIsCutShort) {
  const MessageForms& message = *GetParam();
  for (const auto& sample : samples_of(message.name)) {
    if (sample.kind != "filled") continue;
    const std::size_t step = std::max<std::size_t>(1, sample.bytes.size() / 64);
    for (std::size_t length = 0; length < sample.bytes.size(); length += step) {
      const std::vector<std::uint8_t> part(sample.bytes.begin(), sample.bytes.begin() + static_cast<long>(length));
      Reader reader(part);
      EXPECT_FALSE(message.json_of(reader, sample.version).has_value())
          << message.name << " version " << sample.version << " cut to " << length;
    }
  }
}

}  // namespace
}  // namespace dohle::protocol
