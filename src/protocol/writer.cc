#include <protocol/writer.h>

#include <algorithm>

#include <base/check.h>

namespace dohle::protocol {

Writer::Writer(std::size_t expected_bytes) : buffer_(Slice::allocate(kPrefix + expected_bytes).first) {}

void Writer::grow(std::size_t n) {
  const std::size_t wanted = std::max(buffer_.size() * 2, used_ + n);
  auto [bigger, writable] = Slice::allocate(wanted);
  std::memcpy(writable.data(), buffer_.bytes().data(), used_);
  BufferHome::count_copy(used_);
  buffer_ = std::move(bigger);
}

void Writer::insert(const runtime::Fragments& fragments) {
  for (const auto& fragment : fragments) {
    insertions_.push_back({used_, fragment});
    inserted_bytes_ += runtime::size_of(fragment);
  }
}

Writer::TagMark Writer::begin_tag(std::uint32_t tag) {
  write_uvarint(tag);
  *claim(1) = 0;  // the length, of one byte in nearly every case
  return {used_ - 1};
}

void Writer::end_tag(TagMark mark) {
  const std::size_t content_at = mark.length_at + 1;
  const std::size_t length = used_ - content_at;
  DOHLE_CHECK(insertions_.empty() || insertions_.back().at < content_at);
  const auto length_bytes = static_cast<std::size_t>(uvarint_size(length));
  if (length_bytes > 1) {
    static_cast<void>(claim(length_bytes - 1));
    std::uint8_t* content = buffer_.mutable_bytes().data() + content_at;
    std::memmove(content + length_bytes - 1, content, length);
  }
  put_uvarint(buffer_.mutable_bytes().data() + mark.length_at, length);
}

Bytes Writer::bytes() const {
  DOHLE_CHECK(insertions_.empty());
  return buffer_.bytes().subspan(kPrefix, used_ - kPrefix);
}

runtime::Fragments Writer::cut_from(std::size_t begin) {
  runtime::Fragments out;
  out.reserve(insertions_.size() * 2 + 1);
  for (auto& insertion : insertions_) {
    if (insertion.at > begin) out.emplace_back(buffer_.sub(begin, insertion.at - begin));
    begin = insertion.at;
    out.push_back(std::move(insertion.fragment));
  }
  if (used_ > begin) out.emplace_back(buffer_.sub(begin, used_ - begin));
  insertions_.clear();
  return out;
}

runtime::Fragments Writer::finish() { return cut_from(kPrefix); }

runtime::Fragments Writer::finish_frame() {
  DOHLE_CHECK(size() <= INT32_MAX);
  store_be(buffer_.mutable_bytes().data(), static_cast<std::int32_t>(size()));
  return cut_from(0);
}

Slice Writer::finish_slice() {
  DOHLE_CHECK(insertions_.empty());
  return buffer_.sub(kPrefix, used_ - kPrefix);
}

}  // namespace dohle::protocol
