// ControllerApis: what the controller listener serves, from the bytes of a request to the bytes of its answer: the
// controller's own APIs, KRaft's, and Envelope (58), by which brokers forward what clients asked them. ApiVersions and
// authentication are the listener's own affair. Lives on the raft shard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <base/bytes.h>
#include <metadata/controller.h>
#include <metadata/loader.h>
#include <protocol/header.h>
#include <protocol/writer.h>
#include <raft/driver.h>
#include <runtime/fragment.h>
#include <runtime/task.h>

namespace dohle::metadata {

class ControllerApis {
 public:
  struct Surroundings {
    Controller& controller;
    raft::RaftNode& raft;
    MetadataLoader& loader;
  };
  // All must outlive this and its open requests.
  ControllerApis(std::string cluster_id, Surroundings around) : cluster_id_(std::move(cluster_id)), around_(around) {}

  struct Request {
    protocol::RequestHeader header;
    Bytes body;  // after the header; must live until the answer is there
    std::string principal = "User:ANONYMOUS";
    std::string listener;  // its name
    bool forwarded = false;
  };
  // Whether `handle` knows this API key; ApiVersions (18) is added by whoever owns the listener.
  [[nodiscard]] static bool serves(std::int16_t api_key);
  // The answer with its header, without the frame's length; finish_frame() makes it a frame. Nothing when the body does
  // not parse or the key is not served: the connection should be closed.
  [[nodiscard]] runtime::Task<std::optional<protocol::Writer>> handle(Request request);

 private:
  template <typename T>
  runtime::Task<std::optional<protocol::Writer>> to_controller(Request request);
  template <typename T>
  runtime::Task<std::optional<protocol::Writer>> to_raft(Request request);
  runtime::Task<std::optional<protocol::Writer>> envelope(Request request);
  [[nodiscard]] std::optional<protocol::Writer> describe_cluster(const Request& request) const;

  std::string cluster_id_;
  Surroundings around_;
};

}  // namespace dohle::metadata
