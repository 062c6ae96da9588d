// What clients may do, as bits by the number of the operation (AclOperation): everything, as long as there is no
// authorizer.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace dohle::broker {

enum class Operation : std::uint8_t {
  kRead = 3,
  kWrite = 4,
  kCreate = 5,
  kDelete = 6,
  kAlter = 7,
  kDescribe = 8,
  kClusterAction = 9,
  kDescribeConfigs = 10,
  kAlterConfigs = 11,
  kIdempotentWrite = 12,
};

[[nodiscard]] constexpr std::int32_t operation_bits(std::initializer_list<Operation> operations) {
  std::int32_t bits = 0;
  for (const Operation operation : operations) bits |= 1 << static_cast<int>(operation);
  return bits;
}

inline constexpr std::int32_t kAllTopicOperations =
    operation_bits({Operation::kRead, Operation::kWrite, Operation::kCreate, Operation::kDelete, Operation::kAlter,
                    Operation::kDescribe, Operation::kDescribeConfigs, Operation::kAlterConfigs});
inline constexpr std::int32_t kAllClusterOperations =
    operation_bits({Operation::kCreate, Operation::kAlter, Operation::kDescribe, Operation::kClusterAction,
                    Operation::kDescribeConfigs, Operation::kAlterConfigs, Operation::kIdempotentWrite});
inline constexpr std::int32_t kAllGroupOperations =
    operation_bits({Operation::kRead, Operation::kDelete, Operation::kDescribe, Operation::kDescribeConfigs,
                    Operation::kAlterConfigs});

}  // namespace dohle::broker
