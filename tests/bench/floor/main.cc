// The floor: what Produce and Fetch cost when nothing is done but what must be. One thread, one epoll; a Produce is a
// frame from a socket, CRC-32C over its batch, one write to the end of a file, an answer; a Fetch is sendfile, or pread
// and send, from that file.
//
//   dohle_floor PORT FILE [sendfile|pread]
//
// It speaks just enough for dohle_load: Produce version 9 with one partition and Fetch version 11 with one partition.
// All topics and partitions are one log, of batches that all have the same size and the same number of records.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/crc32c.h>
#include <base/reader.h>

namespace dohle::floor_program {
namespace {

constexpr std::size_t kBatchHeaderBytes = 61;
constexpr std::size_t kCrcAt = 17;
constexpr std::size_t kCrcFrom = 21;
constexpr std::size_t kRecordCountAt = 57;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "floor: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

void append(std::vector<std::uint8_t>& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }
template <typename T>
void append(std::vector<std::uint8_t>& out, T value) {
  std::uint8_t raw[sizeof(T)];
  store_be(raw, value);
  append(out, Bytes(raw));
}

class FloorLog {
 public:
  FloorLog(const std::string& path, bool uses_sendfile)
      : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)), uses_sendfile_(uses_sendfile) {
    if (fd_ < 0) give_up("open");
  }
  // Its base offset, or -1 when the checksum is wrong.
  std::int64_t append_batch(MutableBytes batch) {
    if (batch.size() < kBatchHeaderBytes ||
        crc32c(batch.subspan(kCrcFrom)) != load_be<std::uint32_t>(batch.data() + kCrcAt)) {
      return -1;
    }
    if (batch.size() != batch_bytes_) {
      // Other batches: another log.
      batch_bytes_ = batch.size();
      records_ = load_be<std::int32_t>(batch.data() + kRecordCountAt);
      end_ = 0;
      if (ftruncate(fd_, 0) != 0) give_up("ftruncate");
    }
    const auto base_offset = offset_of(end_);
    store_be(batch.data(), base_offset);
    if (pwrite(fd_, batch.data(), batch.size(), static_cast<off_t>(end_)) != static_cast<ssize_t>(batch.size()))
      give_up("pwrite");
    end_ += batch.size();
    return base_offset;
  }
  [[nodiscard]] std::int64_t high_watermark() const { return offset_of(end_); }
  [[nodiscard]] std::size_t position(std::int64_t offset) const {
    return records_ == 0 ? 0 : static_cast<std::size_t>(offset / records_) * batch_bytes_;
  }
  // Whole batches of at most `max` bytes from there.
  [[nodiscard]] std::size_t readable(std::size_t position, std::size_t max) const {
    if (position >= end_) return 0;
    return std::min(end_ - position, max / batch_bytes_ * batch_bytes_);
  }
  // So many bytes to a socket: how many it took, or -1 with errno.
  ssize_t send_to(int socket, std::size_t position, std::size_t bytes) {
    auto at = static_cast<off_t>(position);
    if (uses_sendfile_) return sendfile(socket, fd_, &at, bytes);
    copy_.resize(std::min(bytes, kCopyBytes));
    const auto n = pread(fd_, copy_.data(), copy_.size(), at);
    return n <= 0 ? n : send(socket, copy_.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL);
  }

 private:
  static constexpr std::size_t kCopyBytes = 256U << 10U;
  [[nodiscard]] std::int64_t offset_of(std::size_t position) const {
    return batch_bytes_ == 0 ? 0 : static_cast<std::int64_t>(position / batch_bytes_) * records_;
  }
  int fd_;
  bool uses_sendfile_;
  std::size_t batch_bytes_ = 0;
  std::int32_t records_ = 0;
  std::size_t end_ = 0;
  std::vector<std::uint8_t> copy_;
};

