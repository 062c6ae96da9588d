// Reader: bounded reads from untrusted bytes. The first failure sticks: later reads give zeroes, `ok()` says so.
//
// What is decoded takes memory too, and an array of tiny elements takes far more than its bytes: whoever makes room for
// elements claims it first, from an allowance that grows with the input.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <base/bytes.h>
#include <base/uuid.h>
#include <base/varint.h>

namespace dohle {

class Reader {
 public:
  explicit Reader(Bytes data)
      : at_(data.data()), end_(data.data() + data.size()), claimable_(kClaimableAlways + kClaimableEach * data.size()) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] Bytes rest() const { return {at_, remaining()}; }
  void set_failed() { ok_ = false; at_ = end_; }

  // Memory for what is decoded, before it is taken; fails the reader when it is more than input of this size is good for.
  bool claim(std::size_t bytes) {
    if (bytes > claimable_) { set_failed(); return false; }
    claimable_ -= bytes;
    return true;
  }
  // At most so much, whatever the size of the input.
  void limit_claims(std::size_t bytes) { claimable_ = std::min(claimable_, bytes); }

  template <typename T>
  T read() {
    if (remaining() < sizeof(T)) { set_failed(); return T{}; }
    T value = load_be<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  bool read_bool() { return read<std::uint8_t>() != 0; }
  double read_double() { return std::bit_cast<double>(read<std::uint64_t>()); }
  Uuid read_uuid() {
    Bytes raw = read_bytes(16);
    return raw.size() == 16 ? Uuid::from_bytes(raw.data()) : Uuid{};
  }
  Bytes read_bytes(std::size_t n) {
    if (remaining() < n) { set_failed(); return {}; }
    Bytes out{at_, n};
    at_ += n;
    return out;
  }
  // Unsigned varint of at most 32 bits (lengths, tags, counts of flexible versions).
  std::uint32_t read_uvarint() { return static_cast<std::uint32_t>(read_leb(kMaxVarintBytes)); }
  std::uint64_t read_uvarlong() { return read_leb(kMaxVarlongBytes); }
  std::int32_t read_varint() { return static_cast<std::int32_t>(unzigzag(read_leb(kMaxVarintBytes))); }
  std::int64_t read_varlong() { return unzigzag(read_leb(kMaxVarlongBytes)); }

 private:
  static constexpr std::size_t kClaimableAlways = 512U << 10U;
  static constexpr std::size_t kClaimableEach = 8;  // honest messages take up to five times their bytes

  std::uint64_t read_leb(int max_bytes) {
    std::uint64_t value = 0;
    const int n = get_uvarint(at_, end_, value, max_bytes);
    if (n == 0) { set_failed(); return 0; }
    at_ += n;
    return value;
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::size_t claimable_;
  bool ok_ = true;
};

}  // namespace dohle
