// MetadataDelta: records replayed onto an image. The controller, the loader and the snapshot reader all use it, so what
// a record means is said once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>
#include <metadata/image.h>
#include <metadata/publisher.h>

namespace dohle::metadata {

// A record as it stands in the log: frame version, type, version, body.
using EncodedRecord = std::vector<std::uint8_t>;

// Cost is that of what changes. Not shared between shards.
class MetadataDelta {
 public:
  explicit MetadataDelta(ImageRef base);

  // One framed record. kMalformed or kUnsupported when it cannot be read, kCorrupt when it does not fit the image (an
  // unknown topic, a stale broker epoch ...); the delta must not be used any more then. NoOp and transaction markers
  // change nothing here: see MetadataReplayer.
  [[nodiscard]] Result<> replay(Bytes framed_record);
  // The image with everything replayed so far; the delta goes on from there.
  [[nodiscard]] ImageRef apply(const Provenance& provenance);
  // Everything replayed since construction, against base().
  [[nodiscard]] const MetadataChanges& changes() const { return changes_; }
  [[nodiscard]] const ImageRef& base() const { return base_; }

 private:
  struct Replay;  // one overload per record type
  friend struct Replay;
  ClusterImage& cluster();
  TopicImage* touch_topic(const TopicId& id);
  [[nodiscard]] const TopicImage* topic_named(std::string_view name) const;
  void create_topic(TopicRef topic);
  bool remove_topic(const TopicId& id);
  void put_partition(TopicImage& topic, std::int32_t id, PartitionRef partition);
  void clear_elr(TopicImage& topic);

  ImageRef base_;
  MetadataImage image_;  // what is flushed; touched_ lies over its topics
  std::map<TopicId, std::shared_ptr<TopicImage>> touched_;
  std::shared_ptr<ClusterImage> cluster_;  // own copy once a registration changes
  MetadataChanges changes_;
};

// The records of an image, in Kafka's order, for a snapshot. Stops at the first failure of `sink`.
[[nodiscard]] Result<> write_image(const MetadataImage& image, const std::function<Result<>(EncodedRecord)>& sink);

// MetadataReplayer: batches of committed records become updates. It keeps metadata transactions (KIP-868): what lies
// between Begin and End shows at once, what was aborted never.
class MetadataReplayer {
 public:
  MetadataReplayer();
  // The last image that was given out.
  [[nodiscard]] const ImageRef& image() const { return image_; }
  // Offset of the BeginTransaction record of a transaction that is still open.
  [[nodiscard]] std::optional<Offset> open_transaction() const { return transaction_start_; }

  // A batch that ends at `end`; `base_offset` is the offset of its first record. The update, or nothing inside a
  // transaction. After an error the replayer must not be used any more.
  [[nodiscard]] Result<std::optional<MetadataUpdate>> replay_batch(Offset base_offset, std::span<const Bytes> records,
                                                                   const Provenance& end);
  // Replaces everything by a snapshot: call begin, add each batch's records, then finish.
  void begin_snapshot();
  [[nodiscard]] Result<> add_to_snapshot(std::span<const Bytes> records);
  [[nodiscard]] MetadataUpdate finish_snapshot(const Provenance& provenance);

 private:
  Result<> replay_marker(std::int16_t type, Offset offset, const Provenance& end);
  MetadataUpdate give_out(ImageRef next, MetadataChanges changes);

  ImageRef image_;
  std::unique_ptr<MetadataDelta> delta_;
  ImageRef before_transaction_;
  MetadataChanges changes_before_transaction_;
  std::optional<Offset> transaction_start_;
};

}  // namespace dohle::metadata
