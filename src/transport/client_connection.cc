#include <transport/client_connection.h>

#include <algorithm>
#include <deque>
#include <optional>

#include <base/check.h>
#include <fmt/format.h>
#include <protocol/api_table.h>

#include "frame_input.h"

namespace dohle::transport {

using runtime::Task;

// What a connection is made of; its coroutines hold it, so that its owner may go at any time.
class ClientConnection::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(runtime::Shard& shard, std::unique_ptr<runtime::Connection> connection, ClientOptions options)
      : shard_(&shard),
        connection_(std::move(connection)),
        options_(std::move(options)),
        scratch_(kScratchBytes),
        input_(*connection_, scratch_, options_.max_response_bytes) {}

  void start() { spawn(read(gate_.enter())); }
  [[nodiscard]] Task<Result<Slice>> exchange(Outgoing request, runtime::Duration timeout);
  [[nodiscard]] Task<Result<>> send_only(Outgoing request);
  // Ends the connection; what is under way fails with `error`.
  void end(Error error);

  [[nodiscard]] bool is_closed() const { return error_.has_value(); }
  [[nodiscard]] runtime::StopSource& closed() { return closed_; }
  [[nodiscard]] runtime::Gate& gate() { return gate_; }
  [[nodiscard]] const runtime::Connection& connection() const { return *connection_; }
  [[nodiscard]] std::size_t in_flight() const { return pending_.size(); }
  [[nodiscard]] std::int32_t next_correlation_id() { return next_correlation_id_++; }
  [[nodiscard]] const std::string& client_id() const { return options_.client_id; }

 private:
  struct Pending {
    std::int16_t api_key;
    std::int16_t version;
    std::int32_t correlation_id;
    runtime::TimerId timer;
    runtime::Promise<Result<Slice>> answer;
  };
  void enqueue(runtime::Fragments frame);
  [[nodiscard]] Task<void> send(runtime::Gate::Pass pass);
  [[nodiscard]] Task<void> read(runtime::Gate::Pass pass);
  [[nodiscard]] Result<> take_answer(const Slice& frame);
  void time_out(std::int32_t correlation_id, runtime::Duration timeout);

  runtime::Shard* shard_;
  std::unique_ptr<runtime::Connection> connection_;
  ClientOptions options_;
  ReadScratch scratch_;
  FrameInput input_;
  std::int32_t next_correlation_id_ = 0;
  std::deque<Pending> pending_;  // in the order they were sent, which is that of their answers
  runtime::Fragments outgoing_;
  bool sending_ = false;
  std::deque<runtime::Promise<Result<>>> sent_waiters_;  // of send_only: told when outgoing_ is sent
  std::optional<Error> error_;                           // set when closed
  runtime::StopSource closed_;
  runtime::Gate gate_;
};

Task<Result<Slice>> ClientConnection::Core::exchange(Outgoing request, runtime::Duration timeout) {
  const auto self = shared_from_this();
  if (error_) co_return fail(Errc::kClosed, error_->message);
  if (!request.unsupported_field.empty()) {
    co_return fail(Errc::kUnsupported, fmt::format("version {} has no {}", request.version, request.unsupported_field));
  }
  runtime::Promise<Result<Slice>> promise;
  auto answer = promise.future();
  const auto timer = shard_->executor().start_timer(
      timeout, [self, id = request.correlation_id, timeout] { self->time_out(id, timeout); });
  pending_.push_back({request.api_key, request.version, request.correlation_id, timer, std::move(promise)});
  enqueue(std::move(request.frame));
  co_return co_await answer;
}

Task<Result<>> ClientConnection::Core::send_only(Outgoing request) {
  const auto self = shared_from_this();
  if (error_) co_return fail(Errc::kClosed, error_->message);
  if (!request.unsupported_field.empty()) {
    co_return fail(Errc::kUnsupported, fmt::format("version {} has no {}", request.version, request.unsupported_field));
  }
  auto& waiter = sent_waiters_.emplace_back();
  auto sent = waiter.future();
  enqueue(std::move(request.frame));
  co_return co_await sent;
}

void ClientConnection::Core::enqueue(runtime::Fragments frame) {
  std::ranges::move(frame, std::back_inserter(outgoing_));
  if (!std::exchange(sending_, true)) spawn(send(gate_.enter()));
}

// Sends what has gathered, all of it at once, until there is no more.
Task<void> ClientConnection::Core::send(runtime::Gate::Pass pass) {
  const auto self = shared_from_this();
  const auto inside = std::move(pass);
  co_await runtime::yield();
  while (!outgoing_.empty() && !error_) {
    auto waiters = std::exchange(sent_waiters_, {});
    const auto sent = co_await connection_->write(std::exchange(outgoing_, {}));
    for (auto& waiter : waiters) waiter.set(sent);
    if (!sent) end(sent.error());
  }
  sending_ = false;
}

