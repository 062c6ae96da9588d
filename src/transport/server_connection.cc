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
  changed_.pass();
}

Task<bool> ServerConnection::get_memory(std::uint64_t bytes) {
  if (bytes <= server_->options().allowance_bytes && !allowance_used_) {
    allowance_used_ = true;
    charge_ = {pool(), 0};
    co_return true;
  }
  waiting_pool_ = pool();
  waiting_for_memory_ = !server_->admit(waiting_pool_, bytes, *this);
  if (waiting_for_memory_) input_.keep_pending();
  while (waiting_for_memory_ && !is_closed_) co_await changed_.wait();
  if (waiting_for_memory_) {
    server_->give_up_waiting(waiting_pool_, *this);
    waiting_for_memory_ = false;
    co_return false;
  }
  charge_ = {waiting_pool_, bytes};
  if (!is_closed_) co_return true;
  server_->release(charge_.pool, charge_.bytes);
  co_return false;
}

void ServerConnection::release(Pool pool, std::uint64_t bytes) {
  if (bytes == 0) {
    allowance_used_ = false;
  } else {
    server_->release(pool, bytes);
  }
}

// The next frame, its memory in charge_. kClosed at an end that is nobody's fault.
Task<Result<Slice>> ServerConnection::next_frame() {
  bool charged = false;
  for (;;) {
    input_.splitter().set_max_frame_bytes(server_->largest_frame(pool()));
    const auto step = input_.step();
    if (!step) co_return fail(step.error());
    if (*step == FrameInput::Step::kFrame) co_return input_.take_frame();
    if (*step == FrameInput::Step::kSize) {
      // A peer that says a size and then nothing gets no memory.
      if (!input_.has_pending() && input_.splitter().size() > 0 && !co_await connection_->wait_readable()) {
        co_return fail(Errc::kClosed);
      }
      charged = co_await get_memory(input_.splitter().size());
      if (!charged) co_return fail(Errc::kClosed);
      last_active_ = progress_at_ = server_->now();
      progress_bytes_ = 0;
      input_.splitter().begin_body();
      continue;
    }
    auto got = input_.pull();
    if (got && *got == 0) {
      const auto readable = co_await connection_->wait_readable();
      if (!readable) got = fail(readable.error());
    }
    if (got && *got > 0) last_active_ = server_->now();
    if (got) continue;
    if (charged) release(charge_.pool, charge_.bytes);
    if (input_.splitter().in_frame() && !is_closed_) {
      co_return fail(Errc::kMalformed, "the connection ended inside a frame");
    }
    co_return fail(Errc::kClosed);
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
    release(charge_.pool, charge_.bytes);
    return fail(Errc::kMalformed, header ? "a request header that does not parse" : header.error().message);
  }
  const Bytes body = reader.rest();
  last_started_ = answers_.begin();
  ++running_;
  auto request = std::make_unique<Request>(shared_from_this(), last_started_, charge_.bytes, std::move(frame),
                                           std::move(*header), body);
  spawn(server_->sink().handle(std::move(request)));
  return {};
}

Task<void> ServerConnection::run() {
  for (;;) {
    auto frame = co_await next_frame();
    if (!frame) {
      close(frame.error().message);
      co_return;
    }
    if (!may_start() || !has_room()) input_.keep_pending();
    while (!(may_start() && has_room()) && !is_closed_) co_await changed_.wait();
    if (is_closed_) {
      release(charge_.pool, charge_.bytes);
      co_return;
    }
    if (const auto started = start(std::move(*frame)); !started) {
      close(started.error().message);
      co_return;
    }
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
  if (answers_.ready() && !std::exchange(sending_, true)) spawn(send_answers());
}

// Sends what is ready, all of it at once, until nothing is.
Task<void> ServerConnection::send_answers() {
  const auto self = shared_from_this();
  const auto inside = server_->gate().enter();
  // Requests that arrived together are answered together.
  co_await runtime::yield();
  while (answers_.ready()) {
    runtime::Fragments all;
    while (auto answer = answers_.pop()) {
      ++sending_count_;
      std::ranges::move(*answer, std::back_inserter(all));
    }
    if (!is_closed_ && !all.empty()) {
      sending_since_ = server_->now();
      const auto sent = co_await connection_->write(std::move(all));
      if (sent) last_active_ = server_->now();
      if (!sent) close(sent.error().code == Errc::kClosed ? std::string_view() : sent.error().message);
    }
    sending_count_ = 0;
    changed_.pass();
  }
  sending_ = false;
}

// A frame that others wait for has to come with so many bytes in each contended_timeout.
bool ServerConnection::holds_others_up(runtime::MonotonicTime now) {
  constexpr std::size_t kLeastProgress = 16U << 10U;
  const std::size_t got = input_.splitter().body_bytes();
  if (!server_->is_contended(charge_.pool) || got >= progress_bytes_ + kLeastProgress) {
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
