// RegisterClient: operations on single keys that the checkers hold against a model of what a key may be.
#pragma once

#include <string>
#include <string_view>

#include <protocol/error_code.h>

#include "client_program.h"

namespace dohle::scenarios {

// `call` when an operation begins, `ret` when its outcome is known; without a `ret`, or with the outcome "unknown", it
// may take effect at any time later, or never.
class RegisterClient : public ClientProgram {
 public:
  using ClientProgram::ClientProgram;

 protected:
  // `keeps_ms`: for how long at least what is written stays, when it may go by itself.
  std::int64_t call(const std::string& key, std::string_view operation, const std::string& value = {},
                    std::int64_t keeps_ms = -1);
  void ret(std::int64_t id, std::string_view outcome, const std::string& value = {});
  void ret(std::int64_t id, protocol::ErrorCode code);
  [[nodiscard]] std::string draw_key(std::string_view kind);

 private:
  std::int64_t calls_ = 0;
};

}  // namespace dohle::scenarios
