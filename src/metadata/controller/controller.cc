#include <metadata/controller.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <base/log.h>
#include <controller/activation.h>
#include <controller/controller_state.h>
#include <protocol/messages/no_op_record.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;
constexpr std::string_view kModule = "metadata";
constexpr std::size_t kMaxElectionsAtOnce = 1000;

}  // namespace

Controller::Controller(ControllerConfig config, Surroundings around)
    : config_(std::move(config)),
      shard_(around.shard),
      raft_(around.raft),
      loader_(around.loader),
      managers_(std::make_unique<Managers>(config_, around.validator, around.shard.random())) {
  loader_.set_leadership_listener(this);
}

Controller::~Controller() { loader_.set_leadership_listener(nullptr); }

runtime::Task<void> Controller::close() {
  renounce();
  co_await gate_.wait_empty();
}

void Controller::on_leader_change(const raft::LeaderAndEpoch& leader) {
  if (term_ != nullptr && leader.leader == config_.node_id && term_->epoch == leader.epoch) return;
  renounce();
  if (leader.leader == config_.node_id) claim(leader.epoch);
}

void Controller::claim(LeaderEpoch epoch) {
  const ImageRef& committed = loader_.image();
  term_ = std::make_shared<Term>(epoch, committed, config_.broker_session_timeout);
  term_->next_write_offset = std::max(raft_.log_end(), committed->last_offset().next());
  for (const auto& [id, broker] : committed->cluster().brokers) {
    term_->registration_offsets[id] = committed->last_offset();
  }
  term_->heartbeats.reset(committed->cluster(), shard_.clock().now(), config_.node_id);
  log::info(kModule, "This node is the active controller of epoch {}, from offset {} on.", epoch.value(),
            term_->next_write_offset.value());
  if (ApiError error = write_activation_records(); error.failed()) {
    log::error(kModule, "The controller of epoch {} cannot start: {}", epoch.value(), error.message.value_or(""));
    renounce();
    raft_.resign(epoch);
    return;
  }
  start_periodic(config_.max_idle_interval, &Controller::write_no_op);
  start_periodic(std::max<runtime::Duration>(config_.broker_session_timeout / 8, std::chrono::milliseconds(1)),
                 &Controller::fence_stale_brokers);
  start_periodic(config_.leader_imbalance_check, &Controller::elect_preferred_leaders);
  start_periodic(config_.unclean_election_check, &Controller::elect_unclean_leaders);
}

void Controller::renounce() {
  if (term_ == nullptr) return;
  log::info(kModule, "This node is no longer the active controller of epoch {}.", term_->epoch.value());
  const auto term = std::exchange(term_, nullptr);
  term->stop.stop();
}

ApiError Controller::write_activation_records() {
  const auto& bootstrap =
      loader_.bootstrap_records().empty() ? config_.fallback_bootstrap_records : loader_.bootstrap_records();
  auto records = activation_records(*term_->image, loader_.open_transaction().has_value(), bootstrap,
                                    managers_->configs.static_min_insync_replicas());
  if (!records) return {ErrorCode::kUnknownServerError, records.error().message};
  if (records->empty()) return {};
  const auto appended = append(records->take(), false);
  return appended ? ApiError{} : appended.error();
}

// ---- the log --------------------------------------------------------------------------------------------------------

std::expected<Offset, ApiError> Controller::append(std::vector<EncodedRecord> records, bool atomic) {
  if (atomic || records.size() <= kMaxRecordsPerBatch) {
    if (!records.empty()) {
      if (ApiError error = append_batch(std::move(records)); error.failed()) return std::unexpected(std::move(error));
    }
    return term_->next_write_offset.prev();
  }
  for (std::size_t from = 0; from < records.size(); from += kMaxRecordsPerBatch) {
    const auto first = records.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last =
        records.begin() + static_cast<std::ptrdiff_t>(std::min(from + kMaxRecordsPerBatch, records.size()));
    std::vector<EncodedRecord> batch(std::make_move_iterator(first), std::make_move_iterator(last));
    if (ApiError error = append_batch(std::move(batch)); error.failed()) return std::unexpected(std::move(error));
  }
  return term_->next_write_offset.prev();
}

