// A response's status line and headers.
#pragma once

#include <cstdint>
#include <string>

#include <http/message.h>

namespace dohle::http {

// `wall_ms`: what the Date header says.
[[nodiscard]] std::string response_head(const Response& response, bool keep_alive, std::int64_t wall_ms);

}  // namespace dohle::http
