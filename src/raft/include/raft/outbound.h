// Outbound: how RaftNode reaches other voters. The network comes with the cluster; a single voter needs none.
#pragma once

#include <base/buffer.h>
#include <base/result.h>
#include <protocol/messages/begin_quorum_epoch_request.h>
#include <protocol/messages/begin_quorum_epoch_response.h>
#include <protocol/messages/end_quorum_epoch_request.h>
#include <protocol/messages/end_quorum_epoch_response.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/messages/fetch_snapshot_request.h>
#include <protocol/messages/fetch_snapshot_response.h>
#include <protocol/messages/vote_request.h>
#include <protocol/messages/vote_response.h>
#include <runtime/network.h>
#include <runtime/task.h>

namespace dohle::raft {

// A response and the frame that its records lie in.
template <typename Response>
struct Answer {
  Response response;
  Slice frame;
};

// All calls on the raft shard. Each picks the version both sides know; it fails with kUnsupported when there is none,
// or when the peer's versions cannot carry what the request says (a pre-vote). No call may take longer than the request
// time-out of RaftConfig.
class Outbound {
 public:
  virtual ~Outbound() = default;
  template <typename Request>
  using Call = runtime::Task<Result<Answer<typename Request::Response>>>;

  [[nodiscard]] virtual Call<protocol::VoteRequest> call(runtime::Endpoint to, protocol::VoteRequest request) = 0;
  [[nodiscard]] virtual Call<protocol::BeginQuorumEpochRequest> call(runtime::Endpoint to,
                                                                     protocol::BeginQuorumEpochRequest request) = 0;
  [[nodiscard]] virtual Call<protocol::EndQuorumEpochRequest> call(runtime::Endpoint to,
                                                                   protocol::EndQuorumEpochRequest request) = 0;
  [[nodiscard]] virtual Call<protocol::FetchRequest> call(runtime::Endpoint to, protocol::FetchRequest request) = 0;
  [[nodiscard]] virtual Call<protocol::FetchSnapshotRequest> call(runtime::Endpoint to,
                                                                  protocol::FetchSnapshotRequest request) = 0;
};

}  // namespace dohle::raft
