#include "server_connection.h"

#include <algorithm>

#include <base/check.h>
#include <base/log.h>
#include <base/reader.h>
#include <runtime/sync.h>

namespace dohle::transport {

using runtime::Task;

ServerConnection::ServerConnection(ShardServer& server, std::unique_ptr<runtime::Connection> connection,
                                   const ListenerOptions& listener, std::uint64_t number)
    : server_(&server),
      connection_(std::move(connection)),
      input_(*connection_, server.scratch(), server.options().max_frame_bytes),
      last_active_(server.now()) {
  listener_ = listener.name;
  peer_ = connection_->peer();
  local_ = connection_->local();
  id_ = fmt::format("{}-{}-{}", local_.to_string(), peer_.to_string(), number);
  privileged_ = listener.privileged;
  authenticated_ = listener.authenticated;
}

ServerConnection::~ServerConnection() { DOHLE_CHECK(running_ == 0); }

Pool ServerConnection::pool() const {
  if (!authenticated_) return Pool::kUnauthenticated;
  return privileged_ ? Pool::kPrivileged : Pool::kClients;
}

void ServerConnection::close(std::string_view why) {
  if (std::exchange(is_closed_, true)) return;
  if (!why.empty()) log::warn("transport", "closed the connection of {} on {}: {}", peer_.to_string(), listener_, why);
  connection_->close();
  closed_.stop();
  changed_.pass();
}

void ServerConnection::admitted() {
  waiting_for_memory_ = false;
  charge_ = {waiting_pool_, input_.splitter().size()};
  changed_.pass();
}

bool ServerConnection::get_memory(std::uint64_t bytes) {
  if (bytes <= server_->options().allowance_bytes && !allowance_used_) {
    allowance_used_ = true;
    charge_ = {pool(), 0};
    return true;
  }
  waiting_pool_ = pool();
  waiting_for_memory_ = !server_->admit(waiting_pool_, bytes, *this);
  if (!waiting_for_memory_) charge_ = {waiting_pool_, bytes};
  return !waiting_for_memory_;
}

void ServerConnection::release(Charge charge) {
  if (charge.bytes == 0) {
    allowance_used_ = false;
  } else {
    server_->release(charge.pool, charge.bytes);
  }
}

// One between two frames is nobody's fault.
Error ServerConnection::end_of_stream() {
  if (!input_.splitter().in_frame() || is_closed_) return {Errc::kClosed, {}};
  return {Errc::kMalformed, "the connection ended inside a frame"};
}

// To the next frame, or until something has to be waited for.
Result<ServerConnection::Next> ServerConnection::read_on() {
  for (;;) {
    input_.splitter().set_max_frame_bytes(server_->largest_frame(pool()));
    DOHLE_ASSIGN(const auto step, input_.step());
    if (step == FrameInput::Step::kFrame) return Next::kFrame;
    // A peer that says a size and then nothing gets no memory.
    if (step == FrameInput::Step::kSize && (input_.has_pending() || input_.splitter().size() == 0)) {
      if (!charge_ && !get_memory(input_.splitter().size())) return Next::kMemory;
      progress_at_ = last_active_;
      progress_bytes_ = 0;
      input_.splitter().begin_body();
      continue;
    }
    const auto got = input_.pull();
    if (!got) return fail(end_of_stream());
    if (*got == 0) return Next::kBytes;
    received_at_ = last_active_ = server_->now();
  }
}

bool ServerConnection::may_start() const {
  return last_enqueued_ == last_started_ && answers_.open() + sending_count_ < server_->options().max_in_flight &&
         (!muted_until_ || *muted_until_ <= server_->now());
}

bool ServerConnection::has_room() {
  const bool has_answers = answers_.open() + sending_count_ > 0;
  if (has_answers ? server_->has_room_beside_answers() : server_->has_room()) return true;
  if (!std::exchange(waiting_for_room_, true)) server_->wait_for_room(*this);
  return false;
}

void ServerConnection::room_again() {
  waiting_for_room_ = false;
  changed_.pass();
}

Result<> ServerConnection::start(Slice frame) {
  Reader reader(frame.bytes());
  auto header = protocol::RequestHeader::decode(reader);
  if (!header || !reader.ok()) {
    return fail(Errc::kMalformed, header ? "a request header that does not parse" : header.error().message);
  }
  const Bytes body = reader.rest();
  last_started_ = answers_.begin();
  ++running_;
  const Charge charge = *std::exchange(charge_, std::nullopt);
  auto request = std::make_unique<Request>(shared_from_this(),
                                           Request::Admitted{.number = last_started_,
                                                             .pool = static_cast<std::uint8_t>(charge.pool),
                                                             .bytes = charge.bytes,
                                                             .received_at = received_at_},
                                           std::move(frame), std::move(*header), body);
  spawn(server_->sink().handle(std::move(request)));
  return {};
}

void ServerConnection::end(const Error& why) {
  if (waiting_for_memory_) server_->give_up_waiting(waiting_pool_, *this);
  waiting_for_memory_ = false;
  if (charge_) release(*std::exchange(charge_, std::nullopt));
  close(why.message);
}

Task<void> ServerConnection::run() {
  const Error closed{Errc::kClosed, {}};
  for (;;) {
    const auto next = read_on();
    if (!next) co_return end(next.error());
    if (*next == Next::kBytes) {
      const auto readable = co_await connection_->wait_readable();
      if (!readable) co_return end(end_of_stream());
      continue;
    }
    if (*next == Next::kMemory) {
      input_.keep_pending();
      while (waiting_for_memory_ && !is_closed_) co_await changed_.wait();
      if (is_closed_) co_return end(closed);
      last_active_ = server_->now();
      continue;
    }
    Slice frame = input_.take_frame();
    if (!may_start() || !has_room()) {
      input_.keep_pending();
      while (!(may_start() && has_room()) && !is_closed_) co_await changed_.wait();
      last_active_ = server_->now();
    }
    if (is_closed_) co_return end(closed);
    if (const auto started = start(std::move(frame)); !started) co_return end(started.error());
  }
}

void ServerConnection::enqueued(std::uint64_t number) {
  DOHLE_CHECK(number == last_started_);
  last_enqueued_ = number;
  changed_.pass();
}

void ServerConnection::complete(std::uint64_t number, runtime::Fragments answer, runtime::Duration throttle) {
  --running_;
  answers_.complete(number, std::move(answer));
  if (throttle > runtime::Duration{0}) {
    const auto until = server_->now() + throttle;
    muted_until_ = std::max(muted_until_.value_or(until), until);
    runtime::Executor::current()->start_timer(throttle, [self = shared_from_this()] { self->changed_.pass(); });
  }
  if (answers_.ready() && !std::exchange(sending_, true)) server_->send_soon(shared_from_this());
}

void ServerConnection::send_answers() {
  runtime::Fragments all;
  while (auto answer = answers_.pop()) {
    ++sending_count_;
    if (all.empty()) {
      all = std::move(*answer);
    } else {
      std::ranges::move(*answer, std::back_inserter(all));
    }
  }
  sending_since_ = server_->now();
  if (is_closed_ || all.empty()) return answers_sent({}, sending_since_);
  const auto sent = connection_->write_now(all);
  if (sent && !*sent) return spawn(send_rest(std::move(all)));
  answers_sent(sent ? Result<>{} : fail(sent.error()), sending_since_);
}

Task<void> ServerConnection::send_rest(runtime::Fragments rest) {
  const auto self = shared_from_this();
  const auto inside = server_->gate().enter();
  const auto sent = co_await connection_->write(std::move(rest));
  answers_sent(sent, server_->now());
}

void ServerConnection::answers_sent(const Result<>& sent, runtime::MonotonicTime now) {
  if (sent) last_active_ = now;
  if (!sent) close(sent.error().code == Errc::kClosed ? std::string_view() : sent.error().message);
  sending_count_ = 0;
  changed_.pass();
  sending_ = answers_.ready();
  if (sending_) server_->send_soon(shared_from_this());
}

// A frame that others wait for has to come with so many bytes in each contended_timeout.
bool ServerConnection::holds_others_up(runtime::MonotonicTime now) {
  constexpr std::size_t kLeastProgress = 16U << 10U;
  const std::size_t got = input_.splitter().body_bytes();
  if (!server_->is_contended(charge_->pool) || got >= progress_bytes_ + kLeastProgress) {
    progress_bytes_ = got;
    progress_at_ = now;
  }
  return now - progress_at_ > server_->options().contended_timeout;
}

void ServerConnection::check_time(runtime::MonotonicTime now) {
  const auto silent = now - last_active_;
  const ServerOptions& options = server_->options();
  if (input_.splitter().in_frame() && !waiting_for_memory_ && silent > options.body_timeout) {
    close("silent inside a frame");
  } else if (input_.splitter().in_body() && holds_others_up(now)) {
    close("too slow inside a frame, with others waiting for its memory");
  } else if (sending_count_ > 0 && !server_->has_room() && now - sending_since_ > options.contended_timeout) {
    close("does not take its answers, with no memory left for others");
  } else if (running_ == 0 && silent > options.max_idle) {
    log::debug("transport", "closed the idle connection of {}", peer_.to_string());
    close();
  }
}

}  // namespace dohle::transport
