// Request: one request of a client, from the socket to its answer. Lives on the shard of its connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <base/buffer.h>
#include <protocol/header.h>
#include <runtime/clock.h>
#include <runtime/fragment.h>
#include <runtime/network.h>
#include <runtime/sync.h>

namespace dohle::transport {

// What is known of a client connection; handlers may change what is marked so. Lives as long as any of its requests.
class ConnectionContext {
 public:
  virtual ~ConnectionContext() = default;
  // Something a handler wants to keep with the connection.
  class Attachment {
   public:
    virtual ~Attachment() = default;
  };

  [[nodiscard]] const std::string& listener() const { return listener_; }
  [[nodiscard]] const runtime::Endpoint& peer() const { return peer_; }
  // The address the client used to reach us.
  [[nodiscard]] const runtime::Endpoint& local() const { return local_; }
  // Unique in the process, with both addresses, as Kafka's: "127.0.0.1:9092-127.0.0.1:40000-7".
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] bool is_privileged() const { return privileged_; }
  // Stopped when the connection is closed: a parked request then need not wait any longer.
  [[nodiscard]] runtime::StopSource& closed() { return closed_; }

  // From the client's ApiVersions request; set by its handler.
  std::string client_software_name;
  std::string client_software_version;
  // Set by authentication.
  std::string principal = "User:ANONYMOUS";
  std::unique_ptr<Attachment> attachment;
  [[nodiscard]] bool is_authenticated() const { return authenticated_; }
  void set_authenticated() { authenticated_ = true; }

 protected:
  std::string listener_;
  runtime::Endpoint peer_;
  runtime::Endpoint local_;
  std::string id_;
  bool privileged_ = false;
  bool authenticated_ = false;
  runtime::StopSource closed_;
};

class ServerConnection;

// Exactly one of respond(), no_response() and close_connection() is called; a request that is dropped without closes
// its connection. The frame's memory counts against the admission budget until the Request is destroyed.
class Request {
 public:
  // How its connection let it in.
  struct Admitted {
    std::uint64_t number = 0;  // its place among the connection's requests
    std::uint8_t pool = 0;     // whose memory its frame has, and how much of it
    std::uint64_t bytes = 0;
    runtime::MonotonicTime received_at;
  };
  Request(std::shared_ptr<ServerConnection> connection, Admitted admitted, Slice frame, protocol::RequestHeader header,
          Bytes body);
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Its texts are views of frame().
  [[nodiscard]] const protocol::RequestHeader& header() const { return header_; }
  // Everything after the length; body() is a view of the part after the header.
  [[nodiscard]] const Slice& frame() const { return frame_; }
  [[nodiscard]] Bytes body() const { return body_; }
  [[nodiscard]] ConnectionContext& connection() const;
  // When the frame was complete.
  [[nodiscard]] runtime::MonotonicTime received_at() const { return admitted_.received_at; }

  // The first stage is done: the connection's next request may start without overtaking this one. Answering implies it.
  void enqueued();
  // The whole answer as protocol::Writer::finish_frame gives it: length, header, body. Leaves after the answers before
  // it. With a throttle time, no further request of the connection is started until that has passed (KIP-219).
  void respond(runtime::Fragments frame, runtime::Duration throttle = {});
  // For acks=0.
  void no_response(runtime::Duration throttle = {});
  // Closes the connection, with one line in the log that names the peer and says `why`.
  void close_connection(std::string_view why);

 private:
  runtime::Gate::Pass pass_;  // first, so that it goes last: then the server may end
  std::shared_ptr<ServerConnection> connection_;
  Admitted admitted_;
  Slice frame_;
  protocol::RequestHeader header_;
  Bytes body_;
  bool enqueued_ = false;
  bool answered_ = false;
};

// What the server gives requests to; one per shard.
class RequestSink {
 public:
  virtual ~RequestSink() = default;
  // Started as soon as the request before it on the connection is enqueued.
  [[nodiscard]] virtual runtime::Task<void> handle(std::unique_ptr<Request> request) = 0;
};

}  // namespace dohle::transport
