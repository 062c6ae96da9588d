#include "wires.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dohle::load {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr int kEvents = 256;

volatile std::sig_atomic_t told_to_stop = 0;

std::string error_text(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

void allow_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

bool is_told_to_stop() { return told_to_stop != 0; }

void pause_for(Duration duration) {
  const timespec time{.tv_sec = duration.count() / 1'000'000'000, .tv_nsec = duration.count() % 1'000'000'000};
  nanosleep(&time, nullptr);
}

int connect_to(const Endpoint& broker, bool may_fail) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up(error_text("socket"));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(broker.port);
  if (inet_pton(AF_INET, broker.host.c_str(), &address.sin_addr) != 1) give_up("not an address: " + broker.host);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    if (!may_fail) give_up(error_text("connect"));
    close(fd);
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

Wire::Wire(int epoll, int fd, int index) : epoll_(epoll), fd_(fd), index_(index) {
  fcntl(fd_, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = static_cast<std::uint32_t>(index);
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event) != 0) give_up(error_text("epoll_ctl"));
}

Wire::~Wire() { close(fd_); }

void Wire::send(Bytes frame) {
  if (is_sending()) give_up("two requests at once");
  unsent_ = frame;
  write();
}

void Wire::write() {
  while (!unsent_.empty()) {
    const auto n = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) give_up(error_text("send"));
    if (n < 0) return want_to_write(true);
    unsent_ = unsent_.subspan(static_cast<std::size_t>(n));
  }
  want_to_write(false);
}

void Wire::want_to_write(bool want) {
  if (std::exchange(waits_for_room_, want) == want) return;
  epoll_event event{};
  event.events = EPOLLIN | (want ? EPOLLOUT : 0U);
  event.data.u32 = static_cast<std::uint32_t>(index_);
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event) != 0) give_up(error_text("epoll_ctl"));
}

Wires::Wires(Load& load, const Endpoint& broker, int count, std::size_t input_bytes)
    : load_(&load), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  allow_descriptors();
  std::signal(SIGTERM, [](int) { told_to_stop = 1; });
  // Timers to the microsecond, or an open loop would be late by itself.
  prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
  for (int i = 0; i < count; ++i) {
    wires_.emplace_back(epoll_, connect_to(broker), i).input_.resize(input_bytes);
  }
}

Wires::~Wires() { close(epoll_); }

void Wires::turn(Time until) {
  std::array<epoll_event, kEvents> events{};
  const auto left = std::max(Duration::zero(), std::chrono::duration_cast<Duration>(until - now()));
  const timespec timeout{.tv_sec = left.count() / 1'000'000'000, .tv_nsec = left.count() % 1'000'000'000};
  const int count = epoll_pwait2(epoll_, events.data(), kEvents, &timeout, nullptr);
  if (count < 0 && errno != EINTR) give_up(error_text("epoll_pwait2"));
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    Wire& wire = wires_[event.data.u32];
    if ((event.events & EPOLLOUT) != 0) {
      wire.write();
      if (!wire.is_sending()) load_->sent(wire);
    }
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read(wire);
  }
}

void Wires::read(Wire& wire) {
  const auto n = recv(wire.fd_, wire.input_.data() + wire.end_, wire.input_.size() - wire.end_, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) give_up(error_text("recv"));
  if (n == 0) give_up("the broker closed a connection");
  wire.end_ += static_cast<std::size_t>(n);
  while (wire.end_ - wire.begin_ >= kLengthBytes) {
    const std::size_t size = load_be<std::uint32_t>(wire.input_.data() + wire.begin_) + kLengthBytes;
    if (wire.end_ - wire.begin_ < size) {
      // The rest of it needs room behind what is there.
      std::memmove(wire.input_.data(), wire.input_.data() + wire.begin_, wire.end_ - wire.begin_);
      wire.end_ -= std::exchange(wire.begin_, 0);
      if (wire.input_.size() < size) wire.input_.resize(size);
      return;
    }
    const Bytes answer(wire.input_.data() + wire.begin_ + kLengthBytes, size - kLengthBytes);
    wire.begin_ += size;
    load_->answered(wire, answer);
  }
  if (wire.begin_ == wire.end_) wire.begin_ = wire.end_ = 0;
  if (wire.end_ == wire.input_.size()) {
    std::memmove(wire.input_.data(), wire.input_.data() + wire.begin_, wire.end_ - wire.begin_);
    wire.end_ -= std::exchange(wire.begin_, 0);
  }
}

}  // namespace dohle::load
