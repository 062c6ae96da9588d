// ClientConnection: an outgoing connection: requests in, answers matched, many at a time. Used by the client library
// and between brokers and controllers. One shard.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <base/buffer.h>
#include <base/reader.h>
#include <base/result.h>
#include <protocol/header.h>
#include <protocol/writer.h>
#include <runtime/fragment.h>
#include <runtime/network.h>
#include <runtime/shard.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::transport {

struct ClientOptions {
  std::string client_id;
  runtime::Duration connect_timeout = std::chrono::seconds(10);  // socket.connection.setup.timeout.ms
  std::uint32_t max_response_bytes = 512U << 20U;
};

// An answer: the message views `bytes`.
template <typename M>
struct Reply {
  Slice bytes;
  typename M::Response message;
};

class ClientConnection {
 public:
  // kNotFound, kClosed or kTimedOut when there is no connection to be had.
  [[nodiscard]] static runtime::Task<Result<std::unique_ptr<ClientConnection>>> connect(runtime::Shard& shard,
                                                                                        runtime::Endpoint endpoint,
                                                                                        ClientOptions options);
  ~ClientConnection();  // closes, without waiting
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // Sends `request` and waits for its answer; requests are sent in the order these tasks are started. Without an answer
  // within `timeout` the connection is closed: kTimedOut for this request, kClosed for the others under way.
  // kUnsupported when `version` cannot carry what the request says. The request is encoded before this returns.
  template <typename M>
  [[nodiscard]] runtime::Task<Result<Reply<M>>> call(const M& request, std::int16_t version,
                                                     runtime::Duration timeout) {
    return decode_reply<M>(exchange(encode(request, version), timeout), version);
  }
  // The same, with the answer's body not decoded.
  template <typename M>
  [[nodiscard]] runtime::Task<Result<Slice>> call_undecoded(const M& request, std::int16_t version,
                                                            runtime::Duration timeout) {
    return exchange(encode(request, version), timeout);
  }
  // For requests that have no answer (Produce with acks=0): waits until it is handed to the system.
  template <typename M>
  [[nodiscard]] runtime::Task<Result<>> send_only(const M& request, std::int16_t version) {
    return send(encode(request, version));
  }

  // Fails what is under way with kClosed, and waits until nothing of this connection runs.
  [[nodiscard]] runtime::Task<void> close();
  [[nodiscard]] bool is_closed() const;
  // Stopped when the connection ends, whoever ends it.
  [[nodiscard]] runtime::StopSource& closed();
  [[nodiscard]] const runtime::Endpoint& peer() const;
  [[nodiscard]] const runtime::Endpoint& local() const;
  // Requests without answer yet.
  [[nodiscard]] std::size_t in_flight() const;

 private:
  class Core;
  struct Outgoing {
    std::int16_t api_key = 0;
    std::int16_t version = 0;
    std::int32_t correlation_id = 0;
    runtime::Fragments frame;
    std::string_view unsupported_field;  // not empty: the version cannot carry it
  };

  explicit ClientConnection(std::shared_ptr<Core> core);
  [[nodiscard]] protocol::RequestHeader next_header(std::int16_t api_key, std::int16_t version);
  [[nodiscard]] runtime::Task<Result<Slice>> exchange(Outgoing request, runtime::Duration timeout);
  [[nodiscard]] runtime::Task<Result<>> send(Outgoing request);

  template <typename M>
  [[nodiscard]] Outgoing encode(const M& request, std::int16_t version) {
    protocol::Writer writer;
    const auto header = next_header(M::kApiKey, version);
    header.encode(writer);
    request.encode(writer, version);
    const char* dropped = writer.dropped();
    return {M::kApiKey, version, header.correlation_id, writer.finish_frame(), dropped != nullptr ? dropped : ""};
  }
  template <typename M>
  static runtime::Task<Result<Reply<M>>> decode_reply(runtime::Task<Result<Slice>> answer, std::int16_t version) {
    DOHLE_CO_ASSIGN(Slice bytes, co_await std::move(answer));
    Reader reader(bytes.bytes());
    DOHLE_CO_ASSIGN(auto message, M::Response::decode(reader, version));
    co_return Reply<M>{std::move(bytes), std::move(message)};
  }

  std::shared_ptr<Core> core_;
};

}  // namespace dohle::transport
