#include "core/append_error.h"

namespace dohle::coordinator {

using protocol::ErrorCode;

ErrorCode append_error(Errc code) {
  switch (code) {
    case Errc::kNotLeader:
    case Errc::kFencedEpoch:
    case Errc::kUnknownEpoch:
    case Errc::kClosed:
    case Errc::kCancelled:
      return ErrorCode::kNotLeaderOrFollower;
    case Errc::kStorage:
    case Errc::kNoSpace:
    case Errc::kIo:
      return ErrorCode::kKafkaStorageError;
    case Errc::kUnknownTopicOrPartition:
    case Errc::kNotFound:
      return ErrorCode::kUnknownTopicOrPartition;
    case Errc::kTimedOut:
      return ErrorCode::kRequestTimedOut;
    case Errc::kRecordTooLarge:
      return ErrorCode::kMessageTooLarge;
    case Errc::kRecordListTooLarge:
      return ErrorCode::kRecordListTooLarge;
    default:
      return ErrorCode::kUnknownServerError;
  }
}

ErrorCode operation_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::kNetworkException:
      return ErrorCode::kCoordinatorLoadInProgress;
    case ErrorCode::kUnknownTopicOrPartition:
    case ErrorCode::kNotEnoughReplicas:
    case ErrorCode::kRequestTimedOut:
      return ErrorCode::kCoordinatorNotAvailable;
    case ErrorCode::kNotLeaderOrFollower:
    case ErrorCode::kKafkaStorageError:
      return ErrorCode::kNotCoordinator;
    case ErrorCode::kMessageTooLarge:
    case ErrorCode::kRecordListTooLarge:
    case ErrorCode::kInvalidFetchSize:
      return ErrorCode::kUnknownServerError;
    default:
      return error;
  }
}

}  // namespace dohle::coordinator
