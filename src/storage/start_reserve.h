// StartReserve: blocks of a directory that only a start may use. A node that stopped on a full disk has to write a
// little before it serves again, and so before anybody could delete something: its vote, its registration, a
// checkpoint. Everything else lives without them, so that they are there at the next start too.
#pragma once

#include <cstdint>
#include <string>

#include <runtime/file_system.h>

namespace dohle::storage {

class StartReserve {
 public:
  StartReserve(runtime::FileSystem& fs, const std::string& directory);
  // At a start: gives the blocks back to the disk if it has fewer free ones. True when it did.
  bool give(std::uint64_t reserve_bytes);
  // Makes it, or as much of it as there is room for, unless it is there. Blocks; not on two threads at once.
  void make(std::uint64_t reserve_bytes);

 private:
  // A small part of the directory's reserve for everything else.
  [[nodiscard]] std::uint64_t wanted(std::uint64_t reserve_bytes) const;
  runtime::FileSystem& fs_;
  std::string directory_;
  std::string path_;
  bool there_ = false;
};

}  // namespace dohle::storage
