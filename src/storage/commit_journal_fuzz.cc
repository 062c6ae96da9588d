// A journal file of arbitrary bytes. With the first bit set they are what a group holds, and its checksums are right,
// so that what lies behind them is reached.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <base/crc32c.h>
#include <runtime/memory/memory_shards.h>
#include <storage/commit_journal.h>

namespace {

using namespace dohle;

constexpr std::size_t kBlock = 4096;

void put_header(std::uint8_t* at, std::uint32_t magic, std::size_t covered) {
  store_be(at, magic);
  store_be(at + 8, std::uint64_t{7});  // the generation
  store_be(at + 4, crc32c(Bytes(at + 8, covered - 8)));
}

std::vector<std::uint8_t> with_checksums(Bytes runs) {
  const std::size_t group = (28 + runs.size() + kBlock - 1) / kBlock * kBlock;
  std::vector<std::uint8_t> file(kBlock + group);
  put_header(file.data(), 0x444f484a, 16);
  std::uint8_t* const at = file.data() + kBlock;
  store_be(at + 16, std::uint32_t{1000});  // runs
  store_be(at + 20, std::uint64_t{runs.size()});
  std::copy(runs.begin(), runs.end(), at + 28);
  put_header(at, 0x444f4847, group);
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input(data + 1, size - 1);
  const auto content =
      (data[0] & 1) != 0 ? with_checksums(input) : std::vector<std::uint8_t>(input.begin(), input.end());
  runtime::MemoryShards shards(1);
  auto& files = shards.files();
  if (!files.create_directories("/d")) std::abort();
  for (const char* const path : {"/d/.dohle-journal-0", "/d/.dohle-journal-1"}) {
    if (!(*files.open(path, runtime::OpenMode::kCreate))->write_at(0, Bytes(content))) std::abort();
  }
  const auto contents = storage::JournalContents::read(files, "/d");
  if (!contents) std::abort();
  const TopicId id{Uuid{1, 2}};
  for (std::uint64_t position = 0; position < 300; position += 3) {
    if ((*contents)->at("t-0", id, Offset(0), position).size() > content.size()) std::abort();
  }
  const auto journal = storage::CommitJournal::take_over(files, "/d", storage::CommitJournal::kLeastFileBytes);
  if (!journal || !(*storage::JournalContents::read(files, "/d"))->empty()) std::abort();
  return 0;
}
