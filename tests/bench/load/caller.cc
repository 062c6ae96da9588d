#include "caller.h"

#include <cerrno>
#include <cstring>

#include <protocol/error_code.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wires.h"

namespace dohle::load {
namespace {

void receive(int fd, std::uint8_t* into, std::size_t size) {
  while (size > 0) {
    const auto n = recv(fd, into, size, MSG_WAITALL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) give_up(n == 0 ? "the broker closed a connection" : std::string("recv: ") + std::strerror(errno));
    into += n;
    size -= static_cast<std::size_t>(n);
  }
}

}  // namespace

Frame frame_of(protocol::Writer& writer) {
  Frame frame;
  for (const auto& fragment : writer.finish_frame()) {
    const auto bytes = std::get<Slice>(fragment).bytes();
    frame.insert(frame.end(), bytes.begin(), bytes.end());
  }
  return frame;
}

Caller::Caller(const Endpoint& broker) : fd_(connect_to(broker)) {}

Caller::~Caller() { close(fd_); }

void Caller::exchange(const Frame& frame) {
  for (std::size_t sent = 0; sent < frame.size();) {
    const auto n = send(fd_, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) give_up(std::string("send: ") + std::strerror(errno));
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
  std::uint8_t length[4];
  receive(fd_, length, sizeof(length));
  answer_.resize(load_be<std::uint32_t>(length));
  receive(fd_, answer_.data(), answer_.size());
}

void check_error(std::int16_t code, const std::string& what) {
  if (code != 0) give_up(what + ": " + std::string(protocol::name(protocol::error_code_from(code))));
}

}  // namespace dohle::load
