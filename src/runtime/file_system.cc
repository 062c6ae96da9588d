#include <runtime/file_system.h>

namespace dohle::runtime {

Result<std::string> read_file(FileSystem& fs, const std::string& path, std::uint64_t limit) {
  DOHLE_ASSIGN(const FileRef file, fs.open(path, OpenMode::kRead));
  DOHLE_ASSIGN(const std::uint64_t size, file->size());
  if (size > limit) return fail(Errc::kMalformed, path + " is larger than " + std::to_string(limit) + " bytes");
  std::string content(size, '\0');
  DOHLE_ASSIGN(const std::size_t got, file->read_at(0, {reinterpret_cast<std::uint8_t*>(content.data()), content.size()}));
  content.resize(got);
  return content;
}

Result<> write_file_atomically(FileSystem& fs, const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  {
    DOHLE_ASSIGN(const FileRef file, fs.open(temporary, OpenMode::kTruncate));
    DOHLE_TRY(file->write_at(0, as_bytes(content)));
    DOHLE_TRY(file->sync());
  }
  DOHLE_TRY(fs.rename(temporary, path));
  const auto slash = path.find_last_of('/');
  return fs.sync_directory(slash == std::string::npos ? "." : path.substr(0, slash));
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path.push_back('/');
  return path.append(name);
}

}  // namespace dohle::runtime
