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
  switch (code) {
    case Errc::kMalformed:
      return by_family(family, kCorruptMessage, kInvalidRequest, kInvalidRequest);
    case Errc::kCorrupt:
      return by_family(family, kCorruptMessage, kUnknownServerError, kUnknownServerError);
    case Errc::kInvalidRecord:
      return by_family(family, kInvalidRecord, kUnknownServerError, kUnknownServerError);
    case Errc::kInvalidTimestamp:
      return by_family(family, kInvalidTimestamp, kUnknownServerError, kUnknownServerError);
    case Errc::kUnsupportedFormat:
      return kUnsupportedForMessageFormat;
    case Errc::kUnsupportedCompression:
      return kUnsupportedCompressionType;
    case Errc::kRecordTooLarge:
      return by_family(family, kMessageTooLarge, kUnknownServerError, kUnknownServerError);
    case Errc::kRecordListTooLarge:
      return by_family(family, kRecordListTooLarge, kUnknownServerError, kUnknownServerError);
    case Errc::kOffsetOutOfRange:
      return kOffsetOutOfRange;
    case Errc::kOutOfOrderSequence:
      return kOutOfOrderSequenceNumber;
    case Errc::kInvalidProducerEpoch:
      return kInvalidProducerEpoch;
    case Errc::kUnknownProducerId:
      return kUnknownProducerId;
    case Errc::kDuplicateSequence:
      return kDuplicateSequenceNumber;
    case Errc::kNotLeader:
      return by_family(family, kNotLeaderOrFollower, kNotCoordinator, kNotController);
    case Errc::kNotEnoughReplicas:
      return by_family(family, kNotEnoughReplicas, kCoordinatorNotAvailable, kUnknownServerError);
    case Errc::kFencedEpoch:
      return by_family(family, kFencedLeaderEpoch, kNotCoordinator, kNotController);
    case Errc::kUnknownEpoch:
      return by_family(family, kUnknownLeaderEpoch, kNotCoordinator, kNotController);
    case Errc::kUnknownTopicOrPartition:
      return by_family(family, kUnknownTopicOrPartition, kCoordinatorNotAvailable, kUnknownTopicOrPartition);
    case Errc::kUnknownTopicId:
      return by_family(family, kUnknownTopicId, kCoordinatorNotAvailable, kUnknownTopicId);
    case Errc::kInconsistentTopicId:
      return kInconsistentTopicId;
    case Errc::kInvalidRequest:
      return kInvalidRequest;
    case Errc::kInvalidConfig:
      return kInvalidConfig;
    case Errc::kStorage:
    case Errc::kNoSpace:
    case Errc::kIo:
    case Errc::kLocked:
      return by_family(family, kKafkaStorageError, kNotCoordinator, kUnknownServerError);
    case Errc::kNotFound:
      return by_family(family, kUnknownTopicOrPartition, kGroupIdNotFound, kResourceNotFound);
    case Errc::kAlreadyExists:
      return by_family(family, kDuplicateResource, kDuplicateResource, kTopicAlreadyExists);
    case Errc::kPermissionDenied:
      return by_family(family, kTopicAuthorizationFailed, kGroupAuthorizationFailed, kClusterAuthorizationFailed);
    case Errc::kClosed:
    case Errc::kCancelled:
      return by_family(family, kNotLeaderOrFollower, kCoordinatorNotAvailable, kNotController);
    case Errc::kTimedOut:
      return by_family(family, kRequestTimedOut, kCoordinatorNotAvailable, kRequestTimedOut);
    case Errc::kUnsupported:
      return kUnsupportedVersion;
    case Errc::kUndecodable:
    case Errc::kWouldBlock:
    case Errc::kAddressInUse:
    case Errc::kInternal:
      return kUnknownServerError;
  }
  return kUnknownServerError;
}

}  // namespace dohle::protocol
