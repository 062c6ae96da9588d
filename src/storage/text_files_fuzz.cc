// The text files of a log directory.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "checkpoint_file.h"
#include "clean_marker.h"
#include "log_files.h"
#include "partition_metadata.h"
#include "storage/meta_properties.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dohle::storage;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // What parses must parse again to the same after being written.
  if (const auto offsets = parse_offset_checkpoint(text)) {
    if (parse_offset_checkpoint(format_offset_checkpoint(*offsets)) != *offsets) std::abort();
  }
  if (const auto epochs = parse_epoch_checkpoint(text)) {
    if (parse_epoch_checkpoint(format_epoch_checkpoint(*epochs)) != *epochs) std::abort();
  }
  if (const auto id = parse_partition_metadata(text)) {
    if (parse_partition_metadata(format_partition_metadata(*id)) != *id) std::abort();
  }
  if (const auto directory = parse_partition_directory(text); directory && directory->kind == DirectoryKind::kLive) {
    if (parse_partition_directory(partition_directory_name(directory->partition))->partition != directory->partition) {
      std::abort();
    }
  }
  static_cast<void>(parse_meta_properties(text));
  static_cast<void>(parse_clean_marker(text));
  return 0;
}
