// Bare sockets on one epoll: whole answers come in, one prepared request at a time goes out. Made to cost little, so
// that what is measured is the broker.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

#include <base/bytes.h>

#include "options.h"

namespace dohle::load {

using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;
[[nodiscard]] inline Time now() { return std::chrono::steady_clock::now(); }

void pause_for(Duration duration);

// Somebody sent SIGTERM: an open loop ends early, and reports as always.
[[nodiscard]] bool is_told_to_stop();

// A connected socket, or gives up; -1 when `may_fail` and nobody listens.
[[nodiscard]] int connect_to(const Endpoint& broker, bool may_fail = false);

class Wire {
 public:
  Wire(int epoll, int fd, int index);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();
  [[nodiscard]] int index() const { return index_; }
  // Writes a whole frame. What the kernel does not take yet goes later: `frame` must stay as it is while is_sending().
  void send(Bytes frame);
  [[nodiscard]] bool is_sending() const { return !unsent_.empty(); }

 private:
  friend class Wires;
  void write();
  void want_to_write(bool want);

  int epoll_;
  int fd_;
  int index_;
  bool waits_for_room_ = false;
  Bytes unsent_;
  std::vector<std::uint8_t> input_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Who drives the wires.
class Load {
 public:
  virtual ~Load() = default;
  // A whole answer, without its length; it lasts until this returns.
  virtual void answered(Wire& wire, Bytes answer) = 0;
  // What send() left over is with the kernel now.
  virtual void sent(Wire& wire) = 0;
};

class Wires {
 public:
  // `input_bytes`: room for an answer of each connection, to begin with.
  Wires(Load& load, const Endpoint& broker, int count, std::size_t input_bytes = 4096);
  ~Wires();
  Wires(const Wires&) = delete;
  Wires& operator=(const Wires&) = delete;
  [[nodiscard]] Wire& at(int index) { return wires_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] int size() const { return static_cast<int>(wires_.size()); }
  // Sleeps until something comes, at most until `until`, and hands on what came.
  void turn(Time until);

 private:
  void read(Wire& wire);

  Load* load_;
  int epoll_;
  std::deque<Wire> wires_;
};

}  // namespace dohle::load
