#include <base/result.h>

namespace dohle {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::kMalformed: return "malformed";
    case Errc::kCorrupt: return "corrupt";
    case Errc::kInvalidRecord: return "invalid record";
    case Errc::kInvalidTimestamp: return "invalid timestamp";
    case Errc::kUnsupportedFormat: return "unsupported format";
    case Errc::kUnsupportedCompression: return "unsupported compression";
    case Errc::kUndecodable: return "undecodable";
    case Errc::kRecordTooLarge: return "record too large";
    case Errc::kRecordListTooLarge: return "record list too large";
    case Errc::kOffsetOutOfRange: return "offset out of range";
    case Errc::kOutOfOrderSequence: return "out of order sequence";
    case Errc::kInvalidProducerEpoch: return "invalid producer epoch";
    case Errc::kUnknownProducerId: return "unknown producer id";
    case Errc::kDuplicateSequence: return "duplicate sequence";
    case Errc::kNotLeader: return "not leader";
    case Errc::kNotEnoughReplicas: return "not enough replicas";
    case Errc::kFencedEpoch: return "fenced epoch";
    case Errc::kUnknownEpoch: return "unknown epoch";
    case Errc::kUnknownTopicOrPartition: return "unknown topic or partition";
    case Errc::kUnknownTopicId: return "unknown topic id";
    case Errc::kInconsistentTopicId: return "inconsistent topic id";
    case Errc::kInvalidRequest: return "invalid request";
    case Errc::kInvalidConfig: return "invalid configuration";
    case Errc::kStorage: return "storage";
    case Errc::kNoSpace: return "no space";
    case Errc::kIo: return "input/output";
    case Errc::kWouldBlock: return "would block";
    case Errc::kNotFound: return "not found";
    case Errc::kAlreadyExists: return "already exists";
    case Errc::kPermissionDenied: return "permission denied";
    case Errc::kLocked: return "locked";
    case Errc::kAddressInUse: return "address in use";
    case Errc::kClosed: return "closed";
    case Errc::kCancelled: return "cancelled";
    case Errc::kTimedOut: return "timed out";
    case Errc::kUnsupported: return "unsupported";
    case Errc::kInternal: return "internal";
  }
  return "unknown";
}

}  // namespace dohle
