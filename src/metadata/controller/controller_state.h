// Controller's private parts: its managers, and what it knows while it is active.
#pragma once

#include <map>
#include <memory>
#include <utility>

#include <controller/broker_heartbeats.h>
#include <controller/cluster_control.h>
#include <controller/configuration_control.h>
#include <controller/partition_control.h>
#include <controller/topic_control.h>
#include <metadata/controller.h>
#include <runtime/sync.h>

namespace dohle::metadata {

struct Controller::Managers {
  Managers(const ControllerConfig& config, const ConfigValidator& validator, runtime::Random& random)
      : configs(validator, config.node_id),
        partitions(configs),
        topics(configs, {config.default_partitions, config.default_replication_factor}, random),
        cluster(config.cluster_id, partitions) {}
  ConfigurationControl configs;
  PartitionControl partitions;
  TopicControl topics;
  ClusterControl cluster;
};

struct Controller::Term {
  Term(LeaderEpoch leader_epoch, ImageRef committed, runtime::Duration session_timeout)
      : epoch(leader_epoch), image(std::move(committed)), heartbeats(session_timeout) {}
  [[nodiscard]] ControlView view() const { return {*image, heartbeats}; }

  LeaderEpoch epoch;
  ImageRef image;            // newest, uncommitted changes included
  Offset next_write_offset;  // of the record that would be appended next
  BrokerHeartbeats heartbeats;
  // A broker is unfenced once its metadata has reached this: at or after its registration record.
  std::map<std::int32_t, Offset> registration_offsets;
  runtime::StopSource stop;
};

// Decides now, unless on standby; the answer comes when the records are committed and published.
template <typename T, typename Decide, typename Appended>
runtime::Task<std::expected<T, ApiError>> Controller::write(Decide decide, Appended appended) {
  const auto pass = gate_.enter();
  const std::shared_ptr<Term> term = term_;
  if (term == nullptr) co_return std::unexpected(ApiError(protocol::ErrorCode::kNotController));
  Decided<T> decided = decide(*term);
  if (!decided) co_return std::unexpected(std::move(decided).error());
  const auto last = append(decided->records.take(), decided->atomic);
  if (!last) co_return std::unexpected(last.error());
  appended(*term, std::as_const(decided->response), *last);
  if (ApiError error = co_await settle(term, *last); error.failed()) co_return std::unexpected(std::move(error));
  co_return std::move(decided->response);
}

}  // namespace dohle::metadata
