#include "settled_clock_file.h"

#include <charconv>

namespace dohle::storage {

namespace {
constexpr std::string_view kClockFile = ".dohle-clock";
constexpr std::uint64_t kMaxBytes = 64;
}  // namespace

std::optional<std::int64_t> read_settled_clock(runtime::FileSystem& files, const std::string& directory) {
  const auto text = runtime::read_file(files, runtime::join_path(directory, kClockFile), kMaxBytes);
  if (!text || !text->ends_with('\n')) return std::nullopt;
  std::int64_t wall_ms = 0;
  const char* const end = text->data() + text->size() - 1;
  const auto parsed = std::from_chars(text->data(), end, wall_ms);
  if (parsed.ec != std::errc{} || parsed.ptr != end || wall_ms <= 0) return std::nullopt;
  return wall_ms;
}

Result<> write_settled_clock(runtime::FileSystem& files, const std::string& directory, std::int64_t wall_ms) {
  return runtime::write_file_atomically(files, runtime::join_path(directory, kClockFile),
                                        std::to_string(wall_ms) + "\n");
}

}  // namespace dohle::storage