ApiError Controller::append_batch(std::vector<EncodedRecord> batch) {
  // Replayed first: a record that does not fit the state must never reach the log.
  MetadataDelta delta(term_->image);
  for (const EncodedRecord& record : batch) {
    if (const auto replayed = delta.replay(record); !replayed) {
      log::error(kModule, "The controller decided on a record that does not fit: {}", replayed.error().message);
      return ErrorCode::kUnknownServerError;
    }
  }
  const auto last = raft_.append(term_->epoch, std::move(batch));
  if (!last) {
    log::warn(kModule, "The metadata log does not take records of epoch {}: {}", term_->epoch.value(),
              last.error().message);
    if (last.error().code == Errc::kRecordTooLarge) {
      return {ErrorCode::kPolicyViolation, "Unable to perform excessively large batch operation."};
    }
    // Earlier batches may be in the log: only a new epoch knows which.
    const LeaderEpoch epoch = term_->epoch;
    renounce();
    raft_.resign(epoch);
    return ErrorCode::kNotController;
  }
  const ImageRef before = term_->image;
  term_->next_write_offset = last->next();
  term_->image = delta.apply({*last, term_->epoch, shard_.clock().wall_ms(), raft_.kraft_version()});
  note_brokers(delta.changes(), *before, *last);
  return {};
}

void Controller::note_brokers(const MetadataChanges& changes, const MetadataImage& before, Offset offset) {
  for (const std::int32_t id : changes.brokers) {
    const BrokerRegistration* now = term_->image->cluster().broker(id);
    const BrokerRegistration* then = before.cluster().broker(id);
    if (now == nullptr) {
      term_->heartbeats.remove(id);
      term_->registration_offsets.erase(id);
      continue;
    }
    if (then == nullptr || then->epoch != now->epoch) {
      term_->heartbeats.remove(id);
      term_->registration_offsets[id] = offset;
    }
    term_->heartbeats.register_broker(id, now->fenced);
  }
}

runtime::Task<ApiError> Controller::settle(std::shared_ptr<Term> term, Offset offset) {
  const Result<> committed = co_await raft_.wait_committed(term->epoch, offset);
  if (!committed) co_return ApiError(ErrorCode::kNotController);
  co_await loader_.publisher().wait_published(offset);
  co_return ApiError{};
}

// ---- periodic work --------------------------------------------------------------------------------------------------

void Controller::start_periodic(runtime::Duration interval, void (Controller::*task)()) {
  if (interval.count() > 0) runtime::spawn(run_periodic(gate_.enter(), term_, interval, task));
}

runtime::Task<void> Controller::run_periodic([[maybe_unused]] runtime::Gate::Pass pass, std::shared_ptr<Term> term,
                                             runtime::Duration interval, void (Controller::*task)()) {
  while (co_await runtime::sleep_for(interval, &term->stop)) {
    if (term_ != term) co_return;
    (this->*task)();
  }
}

void Controller::write_no_op() {
  if (raft_.short_of_space()) return;
  RecordList records;
  records.add(protocol::NoOpRecord{}, 0);
  static_cast<void>(append(records.take(), true));
}

void Controller::fence_stale_brokers() {
  // One at a time: each must see what the one before did to the partitions.
  while (term_ != nullptr) {
    RecordList records;
    const bool more =
        managers_->cluster.fence_one_stale(term_->view(), shard_.clock().now(), term_->heartbeats, records);
    if (!records.empty() && !append(records.take(), false)) return;
    if (!more) return;
  }
}

void Controller::elect_preferred_leaders() {
  for (bool more = true; more && term_ != nullptr;) {
    RecordList records;
    more = managers_->partitions.elect_preferred(term_->view(), kMaxElectionsAtOnce, records);
    if (!records.empty() && !append(records.take(), false)) return;
  }
}

void Controller::elect_unclean_leaders() {
  for (bool more = true; more && term_ != nullptr;) {
    RecordList records;
    more = managers_->partitions.elect_unclean(term_->view(), kMaxElectionsAtOnce, records);
    if (!records.empty() && !append(records.take(), false)) return;
  }
}

}  // namespace dohle::metadata
