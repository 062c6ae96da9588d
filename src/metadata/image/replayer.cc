#include <utility>

#include <base/mutant.h>
#include <image/record_codec.h>
#include <metadata/delta.h>

namespace dohle::metadata {
namespace {

constexpr std::int16_t kBeginTransaction = 23;
constexpr std::int16_t kEndTransaction = 24;
constexpr std::int16_t kAbortTransaction = 25;

void add_all(MetadataChanges& into, const MetadataChanges& more) {
  for (const auto& [id, partitions] : more.topics) into.topics[id].insert(partitions.begin(), partitions.end());
  into.configs.insert(more.configs.begin(), more.configs.end());
  into.brokers.insert(more.brokers.begin(), more.brokers.end());
  into.controllers |= more.controllers;
  into.features |= more.features;
  into.producer_ids |= more.producer_ids;
  into.security |= more.security;
}

}  // namespace

MetadataReplayer::MetadataReplayer()
    : image_(MetadataImage::empty()), delta_(std::make_unique<MetadataDelta>(image_)) {}

Result<> MetadataReplayer::replay_marker(std::int16_t type, Offset offset, const Provenance& end) {
  if (type == kBeginTransaction) {
    if (transaction_start_) return fail(Errc::kCorrupt, "A metadata transaction begins inside another one.");
    transaction_start_ = offset;
    add_all(changes_before_transaction_, delta_->changes());
    before_transaction_ = delta_->apply(end);
  } else {
    if (!transaction_start_) return fail(Errc::kCorrupt, "A metadata transaction ends that did not begin.");
    transaction_start_.reset();
    if (type == kEndTransaction) {
      add_all(changes_before_transaction_, delta_->changes());
      before_transaction_ = delta_->apply(end);
    }
  }
  delta_ = std::make_unique<MetadataDelta>(before_transaction_);
  return {};
}

MetadataUpdate MetadataReplayer::give_out(ImageRef next, MetadataChanges changes) {
  MetadataUpdate update{std::move(image_), next, std::make_shared<const MetadataChanges>(std::move(changes))};
  image_ = std::move(next);
  before_transaction_.reset();
  changes_before_transaction_ = {};
  delta_ = std::make_unique<MetadataDelta>(image_);
  return update;
}

Result<std::optional<MetadataUpdate>> MetadataReplayer::replay_batch(Offset base_offset, std::span<const Bytes> records,
                                                                     const Provenance& end) {
  Offset offset = base_offset;
  for (const Bytes record : records) {
    DOHLE_ASSIGN(const RecordFrame frame, parse_frame(record));
    if (frame.type >= kBeginTransaction && frame.type <= kAbortTransaction) {
      DOHLE_TRY(replay_marker(frame.type, offset, end));
    } else {
      DOHLE_TRY(delta_->replay(record));
      if (DOHLE_MUTANT("metadata.record_replayed_twice")) DOHLE_TRY(delta_->replay(record));
    }
    offset = offset.next();
  }
  if (transaction_start_) return std::nullopt;
  MetadataChanges changes = std::exchange(changes_before_transaction_, {});
  add_all(changes, delta_->changes());
  return give_out(delta_->apply(end), std::move(changes));
}

void MetadataReplayer::begin_snapshot() {
  transaction_start_.reset();
  changes_before_transaction_ = {};
  before_transaction_.reset();
  delta_ = std::make_unique<MetadataDelta>(MetadataImage::empty());
}

Result<> MetadataReplayer::add_to_snapshot(std::span<const Bytes> records) {
  for (const Bytes record : records) DOHLE_TRY(delta_->replay(record));
  return {};
}

MetadataUpdate MetadataReplayer::finish_snapshot(const Provenance& provenance) {
  ImageRef next = delta_->apply(provenance);
  MetadataChanges changes = compare(*image_, *next);
  return give_out(std::move(next), std::move(changes));
}

}  // namespace dohle::metadata
