// Lines of any bytes for kafka-console-producer. The first byte chooses what is parsed, the second how the input is
// cut into pieces; however it is cut, the lines are the same.
#include "line_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <base/bytes.h>
#include <base/check.h>

using namespace dohle;       // NOLINT
using namespace dohle::app;  // NOLINT

namespace {

std::vector<std::string> lines_of(std::string_view text, std::size_t piece) {
  LineSplitter splitter;
  std::vector<std::string> out;
  while (!text.empty()) {
    splitter.add(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
    while (auto line = splitter.next()) out.push_back(std::move(*line));
  }
  splitter.finish();
  while (auto line = splitter.next()) out.push_back(std::move(*line));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text = as_text({data + 2, size - 2});
  const auto lines = lines_of(text, 1 + data[1]);
  DOHLE_CHECK(lines == lines_of(text, std::max<std::size_t>(1, text.size())));
  const auto is = [&](int bit) { return (data[0] >> bit & 1) != 0 ? "true" : "false"; };
  client::Properties properties{{"parse.key", is(0)}, {"parse.headers", is(1)}, {"ignore.error", is(2)}};
  if ((data[0] & 8) != 0) properties["null.marker"] = "N";
  // The first line may be a separator of the user's own, the empty one too.
  if ((data[0] & 16) != 0 && !lines.empty()) properties["headers.separator"] = lines.front();
  if ((data[0] & 32) != 0 && !lines.empty()) properties["key.separator"] = lines.front();
  if ((data[0] & 64) != 0 && !lines.empty()) properties["headers.key.separator"] = lines.front();
  auto reader = LineReader::from(properties);
  if (!reader) return 0;
  for (const auto& line : lines) {
    const auto record = reader->read(line);
    if (record && record->value) DOHLE_CHECK(line.ends_with(*record->value));
  }
  return 0;
}
