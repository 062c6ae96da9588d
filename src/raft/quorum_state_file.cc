#include "quorum_state_file.h"

#include <fmt/format.h>

namespace dohle::raft {

namespace {
constexpr std::uint64_t kMaxFileBytes = 1U << 20U;
}

QuorumStateFile::QuorumStateFile(runtime::FileSystem& fs, storage::CommitLog& door, std::string directory)
    : fs_(fs), door_(door), directory_(std::move(directory)), path_(runtime::join_path(directory_, "quorum-state")) {}

Result<std::optional<ElectionState>> QuorumStateFile::read() const {
  const auto text = runtime::read_file(fs_, path_, kMaxFileBytes);
  if (!text && text.error().code == Errc::kNotFound) return std::optional<ElectionState>();
  if (!text) return fail(text.error());
  auto state = decode_quorum_state(*text);
  if (!state) return fail(state.error().code, fmt::format("{}: {}", path_, state.error().message));
  return std::optional(std::move(*state));
}

Result<runtime::FileRef> QuorumStateFile::write_part(const std::string& path, const std::string& text) {
  DOHLE_ASSIGN(auto file, fs_.open(path, runtime::OpenMode::kTruncate));
  DOHLE_TRY(file->write_at(0, as_bytes(text)));
  return file;
}

runtime::Task<Result<>> QuorumStateFile::write(ElectionState state, std::int16_t data_version) {
  const std::string text = encode_quorum_state(state, data_version);
  const std::string part = path_ + ".tmp";
  auto file = write_part(part, text);
  // A full disk must not stand in the way of an election.
  if (!file && file.error().code == Errc::kNoSpace && door_.release_reserve()) file = write_part(part, text);
  if (!file) co_return std::unexpected(file.error());
  DOHLE_CO_TRY(co_await door_.commit({.files = {*file}}));
  DOHLE_CO_TRY(fs_.rename(part, path_));
  co_return co_await door_.commit({.directories = {directory_}});
}

}  // namespace dohle::raft
