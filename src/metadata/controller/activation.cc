#include <controller/activation.h>

#include <metadata/features.h>
#include <protocol/messages/abort_transaction_record.h>
#include <protocol/messages/begin_transaction_record.h>
#include <protocol/messages/config_record.h>
#include <protocol/messages/end_transaction_record.h>

namespace dohle::metadata {
namespace {

protocol::AbortTransactionRecord abort_record() {
  protocol::AbortTransactionRecord record;
  record.reason = "Controller failover";
  return record;
}

}  // namespace

Result<RecordList> activation_records(const MetadataImage& image, bool transaction_is_open,
                                      std::span<const EncodedRecord> bootstrap, std::int32_t min_insync_replicas) {
  RecordList records;
  if (image.features().metadata_version() != 0) {
    if (transaction_is_open) records.add(abort_record(), 0);
    return records;
  }
  // Replayed onto nothing, the bootstrap records say which levels the cluster starts with.
  MetadataDelta delta(MetadataImage::empty());
  for (const EncodedRecord& record : bootstrap) DOHLE_TRY(delta.replay(record));
  const ImageRef start = delta.apply({});
  const MetadataVersion version(start->features().metadata_version());
  if (!version.is_known()) {
    return fail(Errc::kCorrupt,
                "The metadata log is empty and there are no bootstrap records that set metadata.version: "
                "the directory has to be formatted with kafka-storage first.");
  }
  if (transaction_is_open) records.add(abort_record(), 0);
  if (version.has_transactions()) {
    protocol::BeginTransactionRecord begin;
    begin.name = "Bootstrap records";
    records.add(begin, 0);
  }
  for (const EncodedRecord& record : bootstrap) records.add_encoded(record);
  if (start->features().level(kElrFeature) > 0) {
    protocol::ConfigRecord record;
    record.resource_type = static_cast<std::int8_t>(ConfigResourceType::kBroker);
    record.resource_name = "";
    record.name = "min.insync.replicas";
    record.value = std::to_string(min_insync_replicas);
    records.add(record, 0);
  }
  if (version.has_transactions()) records.add(protocol::EndTransactionRecord{}, 0);
  return records;
}

}  // namespace dohle::metadata
