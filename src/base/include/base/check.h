// Asserts that stay on in release: a log broker stops rather than acknowledge from corrupt state.
#pragma once

namespace dohle {
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
}

#define DOHLE_CHECK(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::dohle::check_failed(#condition, __FILE_NAME__, __LINE__))
