// How far the logs are loaded, in words and as a bar.
#include <algorithm>

#include <fmt/format.h>
#include <storage/log_manager.h>

namespace dohle::storage {

namespace {

constexpr std::size_t kMinBar = 10;

std::string duration_text(std::int64_t ms) {
  const std::int64_t seconds = (ms + 999) / 1000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
}

std::uint64_t mib(std::uint64_t bytes) { return bytes >> 20U; }

// Bytes where there are some to read: partitions may differ a lot.
double share_done(const LoadProgress& progress) {
  const bool bytes = progress.bytes_to_recover > 0;
  const auto done = static_cast<double>(bytes ? progress.bytes_recovered : progress.partitions_done);
  const auto total = static_cast<double>(bytes ? progress.bytes_to_recover : progress.partitions_total);
  return total > 0 ? std::min(done / total, 1.0) : 1.0;
}

std::string left_text(const LoadProgress& progress) {
  return progress.left_ms < 0 ? std::string() : fmt::format(", {} left", duration_text(progress.left_ms));
}

}  // namespace

std::string progress_line(const LoadProgress& progress) {
  if (progress.finished) {
    const std::string again = progress.bytes_to_recover == 0 ? std::string()
                                                             : fmt::format(", {} MiB read again after an unclean stop",
                                                                           mib(progress.bytes_recovered));
    return fmt::format("Loaded {} of {} partitions in {:.1f} s{}", progress.partitions_done, progress.partitions_total,
                       static_cast<double>(progress.elapsed_ms) / 1000, again);
  }
  if (progress.bytes_to_recover == 0) {
    return fmt::format("Loading: {} of {} partitions{}", progress.partitions_done, progress.partitions_total,
                       left_text(progress));
  }
  return fmt::format("Recovering after an unclean stop: {} of {} partitions, {} of {} MiB{}", progress.partitions_done,
                     progress.partitions_total, mib(progress.bytes_recovered), mib(progress.bytes_to_recover),
                     left_text(progress));
}

std::string progress_bar(const LoadProgress& progress, std::size_t columns) {
  const double done = share_done(progress);
  std::string text =
      fmt::format("{:3.0f} %, {}/{} partitions", done * 100, progress.partitions_done, progress.partitions_total);
  if (progress.bytes_to_recover > 0) {
    text += fmt::format(", {}/{} MiB", mib(progress.bytes_recovered), mib(progress.bytes_to_recover));
  }
  text += left_text(progress);
  constexpr std::size_t kFrame = 3;  // brackets and a blank
  if (columns < text.size() + kFrame + kMinBar) return text.substr(0, columns);
  const std::size_t width = columns - text.size() - kFrame;
  const auto filled = static_cast<std::size_t>(done * static_cast<double>(width));
  return fmt::format("[{:<{}}] {}", std::string(filled, '#'), width, text);
}

}  // namespace dohle::storage