class Client {
 public:
  Client(int fd, int epoll, FloorLog& log) : fd_(fd), epoll_(epoll), log_(&log), input_(kInputBytes) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(fd_); }

  // False when the connection has ended.
  bool ready(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !write()) return false;
    return (events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0 || read();
  }

 private:
  static constexpr std::size_t kInputBytes = 256U << 10U;

  bool read() {
    const auto n = recv(fd_, input_.data() + end_, input_.size() - end_, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n <= 0) return false;
    end_ += static_cast<std::size_t>(n);
    std::size_t begin = 0;
    while (end_ - begin >= 4) {
      const std::size_t size = load_be<std::uint32_t>(input_.data() + begin) + 4;
      if (input_.size() < size) input_.resize(size);
      if (end_ - begin < size) break;
      if (!answer(MutableBytes(input_).subspan(begin + 4, size - 4))) return false;
      begin += size;
    }
    if (begin > 0) std::memmove(input_.data(), input_.data() + begin, end_ - begin);
    end_ -= begin;
    return write();
  }

  bool answer(MutableBytes frame) {
    Reader reader(frame);
    const auto key = reader.read<std::int16_t>();
    const auto version = reader.read<std::int16_t>();
    const auto correlation_id = reader.read<std::int32_t>();
    reader.read_bytes(reader.read<std::uint16_t>());  // the client's name
    if (key == 0 && version == 9) return produce(reader, frame, correlation_id);
    if (key == 1 && version == 11) return fetch(reader, correlation_id);
    return false;
  }

  bool produce(Reader& reader, MutableBytes frame, std::int32_t correlation_id) {
    reader.read_bytes(1 + 1 + 2 + 4 + 1);  // tags, no transaction, acks, timeout, one topic
    const Bytes name = reader.read_bytes(reader.read_uvarint() - 1);
    reader.read_bytes(1);  // one partition
    const auto partition = reader.read<std::int32_t>();
    const auto bytes = reader.read_uvarint() - 1;
    const auto at = frame.size() - reader.remaining();
    if (!reader.ok() || bytes > reader.remaining()) return false;
    const auto base_offset = log_->append_batch(frame.subspan(at, bytes));
    if (base_offset < 0) return false;
    const auto start = output_.size();
    append(output_, std::uint32_t{0});
    append(output_, correlation_id);
    append(output_, Bytes({0, 2, static_cast<std::uint8_t>(name.size() + 1)}));
    append(output_, name);
    append(output_, std::uint8_t{2});
    append(output_, partition);
    append(output_, std::int16_t{0});
    append(output_, base_offset);
    append(output_, std::int64_t{-1});     // log append time
    append(output_, std::int64_t{0});      // log start offset
    append(output_, Bytes({1, 0, 0, 0}));  // no record errors, no message, tags of partition and topic
    append(output_, std::int32_t{0});      // throttle time
    append(output_, std::uint8_t{0});
    store_be(output_.data() + start, static_cast<std::uint32_t>(output_.size() - start - 4));
    return true;
  }

  bool fetch(Reader& reader, std::int32_t correlation_id) {
    reader.read_bytes(4 + 4 + 4);  // replica, wait, least
    const auto most = reader.read<std::int32_t>();
    reader.read_bytes(1 + 4 + 4 + 4);  // isolation, session and its epoch, one topic
    const Bytes name = reader.read_bytes(reader.read<std::uint16_t>());
    reader.read_bytes(4);  // one partition
    const auto partition = reader.read<std::int32_t>();
    reader.read_bytes(4);  // leader epoch
    const auto offset = reader.read<std::int64_t>();
    if (!reader.ok() || most < 0 || offset < 0 || file_bytes_ > 0) return false;
    file_at_ = log_->position(offset);
    file_bytes_ = log_->readable(file_at_, static_cast<std::size_t>(most));
    const auto start = output_.size();
    append(output_, std::uint32_t{0});
    append(output_, correlation_id);
    append(output_, std::int32_t{0});  // throttle time
    append(output_, std::int16_t{0});
    append(output_, std::int32_t{0});  // session
    append(output_, std::int32_t{1});
    append(output_, static_cast<std::uint16_t>(name.size()));
    append(output_, name);
    append(output_, std::int32_t{1});
    append(output_, partition);
    append(output_, std::int16_t{0});
    append(output_, log_->high_watermark());
    append(output_, log_->high_watermark());  // last stable offset
    append(output_, std::int64_t{0});         // log start offset
    append(output_, std::int32_t{0});         // no aborted transactions
    append(output_, std::int32_t{-1});        // no other replica to read from
    append(output_, static_cast<std::uint32_t>(file_bytes_));
    store_be(output_.data() + start, static_cast<std::uint32_t>(output_.size() - start - 4 + file_bytes_));
    return true;
  }

  // What lies in memory first, then what lies in the file.
  bool write() {
    std::size_t done = 0;
    while (done < output_.size()) {
      const int more = file_bytes_ > 0 ? MSG_MORE : 0;
      const auto n = send(fd_, output_.data() + done, output_.size() - done, MSG_NOSIGNAL | more);
      if (n < 0 && errno != EAGAIN) return false;
      if (n < 0) break;
      done += static_cast<std::size_t>(n);
    }
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(done));
    while (output_.empty() && file_bytes_ > 0) {
      const auto n = log_->send_to(fd_, file_at_, file_bytes_);
      if (n < 0 && errno == EAGAIN) break;
      if (n <= 0) return false;
      file_at_ += static_cast<std::size_t>(n);
      file_bytes_ -= static_cast<std::size_t>(n);
    }
    const bool waits = !output_.empty() || file_bytes_ > 0;
    if (waits != std::exchange(waits_for_room_, waits)) {
      epoll_event event{};
      event.events = EPOLLIN | (waits ? EPOLLOUT : 0U);
      event.data.fd = fd_;
      if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event) != 0) return false;
    }
    return true;
  }

  int fd_;
  int epoll_;
  FloorLog* log_;
  std::vector<std::uint8_t> input_;
  std::size_t end_ = 0;
  std::vector<std::uint8_t> output_;
  std::size_t file_at_ = 0;  // of what an answer takes from the file
  std::size_t file_bytes_ = 0;
  bool waits_for_room_ = false;
};

int listen_on(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 || listen(fd, SOMAXCONN) != 0)
    give_up("listen");
  return fd;
}

[[noreturn]] void serve(std::uint16_t port, FloorLog& log) {
  const int listener = listen_on(port);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const auto add = [&](int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) give_up("epoll_ctl");
  };
  add(listener);
  std::vector<std::unique_ptr<Client>> clients;  // by descriptor
  while (true) {
    epoll_event events[256];
    const int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        const int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) continue;
        const int on = 1;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (clients.size() <= static_cast<std::size_t>(accepted))
          clients.resize(static_cast<std::size_t>(accepted) + 1);
        clients[static_cast<std::size_t>(accepted)] = std::make_unique<Client>(accepted, epoll, log);
        add(accepted);
      } else if (auto& client = clients[static_cast<std::size_t>(fd)]; !client->ready(events[i].events)) {
        client.reset();
      }
    }
  }
}

}  // namespace
}  // namespace dohle::floor_program

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: dohle_floor PORT FILE [sendfile|pread]\n", stderr);
    return 2;
  }
  dohle::floor_program::FloorLog log(argv[2], argc < 4 || std::string(argv[3]) == "sendfile");
  dohle::floor_program::serve(static_cast<std::uint16_t>(std::atoi(argv[1])), log);
}