Result<> ClientConnection::Core::take_answer(const Slice& frame) {
  if (pending_.empty()) return fail(Errc::kMalformed, "an answer to no request");
  Reader reader(frame.bytes());
  auto header = protocol::ResponseHeader::decode(reader, pending_.front().api_key, pending_.front().version);
  if (!header) return fail(std::move(header).error());
  if (header->correlation_id != pending_.front().correlation_id) {
    return fail(Errc::kMalformed, fmt::format("an answer to request {} where that to {} was due",
                                              header->correlation_id, pending_.front().correlation_id));
  }
  Pending pending = std::move(pending_.front());
  pending_.pop_front();
  shard_->executor().cancel_timer(pending.timer);
  pending.answer.set(frame.sub(reader.rest()));
  return {};
}

Task<void> ClientConnection::Core::read(runtime::Gate::Pass pass) {
  const auto self = shared_from_this();
  const auto inside = std::move(pass);
  while (!error_) {
    const auto step = input_.step();
    if (!step) {
      end(step.error());
    } else if (*step == FrameInput::Step::kSize) {
      input_.splitter().begin_body();
    } else if (*step == FrameInput::Step::kFrame) {
      if (auto taken = take_answer(input_.take_frame()); !taken) end(std::move(taken).error());
    } else {
      auto got = input_.pull();
      if (got && *got == 0) {
        const auto readable = co_await connection_->wait_readable();
        if (!readable) got = fail(readable.error());
      }
      if (!got) end({got.error().code, connection_->peer().to_string() + ": " + got.error().message});
    }
  }
}

void ClientConnection::Core::time_out(std::int32_t correlation_id, runtime::Duration timeout) {
  const auto at = std::ranges::find(pending_, correlation_id, &Pending::correlation_id);
  if (at == pending_.end()) return;
  const auto* info = protocol::find_api(at->api_key);
  const auto name = info != nullptr ? info->name : std::string_view("request");
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  auto text = fmt::format("{} had no answer from {} within {} ms", name, connection_->peer().to_string(), ms);
  auto answer = std::move(at->answer);
  pending_.erase(at);
  answer.set(fail(Errc::kTimedOut, text));
  end({Errc::kClosed, std::move(text)});
}

void ClientConnection::Core::end(Error error) {
  if (error_) return;
  error_ = std::move(error);
  const auto self = shared_from_this();
  connection_->close();
  for (auto& pending : std::exchange(pending_, {})) {
    shard_->executor().cancel_timer(pending.timer);
    pending.answer.set(fail(Errc::kClosed, error_->message));
  }
  for (auto& waiter : std::exchange(sent_waiters_, {})) waiter.set(fail(Errc::kClosed, error_->message));
  closed_.stop();
}

Task<Result<std::unique_ptr<ClientConnection>>> ClientConnection::connect(runtime::Shard& shard,
                                                                          runtime::Endpoint endpoint,
                                                                          ClientOptions options) {
  DOHLE_CO_ASSIGN(auto connection, co_await shard.network().connect(std::move(endpoint), options.connect_timeout));
  auto core = std::make_shared<Core>(shard, std::move(connection), std::move(options));
  core->start();
  co_return std::unique_ptr<ClientConnection>(new ClientConnection(std::move(core)));
}

ClientConnection::ClientConnection(std::shared_ptr<Core> core) : core_(std::move(core)) {}
ClientConnection::~ClientConnection() { core_->end({Errc::kClosed, "connection closed"}); }

protocol::RequestHeader ClientConnection::next_header(std::int16_t api_key, std::int16_t version) {
  protocol::RequestHeader header;
  header.api_key = api_key;
  header.api_version = version;
  header.correlation_id = core_->next_correlation_id();
  header.client_id = Text::view(core_->client_id());
  return header;
}

Task<Result<Slice>> ClientConnection::exchange(Outgoing request, runtime::Duration timeout) {
  return core_->exchange(std::move(request), timeout);
}

Task<Result<>> ClientConnection::send(Outgoing request) { return core_->send_only(std::move(request)); }

Task<void> ClientConnection::close() {
  const auto core = core_;
  core->end({Errc::kClosed, "connection closed"});
  co_await core->gate().wait_empty();
}

bool ClientConnection::is_closed() const { return core_->is_closed(); }
runtime::StopSource& ClientConnection::closed() { return core_->closed(); }
const runtime::Endpoint& ClientConnection::peer() const { return core_->connection().peer(); }
const runtime::Endpoint& ClientConnection::local() const { return core_->connection().local(); }
std::size_t ClientConnection::in_flight() const { return core_->in_flight(); }

}  // namespace dohle::transport
