// How group requests report an error of the partition under the coordinator.
#pragma once

#include <protocol/error_code.h>

namespace dohle::coordinator {

[[nodiscard]] protocol::ErrorCode operation_error(protocol::ErrorCode error);

}  // namespace dohle::coordinator
