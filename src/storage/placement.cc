#include "placement.h"

namespace dohle::storage {

Result<> Roll::run(runtime::FileSystem& fs) {
  DOHLE_TRY(seal.run(fs));
  DOHLE_TRY(files.run(fs));
  return snapshot ? snapshot->run(fs) : Result<>{};
}

Result<> Placement::run(runtime::FileSystem& fs) {
  if (metadata) DOHLE_TRY(metadata->run(fs));
  if (roll) {
    DOHLE_TRY(roll->run(fs));
    write.log.file = roll->files.log.file;
  }
  if (epochs) DOHLE_TRY(epochs->run(fs));
  return write.run(fs);
}

}  // namespace dohle::storage
