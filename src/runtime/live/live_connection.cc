#include "live_connection.h"

#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <base/check.h>
#include <runtime/sync.h>
#include <boost/smart_ptr/make_local_shared.hpp>

#include "errno_error.h"
#include "socket_address.h"

namespace dohle::runtime {
namespace {

constexpr std::size_t kMostPieces = 64;
// A large answer lets others run in between.
constexpr std::uint64_t kBytesPerTurn = 1U << 20U;

std::unexpected<Error> closed() { return fail(Errc::kClosed, "connection closed"); }

// Where a write stands: fragment `index`, of which `done` bytes are out.
struct Progress {
  const Fragments* fragments;
  std::size_t index = 0;
  std::uint64_t done = 0;

  [[nodiscard]] bool finished() const { return index == fragments->size(); }
  void skip_empty() {
    while (!finished() && done == size_of((*fragments)[index])) {
      ++index;
      done = 0;
    }
  }
  void advance(std::uint64_t sent) {
    while (sent > 0) {
      const std::uint64_t part = std::min(sent, size_of((*fragments)[index]) - done);
      sent -= part;
      done += part;
      skip_empty();
    }
  }
  // What is out leaves `from`, which are its fragments.
  void cut(Fragments& from) const {
    from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(index));
    if (done == 0) return;
    if (auto* slice = std::get_if<Slice>(&from.front())) {
      *slice = slice->sub(done, slice->size() - done);
    } else {
      auto& range = std::get<FileRange>(from.front());
      range.offset += done;
      range.length -= done;
    }
  }
};

// One system call for the slices from here on, up to the next file range. Bytes sent, or kWouldBlock.
Result<std::size_t> send_slices(int descriptor, const Progress& at) {
  std::array<iovec, kMostPieces> pieces;  // NOLINT: filled below
  std::size_t count = 0;
  std::size_t index = at.index;
  for (std::uint64_t skip = at.done; index < at.fragments->size() && count < kMostPieces; ++index, skip = 0) {
    const auto* slice = std::get_if<Slice>(&(*at.fragments)[index]);
    if (slice == nullptr) break;
    const Bytes left = slice->bytes().subspan(skip);
    pieces[count++] = {const_cast<std::uint8_t*>(left.data()), left.size()};
  }
  const int flags = MSG_NOSIGNAL | (index < at.fragments->size() ? MSG_MORE : 0);
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  // The kernel does less for a single piece when it is told so.
  const auto sent = count == 1 ? ::send(descriptor, pieces[0].iov_base, pieces[0].iov_len, flags)
                               : ::sendmsg(descriptor, &message, flags);
  if (sent < 0) return system_failure("send", errno);
  return static_cast<std::size_t>(sent);
}

// For files that have no descriptor: through memory.
Result<std::size_t> send_copied(int descriptor, const FileRange& range, std::uint64_t done) {
  std::array<std::uint8_t, 16U << 10U> chunk;  // NOLINT: filled below
  const std::size_t want = std::min<std::uint64_t>(chunk.size(), range.length - done);
  DOHLE_ASSIGN(const std::size_t got, range.file->read_at(range.offset + done, MutableBytes(chunk).first(want)));
  if (got == 0) return fail(Errc::kIo, "the file ends before the range to send");
  const auto sent = ::send(descriptor, chunk.data(), got, MSG_NOSIGNAL);
  if (sent < 0) return system_failure("send", errno);
  return static_cast<std::size_t>(sent);
}

Result<std::size_t> send_range(int descriptor, const FileRange& range, std::uint64_t done) {
  const int file = range.file->descriptor();
  if (file < 0) return send_copied(descriptor, range, done);
  auto offset = static_cast<off_t>(range.offset + done);
  const auto sent = ::sendfile(descriptor, file, &offset, std::min(range.length - done, kBytesPerTurn));
  if (sent < 0) return system_failure("sendfile", errno);
  if (sent == 0) return fail(Errc::kIo, "the file ends before the range to send");
  return static_cast<std::size_t>(sent);
}

Result<std::size_t> send_next(int descriptor, const Progress& at) {
  const auto& fragment = (*at.fragments)[at.index];
  if (const auto* range = std::get_if<FileRange>(&fragment)) return send_range(descriptor, *range, at.done);
  return send_slices(descriptor, at);
}

// As much as the socket takes, and not more than others can wait for. Whether that was all.
Result<bool> send_now(Socket& socket, Progress& at) {
  std::uint64_t this_turn = 0;
  at.skip_empty();
  while (!at.finished()) {
    if (!socket.is_open()) return closed();
    EventLoop::count(socket.loop().counters().writes);
    const auto sent = send_next(socket.descriptor(), at);
    if (!sent && sent.error().code == Errc::kWouldBlock) {
      socket.watch().writable.ready = false;
      return false;
    }
    if (!sent) return fail(sent.error());
    at.advance(*sent);
    this_turn += *sent;
    if (this_turn >= kBytesPerTurn) return at.finished();
  }
  return true;
}

}  // namespace

