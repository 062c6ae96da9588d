// From errno to Error.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <base/result.h>

namespace dohle::runtime {

[[nodiscard]] Errc errc_of(int error_number);
// "<what>: <the system's words>"
[[nodiscard]] std::unexpected<Error> system_failure(std::string_view what, int error_number);

}  // namespace dohle::runtime
