// Against bytes and verdicts of Apache Kafka 4.4: tests/golden/generate_records made them.
#include <charconv>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <records/batch.h>
#include <records/legacy.h>
#include <records/reader.h>
#include <records/validator.h>

namespace dohle::records {
namespace {

const std::string kFolder = "tests/golden/records/";

std::vector<std::uint8_t> unhex(std::string_view hex) {
  std::vector<std::uint8_t> out;
  if (hex == "-") return out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    std::uint8_t byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    out.push_back(byte);
  }
  return out;
}

std::string hex(Bytes bytes) {
  if (bytes.empty()) return "-";
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += "0123456789abcdef"[byte >> 4U];
    out += "0123456789abcdef"[byte & 15U];
  }
  return out;
}

std::string nullable(std::optional<Bytes> bytes) { return bytes ? hex(*bytes) : "null"; }

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

std::map<std::string, std::string> fields(const std::vector<std::string>& all, std::size_t from = 1) {
  std::map<std::string, std::string> out;
  for (std::size_t i = from; i < all.size(); ++i) {
    const auto at = all[i].find('=');
    if (at != std::string::npos) out[all[i].substr(0, at)] = all[i].substr(at + 1);
  }
  return out;
}

std::vector<std::string> lines(const std::string& name) {
  std::ifstream in(kFolder + name);
  EXPECT_TRUE(in) << "run from the top of the source tree";
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::string describe(const BatchView& batch) {
  std::ostringstream out;
  const Offset base = batch.is_v2() ? batch.base_offset() : legacy_first_offset(batch).value_or(Offset(-99));
  out << "batch magic=" << int{batch.magic()} << " base=" << base.value() << " last=" << batch.last_offset().value()
      << " count=" << (batch.record_count() ? std::to_string(*batch.record_count()) : "null")
      << " maxts=" << batch.max_timestamp() << " type=" << static_cast<int>(batch.timestamp_type())
      << " codec=" << to_string(batch.compression().value()) << " pid=" << batch.producer_id().value()
      << " epoch=" << batch.producer_epoch() << " seq=" << batch.base_sequence() << " lastseq=" << batch.last_sequence()
      << " leader=" << batch.leader_epoch().value() << " txn=" << int{batch.is_transactional()}
      << " control=" << int{batch.is_control()} << " size=" << batch.size_bytes();
  return out.str();
}

std::string describe(const RecordView& record) {
  std::ostringstream out;
  out << "record offset=" << record.offset.value() << " ts=" << record.timestamp_ms << " seq=" << record.sequence
      << " key=" << nullable(record.key) << " value=" << nullable(record.value) << " headers=";
  bool first = true;
  for (const auto& header : record.headers) {
    out << (first ? "" : ",") << header.key << ":" << nullable(header.value);
    first = false;
  }
  if (first) out << "-";
  return out.str();
}

// All that can be read from `bytes`, in the words of the golden file.
std::vector<std::string> read(Bytes bytes) {
  std::vector<std::string> out;
  BatchCursor cursor(bytes);
  Decompressor decompressor;
  for (;;) {
    const auto batch = cursor.next();
    if (!batch) out.push_back("error " + batch.error().message);
    if (!batch || !*batch) break;
    EXPECT_TRUE((*batch)->crc_ok());
    out.push_back(describe(**batch));
    const auto all = for_each(
        **batch,
        [&](const RecordView& record) -> Result<> {
          out.push_back(describe(record));
          return {};
        },
        &decompressor);
    if (!all) out.push_back("error " + all.error().message);
  }
  EXPECT_EQ(cursor.consumed(), bytes.size());
  return out;
}

TEST(Golden, KafkasBatchesReadAsKafkaReadsThem) {
  const auto all = lines("read.txt");
  std::size_t checked = 0;
  for (std::size_t i = 0; i < all.size();) {
    const auto head = words(all[i]);
    ASSERT_EQ(head.at(0), "bytes");
    SCOPED_TRACE(head.at(1));
    std::vector<std::string> expected;
    for (++i; i < all.size() && !all[i].starts_with("bytes "); ++i) expected.push_back(all[i]);
    EXPECT_EQ(read(unhex(head.at(2))), expected);
    ++checked;
  }
  EXPECT_EQ(checked, 27U);
}

TEST(Golden, OldBatchesConvertToV2WithTheSameRecords) {
  for (const auto& line : lines("read.txt")) {
    const auto head = words(line);
    if (head[0] != "bytes" || !head.at(1).starts_with("magic1_GZIP")) continue;
    const auto bytes = unhex(head.at(2));
    const auto converted = convert_to_v2(BatchView::parse(bytes).value(), {CompressionType::kZstd, {}});
    ASSERT_TRUE(converted) << converted.error().message;
    auto before = read(bytes);
    auto after = read(converted->bytes());
    ASSERT_EQ(before.size(), after.size());
    EXPECT_TRUE(after[0].starts_with("batch magic=2 base=500 last=503 count=4")) << after[0];
    before.erase(before.begin());
    after.erase(after.begin());
    EXPECT_EQ(before, after);
  }
}

std::string kafka_error(Errc code) {
  switch (code) {
    case Errc::kInvalidRecord:
      return "INVALID_RECORD";
    case Errc::kCorrupt:
      return "CORRUPT_MESSAGE";
    case Errc::kInvalidTimestamp:
      return "INVALID_TIMESTAMP";
    case Errc::kRecordTooLarge:
      return "MESSAGE_TOO_LARGE";
    case Errc::kUnsupportedCompression:
      return "UNSUPPORTED_COMPRESSION_TYPE";
    case Errc::kUndecodable:
      return "UNKNOWN_SERVER_ERROR";
    default:
      return "unexpected: " + std::string(to_string(code));
  }
}

ValidationConfig config_of(const std::vector<std::string>& head) {
  ValidationConfig config;
  config.now_ms = 1'700'000'000'000;
  config.next_offset = Offset(3);
  config.leader_epoch = LeaderEpoch(6);
  config.allow_zstd = std::stoi(head.at(2).substr(8)) >= 7;
  std::string list = head.at(3);
  for (auto& c : list) c = c == ',' ? ' ' : c;
  for (const auto& [key, value] : fields(words(list), 0)) {
    if (key == "message.timestamp.type")
      config.timestamp_type = TimestampType::kLogAppendTime;
    else if (key == "cleanup.policy")
      config.compacted = true;
    else if (key == "max.message.bytes")
      config.max_message_bytes = std::stoll(value);
    else if (key == "message.timestamp.before.max.ms")
      config.timestamp_before_max_ms = std::stoll(value);
    else if (key == "message.timestamp.after.max.ms")
      config.timestamp_after_max_ms = std::stoll(value);
    else if (key == "compression.type")
      config.target = {compression_type(value).value_or(CompressionType::kNone), {}};
    else
      ADD_FAILURE() << key;
  }
  return config;
}

// Compressed bytes depend on the library's version: only what they hold must be the same.
void expect_same_batch(Bytes ours, Bytes kafkas, bool rewritten) {
  const auto batch = BatchView::parse(kafkas).value();
  if (!rewritten || !batch.is_compressed()) {
    EXPECT_EQ(hex(ours), hex(kafkas));
    return;
  }
  auto a = read(ours);
  auto b = read(kafkas);
  for (auto* side : {&a, &b}) side->at(0) = side->at(0).substr(0, side->at(0).find(" size="));
  EXPECT_EQ(a, b);
  EXPECT_EQ(hex(ours.subspan(21, 40)), hex(kafkas.subspan(21, 40)));  // the header behind the CRC
}

void check_case(const std::vector<std::string>& head, Bytes input, const std::string& verdict, std::size_t budget) {
  const auto expected = words(verdict);
  const auto expected_fields = fields(expected);
  const auto config = config_of(head);
  Slice slice = Slice::copy_of(input);
  BatchValidator validator(slice, config);
  for (int steps = 0; !validator.advance(budget); ++steps) ASSERT_LT(steps, 1'000'000);
  const auto out = validator.take_result();
  if (expected.at(1) != "NONE") {
    ASSERT_FALSE(out) << "Kafka refuses this with " << expected.at(1);
    EXPECT_EQ(kafka_error(out.error().error.code), expected.at(1)) << out.error().error.message;
    std::string indexes;
    for (const auto& error : out.error().record_errors) {
      indexes += (indexes.empty() ? "" : ",") + std::to_string(error.batch_index);
    }
    const auto records = expected_fields.find("records");
    EXPECT_EQ(indexes, records == expected_fields.end() ? "" : records->second);
    return;
  }
  ASSERT_TRUE(out) << out.error().error.message;
  EXPECT_EQ(std::to_string(out->first_offset.value()), expected_fields.at("first"));
  EXPECT_EQ(std::to_string(out->last_offset.value()), expected_fields.at("last"));
  EXPECT_EQ(std::to_string(out->max_timestamp_ms), expected_fields.at("maxts"));
  EXPECT_EQ(std::to_string(out->log_append_time_ms), expected_fields.at("append"));
  expect_same_batch(out->bytes.bytes(), unhex(expected.back()), out->rewritten);
}

void check_all_cases(std::size_t budget) {
  const auto all = lines("validate.txt");
  ASSERT_EQ(all.size() % 3, 0U);
  ASSERT_GT(all.size() / 3, 200U);
  std::set<std::string> names;
  for (std::size_t i = 0; i < all.size(); i += 3) {
    const auto head = words(all[i]);
    SCOPED_TRACE(head.at(1));
    EXPECT_TRUE(names.insert(head.at(1)).second);
    check_case(head, unhex(words(all[i + 1]).at(1)), all[i + 2], budget);
  }
}

TEST(Golden, ProducedBytesMeetKafkasVerdict) { check_all_cases(std::numeric_limits<std::size_t>::max()); }

TEST(Golden, TheVerdictDoesNotDependOnTheSlicesOfWork) {
  check_all_cases(1);
  check_all_cases(37);
}

}  // namespace
}  // namespace dohle::records