void Socket::close() {
  if (descriptor_ < 0) return;
  ::close(std::exchange(descriptor_, -1));
  watch_.readable.ready = watch_.writable.ready = true;
  loop_->wake(watch_);
}

Result<std::size_t> Socket::receive(MutableBytes into) {
  EventLoop::count(loop_->counters().reads);
  const auto got = ::recv(descriptor_, into.data(), into.size(), 0);
  if (got < 0) {
    if (errno == EAGAIN) watch_.readable.ready = false;
    return system_failure("receive", errno);
  }
  // Less than asked for: the queue is empty. New bytes raise a new edge; an end that came along does not.
  if (static_cast<std::size_t>(got) < into.size() && !watch_.hung_up) watch_.readable.ready = false;
  return static_cast<std::size_t>(got);
}

LiveConnection::LiveConnection(EventLoop& loop, int descriptor)
    : socket_(boost::make_local_shared<Socket>(loop, descriptor)) {
  prepare();
}

LiveConnection::LiveConnection(SocketRef socket) : socket_(std::move(socket)) { prepare(); }

void LiveConnection::prepare() {
  const int descriptor = socket_->descriptor();
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  SocketAddress address;
  if (getpeername(descriptor, address.get(), &address.length) == 0) peer_ = address.endpoint();
  address.length = sizeof(address.storage);
  if (getsockname(descriptor, address.get(), &address.length) == 0) local_ = address.endpoint();
}

Task<Result<std::size_t>> LiveConnection::read_some(MutableBytes into) {
  DOHLE_CHECK(!into.empty());
  const SocketRef socket = socket_;
  for (;;) {
    co_await socket->until_readable();
    if (!socket->is_open()) co_return closed();
    auto got = socket->receive(into);
    if (got || got.error().code != Errc::kWouldBlock) co_return got;
  }
}

Task<Result<>> LiveConnection::wait_readable() {
  const SocketRef socket = socket_;
  co_await socket->until_readable();
  if (!socket->is_open()) co_return closed();
  co_return Result<>{};
}

Result<std::size_t> LiveConnection::read_now(MutableBytes into) {
  if (!socket_->is_open()) return closed();
  if (!socket_->watch().readable.ready) return 0;
  auto got = socket_->receive(into);
  if (!got && got.error().code == Errc::kWouldBlock) return 0;
  if (got && *got == 0) return closed();
  return got;
}

Task<Result<>> LiveConnection::write(Fragments fragments) {
  const SocketRef socket = socket_;
  Progress at{&fragments};
  for (;;) {
    co_await socket->until_writable();
    DOHLE_CO_ASSIGN(const bool all, send_now(*socket, at));
    if (all) co_return Result<>{};
    if (socket->watch().writable.ready) co_await yield();
  }
}

Result<bool> LiveConnection::write_now(Fragments& fragments) {
  Progress at{&fragments};
  DOHLE_ASSIGN(const bool all, send_now(*socket_, at));
  if (!all) at.cut(fragments);
  return all;
}

}  // namespace dohle::runtime
