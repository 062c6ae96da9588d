#include <gtest/gtest.h>

#include <raft/snapshot_reader.h>
#include <raft/snapshot_writer.h>
#include <records/batch.h>
#include <runtime/memory/manual_clock.h>
#include <runtime/memory/memory_file_system.h>

namespace dohle::raft {
namespace {

constexpr SnapshotId kId{Offset(42), LeaderEpoch(7)};

std::vector<std::uint8_t> record(std::string_view text) { return {text.begin(), text.end()}; }

VoterSet one_voter() {
  return VoterSet({{.key = {1, Uuid{5, 6}}, .endpoints = {{"CONTROLLER", "localhost", 9093}}, .max_kraft_version = 1}});
}

class SnapshotTest : public ::testing::Test {
 protected:
  runtime::ManualClock clock_;
  runtime::MemoryFileSystem fs_{clock_};

  std::unique_ptr<SnapshotWriter> writer(SnapshotOptions options) {
    return SnapshotWriter::create(fs_, "dir", kId, std::move(options)).value();
  }
  Result<std::unique_ptr<SnapshotReader>> reader() { return SnapshotReader::open(fs_, snapshot_path("dir", kId), kId); }
  // All records of the snapshot.
  Result<std::vector<std::string>> read_all() {
    std::vector<std::string> out;
    DOHLE_ASSIGN(const auto snapshot, reader());
    for (;;) {
      DOHLE_ASSIGN(const auto batch, snapshot->next());
      if (!batch) return out;
      for (const Bytes bytes : batch->records) out.emplace_back(as_text(bytes));
    }
  }
};

TEST_F(SnapshotTest, WritesWhatItReads) {
  ASSERT_TRUE(fs_.create_directories("dir"));
  ASSERT_TRUE(fs_.sync_directory("."));
  auto out = writer({.last_contained_log_timestamp_ms = 123, .now_ms = 456, .kraft_version = 1, .voters = one_voter()});
  ASSERT_TRUE(out->append(std::vector<std::vector<std::uint8_t>>{record("a"), record("bc")}));
  ASSERT_TRUE(out->append(std::vector<std::vector<std::uint8_t>>{record("def")}));
  EXPECT_FALSE(fs_.exists(snapshot_path("dir", kId)));
  ASSERT_TRUE(out->freeze());
  EXPECT_FALSE(fs_.exists(snapshot_path("dir", kId) + ".part"));

  fs_.crash(runtime::CrashLoss::kUnsynced);
  const auto in = reader();
  ASSERT_TRUE(in) << in.error().message;
  EXPECT_EQ((*in)->last_contained_log_timestamp_ms(), 123);
  EXPECT_EQ((*in)->kraft_version(), 1);
  EXPECT_EQ((*in)->voters(), one_voter());
  EXPECT_EQ((*in)->size_bytes(), out->size_bytes());
  EXPECT_EQ(read_all().value(), (std::vector<std::string>{"a", "bc", "def"}));
}

TEST_F(SnapshotTest, CanBeReadTwice) {
  auto out = writer({});
  ASSERT_TRUE(out->append(std::vector<std::vector<std::uint8_t>>{record("x")}));
  ASSERT_TRUE(out->freeze());
  const auto in = reader().value();
  EXPECT_EQ(in->kraft_version(), 0);
  EXPECT_FALSE(in->voters());
  for (int round = 0; round < 2; ++round) {
    const auto batch = in->next();
    ASSERT_TRUE(batch && *batch);
    EXPECT_EQ((*batch)->records.size(), 1U);
    EXPECT_FALSE(in->next().value());
    in->rewind();
  }
}

TEST_F(SnapshotTest, CutsBatchesAndCountsOffsets) {
  auto out = writer({.max_batch_bytes = 150});
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(out->append(std::vector<std::vector<std::uint8_t>>{record(std::string(40, 'x'))}));
  ASSERT_TRUE(out->freeze());
  const auto in = reader().value();
  std::int64_t next = 1;  // the header is record 0
  int batches = 0;
  for (auto batch = in->next(); batch.value(); batch = in->next()) {
    EXPECT_EQ((*batch)->base_offset, Offset(next));
    EXPECT_EQ((*batch)->records.size(), 2U);
    next += 2;
    ++batches;
  }
  EXPECT_EQ(batches, 5);
}

TEST_F(SnapshotTest, AnUnfinishedOneLeavesNothing) {
  writer({}).reset();
  EXPECT_TRUE(fs_.list("dir")->empty());
}

TEST_F(SnapshotTest, DamageIsSeen) {
  auto out = writer({.kraft_version = 1, .voters = one_voter()});
  ASSERT_TRUE(out->append(std::vector<std::vector<std::uint8_t>>{record("hello"), record("world")}));
  ASSERT_TRUE(out->freeze());
  const std::string whole = fs_.content(snapshot_path("dir", kId)).value();
  const auto rewrite = [&](std::string_view content) {
    const auto file = fs_.open(snapshot_path("dir", kId), runtime::OpenMode::kTruncate).value();
    ASSERT_TRUE(file->write_at(0, as_bytes(content)));
  };
  for (std::size_t size = 0; size < whole.size(); ++size) {
    rewrite(std::string_view(whole).substr(0, size));
    EXPECT_FALSE(read_all()) << "cut at " << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string bent = whole;
    bent[at] = static_cast<char>(bent[at] ^ 0x40);
    rewrite(bent);
    const auto read = read_all();  // base offsets and epochs lie outside the CRC: such damage may pass
    if (read) EXPECT_EQ(*read, (std::vector<std::string>{"hello", "world"})) << "bent at " << at;
  }
}

TEST(SnapshotName, IsKafkas) {
  EXPECT_EQ(snapshot_name({Offset(12), LeaderEpoch(3)}), "00000000000000000012-0000000003");
  EXPECT_EQ(snapshot_path("d", kBootstrapSnapshotId), "d/00000000000000000000-0000000000.checkpoint");
  const auto parsed = parse_snapshot_file_name("00000000000000000012-0000000003.checkpoint");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, (SnapshotId{Offset(12), LeaderEpoch(3)}));
  EXPECT_EQ(parse_snapshot_file_name("00000000000000000012-0000000003-99812.checkpoint.part")->kind,
            SnapshotFileKind::kPartial);
  EXPECT_EQ(parse_snapshot_file_name("00000000000000000012-0000000003.checkpoint.deleted")->kind,
            SnapshotFileKind::kDeleted);
  for (const char* other :
       {"00000000000000000012.log", "bootstrap.checkpoint", "x.checkpoint",
        "00000000000000000012-000000000x.checkpoint", "99999999999999999999-0000000003.checkpoint"}) {
    EXPECT_FALSE(parse_snapshot_file_name(other)) << other;
  }
}

TEST(VoterSet, RoundTripsAndRefusesTwins) {
  const VoterSet set = one_voter();
  EXPECT_EQ(VoterSet::decode(set.encode()).value(), set);
  EXPECT_TRUE(set.is_voter({1, Uuid{5, 6}}));
  EXPECT_FALSE(set.is_voter({1, Uuid{5, 7}}));
  EXPECT_FALSE(set.is_voter({1, std::nullopt}));
  const auto bytes = set.encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(VoterSet::decode(Bytes(bytes).first(size)));
}

}  // namespace
}  // namespace dohle::raft
