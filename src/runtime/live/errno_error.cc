#include "errno_error.h"

#include <cerrno>
#include <system_error>

namespace dohle::runtime {

Errc errc_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Errc::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return Errc::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
      return Errc::kNoSpace;
    case EADDRINUSE:
      return Errc::kAddressInUse;
    case EAGAIN:
      return Errc::kWouldBlock;
    case EPIPE:
    case ECONNRESET:
    case ECONNREFUSED:
    case ECONNABORTED:
    case EBADF:
      return Errc::kClosed;
    case ETIMEDOUT:
      return Errc::kTimedOut;
    case EOPNOTSUPP:
      return Errc::kUnsupported;
    default:
      return Errc::kIo;
  }
}

std::unexpected<Error> system_failure(std::string_view what, int error_number) {
  return fail(errc_of(error_number), std::string(what) + ": " + std::generic_category().message(error_number));
}

}  // namespace dohle::runtime
