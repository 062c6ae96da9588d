#include <protocol/error_map.h>

namespace dohle::protocol {
namespace {

ErrorCode by_family(ErrorFamily family, ErrorCode partition, ErrorCode coordinator, ErrorCode controller) {
  switch (family) {
    case ErrorFamily::kPartition:
      return partition;
    case ErrorFamily::kCoordinator:
      return coordinator;
    case ErrorFamily::kController:
      return controller;
  }
  return ErrorCode::kUnknownServerError;
}

}  // namespace

// No default: a new Errc does not compile until it has its code here.
ErrorCode error_code_of(Errc code, ErrorFamily family) {
  using enum ErrorCode;
  const auto by = [family](ErrorCode partition, ErrorCode coordinator, ErrorCode controller) {
    return by_family(family, partition, coordinator, controller);
  };
  // clang-format off: a table
  switch (code) {
    case Errc::kMalformed: return by(kCorruptMessage, kInvalidRequest, kInvalidRequest);
    case Errc::kCorrupt: return by(kCorruptMessage, kUnknownServerError, kUnknownServerError);
    case Errc::kInvalidRecord: return by(kInvalidRecord, kUnknownServerError, kUnknownServerError);
    case Errc::kInvalidTimestamp: return by(kInvalidTimestamp, kUnknownServerError, kUnknownServerError);
    case Errc::kUnsupportedFormat: return kUnsupportedForMessageFormat;
    case Errc::kUnsupportedCompression: return kUnsupportedCompressionType;
    case Errc::kRecordTooLarge: return by(kMessageTooLarge, kUnknownServerError, kUnknownServerError);
    case Errc::kRecordListTooLarge: return by(kRecordListTooLarge, kUnknownServerError, kUnknownServerError);
    case Errc::kOffsetOutOfRange: return kOffsetOutOfRange;
    case Errc::kOutOfOrderSequence: return kOutOfOrderSequenceNumber;
    case Errc::kInvalidProducerEpoch: return kInvalidProducerEpoch;
    case Errc::kUnknownProducerId: return kUnknownProducerId;
    case Errc::kDuplicateSequence: return kDuplicateSequenceNumber;
    case Errc::kNotLeader: return by(kNotLeaderOrFollower, kNotCoordinator, kNotController);
    case Errc::kNotEnoughReplicas: return by(kNotEnoughReplicas, kCoordinatorNotAvailable, kUnknownServerError);
    case Errc::kFencedEpoch: return by(kFencedLeaderEpoch, kNotCoordinator, kNotController);
    case Errc::kUnknownEpoch: return by(kUnknownLeaderEpoch, kNotCoordinator, kNotController);
    case Errc::kUnknownTopicOrPartition: return by(kUnknownTopicOrPartition, kCoordinatorNotAvailable, kUnknownTopicOrPartition);
    case Errc::kUnknownTopicId: return by(kUnknownTopicId, kCoordinatorNotAvailable, kUnknownTopicId);
    case Errc::kInconsistentTopicId: return kInconsistentTopicId;
    case Errc::kInvalidRequest: return kInvalidRequest;
    case Errc::kInvalidConfig: return kInvalidConfig;
    case Errc::kStorage:
    case Errc::kNoSpace:
    case Errc::kIo:
    case Errc::kLocked: return by(kKafkaStorageError, kNotCoordinator, kUnknownServerError);
    case Errc::kNotFound: return by(kUnknownTopicOrPartition, kGroupIdNotFound, kResourceNotFound);
    case Errc::kAlreadyExists: return by(kDuplicateResource, kDuplicateResource, kTopicAlreadyExists);
    case Errc::kPermissionDenied: return by(kTopicAuthorizationFailed, kGroupAuthorizationFailed, kClusterAuthorizationFailed);
    case Errc::kClosed:
    case Errc::kCancelled: return by(kNotLeaderOrFollower, kCoordinatorNotAvailable, kNotController);
    case Errc::kTimedOut: return by(kRequestTimedOut, kCoordinatorNotAvailable, kRequestTimedOut);
    case Errc::kUnsupported: return kUnsupportedVersion;
    case Errc::kUndecodable:
    case Errc::kWouldBlock:
    case Errc::kAddressInUse:
    case Errc::kInternal: return kUnknownServerError;
  }
  // clang-format on
  return kUnknownServerError;
}

}  // namespace dohle::protocol
