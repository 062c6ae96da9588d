#include "transaction_index.h"

#include <array>

#include <base/reader.h>
#include <fmt/format.h>

namespace dohle::storage {

Result<std::vector<AbortedTxn>> read_transaction_index(Bytes content) {
  if (content.size() % TransactionIndex::kEntryBytes != 0) {
    return fail(Errc::kCorrupt, fmt::format("{} bytes is no multiple of the entry size", content.size()));
  }
  std::vector<AbortedTxn> out;
  out.reserve(content.size() / TransactionIndex::kEntryBytes);
  Reader reader(content);
  while (reader.remaining() > 0) {
    const auto version = reader.read<std::int16_t>();
    AbortedTxn txn;
    txn.producer_id = ProducerId(reader.read<std::int64_t>());
    txn.first_offset = Offset(reader.read<std::int64_t>());
    txn.last_offset = Offset(reader.read<std::int64_t>());
    txn.last_stable_offset = Offset(reader.read<std::int64_t>());
    if (version != 0) return fail(Errc::kCorrupt, fmt::format("entry version {} is not known", version));
    out.push_back(txn);
  }
  return out;
}

Result<std::vector<AbortedTxn>> parse_transaction_index(Bytes content, Offset base) {
  DOHLE_ASSIGN(auto out, read_transaction_index(content));
  Offset low = base;
  for (const AbortedTxn& txn : out) {
    if (txn.last_offset < low) return fail(Errc::kCorrupt, "offsets go back");
    low = txn.last_offset.next();
  }
  return out;
}

TransactionIndex::TransactionIndex(runtime::FileSystem& fs, OpenFiles& pool, std::string path)
    : fs_(fs), file_(fs, pool, std::move(path)) {}

Result<> TransactionIndex::load(Offset base) {
  entries_.clear();
  exists_ = fs_.exists(file_.path());
  if (!exists_) return {};
  DOHLE_ASSIGN(const std::string content, runtime::read_file(fs_, file_.path(), 1U << 30U));
  auto entries = parse_transaction_index(as_bytes(content), base);
  if (!entries) return fail(Errc::kCorrupt, fmt::format("{}: {}", file_.path(), entries.error().message));
  entries_ = std::move(*entries);
  return {};
}

Result<> TransactionIndex::append(const AbortedTxn& txn) {
  std::array<std::uint8_t, kEntryBytes> raw{};
  store_be(raw.data() + 2, txn.producer_id.value());
  store_be(raw.data() + 10, txn.first_offset.value());
  store_be(raw.data() + 18, txn.last_offset.value());
  store_be(raw.data() + 26, txn.last_stable_offset.value());
  DOHLE_ASSIGN(const auto file, file_.get(true));
  exists_ = true;
  DOHLE_TRY(file->write_at(entries_.size() * kEntryBytes, Bytes(raw)));
  entries_.push_back(txn);
  return {};
}

Result<> TransactionIndex::truncate_to(Offset offset) {
  std::size_t keep = entries_.size();
  while (keep > 0 && entries_[keep - 1].last_offset >= offset) --keep;
  if (keep == entries_.size()) return {};
  DOHLE_ASSIGN(const auto file, file_.get(true));
  DOHLE_TRY(file->truncate(keep * kEntryBytes));
  entries_.resize(keep);
  return {};
}

Result<> TransactionIndex::reset() {
  entries_.clear();
  if (!exists_) return {};
  DOHLE_ASSIGN(const auto file, file_.get(true));
  return file->truncate(0);
}

}  // namespace dohle::storage
