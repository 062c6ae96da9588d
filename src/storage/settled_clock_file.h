// The wall clock as retention last believed it, kept over restarts: ".dohle-clock", one number and its line's end.
// Kafka leaves regular files of a log directory alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <base/result.h>
#include <runtime/file_system.h>

namespace dohle::storage {

// Milliseconds since 1970; nothing when there is no file, or none that can be understood.
[[nodiscard]] std::optional<std::int64_t> read_settled_clock(runtime::FileSystem& files, const std::string& directory);
[[nodiscard]] Result<> write_settled_clock(runtime::FileSystem& files, const std::string& directory,
                                           std::int64_t wall_ms);

}  // namespace dohle::storage
