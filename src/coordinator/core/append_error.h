// What a failed append means to those who wait for it, in Kafka's codes.
#pragma once

#include <base/result.h>
#include <protocol/error_code.h>

namespace dohle::coordinator {

[[nodiscard]] protocol::ErrorCode append_error(Errc code);

// How group requests report an error of the partition under the coordinator.
[[nodiscard]] protocol::ErrorCode operation_error(protocol::ErrorCode error);

}  // namespace dohle::coordinator
