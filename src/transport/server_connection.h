// ServerConnection: one client connection. A coroutine reads frames and starts requests in order; answers are sent in
// order, those of a turn of the shard together. Own shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <runtime/network.h>
#include <transport/request.h>

#include "answer_order.h"
#include "baton.h"
#include "frame_input.h"
#include "shard_server.h"

namespace dohle::transport {

class ServerConnection final : public ConnectionContext, public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(ShardServer& server, std::unique_ptr<runtime::Connection> connection,
                   const ListenerOptions& listener, std::uint64_t number);
  ~ServerConnection() override;

  // Serves until the connection ends.
  [[nodiscard]] runtime::Task<void> run();
  // Why a line in the log is due, or empty when it is not.
  void close(std::string_view why = {});

  // How a frame's memory was got.
  struct Charge {
    Pool pool = Pool::kClients;
    std::uint64_t bytes = 0;  // 0: from the connection's own allowance
  };

  // From Request.
  void enqueued(std::uint64_t number);
  void complete(std::uint64_t number, runtime::Fragments answer, runtime::Duration throttle);
  void release(Charge charge);

  // From ShardServer: memory for the frame that waits is there.
  void admitted();
  // Its turn has come: sends what is ready, all of it at once.
  void send_answers();
  // Closes the connection when it has been idle, or silent inside a frame, for too long.
  void check_time(runtime::MonotonicTime now);
  // Buffers may have room for another request.
  void room_again();
  [[nodiscard]] ShardServer& server() { return *server_; }

 private:
  // What the reader waits for, if not for a frame.
  enum class Next : std::uint8_t { kFrame, kBytes, kMemory };
  [[nodiscard]] Result<Next> read_on();
  [[nodiscard]] bool get_memory(std::uint64_t bytes);
  void end(const Error& why);
  [[nodiscard]] Pool pool() const;
  [[nodiscard]] Error end_of_stream();
  [[nodiscard]] bool may_start() const;
  [[nodiscard]] bool has_room();
  [[nodiscard]] bool holds_others_up(runtime::MonotonicTime now);
  [[nodiscard]] Result<> start(Slice frame);
  [[nodiscard]] runtime::Task<void> send_rest(runtime::Fragments rest);
  void answers_sent(const Result<>& sent, runtime::MonotonicTime now);

  ShardServer* server_;
  std::unique_ptr<runtime::Connection> connection_;
  FrameInput input_;
  AnswerOrder answers_;
  Baton changed_;  // for the reader: memory, an enqueued request, a sent answer, the end
  std::optional<Charge> charge_;  // of the frame being read
  bool waiting_for_memory_ = false;
  Pool waiting_pool_ = Pool::kClients;
  bool allowance_used_ = false;
  std::size_t running_ = 0;          // requests not yet answered
  std::uint64_t last_enqueued_ = 0;  // number of the youngest request behind which the next may start
  std::uint64_t last_started_ = 0;
  std::size_t sending_count_ = 0;  // answers popped and not sent yet
  bool sending_ = false;
  runtime::MonotonicTime sending_since_;  // the answers that are being written
  bool waiting_for_room_ = false;
  std::size_t progress_bytes_ = 0;  // of the body, at progress_at_
  runtime::MonotonicTime progress_at_;
  bool is_closed_ = false;
  std::optional<runtime::MonotonicTime> muted_until_;
  runtime::MonotonicTime received_at_;  // the last bytes
  runtime::MonotonicTime last_active_;
};

}  // namespace dohle::transport
