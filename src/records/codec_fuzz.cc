// Streams of every codec: the first byte chooses. What is not a stream must fail, in bounded memory; what we compress
// must come back.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <base/check.h>
#include <records/codec.h>

using namespace dohle;           // NOLINT
using namespace dohle::records;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto type = static_cast<CompressionType>(data[0] % kCompressionTypes);
  const Bytes input(data + 1, size - 1);
  Decompressor decompressor;
  if (decompressor.open(type, input, static_cast<std::int8_t>(data[0] % 3))) {
    for (std::size_t total = 0; total < (8U << 20U);) {
      const auto chunk = decompressor.next_chunk();
      if (!chunk || chunk->empty()) break;
      total += chunk->size();
    }
  }
  std::vector<std::uint8_t> packed;
  auto compressor = make_compressor({type, {}}, packed);
  compressor->write(input);
  compressor->finish();
  std::vector<std::uint8_t> back;
  DOHLE_CHECK(decompressor.open(type, packed).has_value());
  for (;;) {
    const auto chunk = decompressor.next_chunk();
    DOHLE_CHECK(chunk.has_value());
    if (chunk->empty()) break;
    back.insert(back.end(), chunk->begin(), chunk->end());
  }
  DOHLE_CHECK(std::equal(back.begin(), back.end(), input.begin(), input.end()));
  return 0;
}
