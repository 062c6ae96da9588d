#include <storage/log.h>

#include <algorithm>
#include <limits>

#include <base/check.h>
#include <fmt/format.h>

#include "log_files.h"
#include "log_state.h"

namespace dohle::storage {

Log::State::State(LogSetup log_setup, LogServices log_services)
    : setup(std::move(log_setup)),
      journaled_log(std::make_shared<JournaledLog>(partition_directory_name(setup.partition))),
      made_ms(log_services.settled_clock.wall_ms()),
      services(log_services),
      config(setup.config),
      path(setup.path),
      topic_id(setup.topic_id),
      producers(setup.producer_id_expiration_ms),
      snapshots(services.files, path),
      tail(services.tail_cache),
      pool(&services.open_files),
      roll_jitter_ms(draw_roll_jitter()) {}

Result<> Log::State::check_online() const {
  if (!services.commit_log.offline()) return {};
  return fail(Errc::kStorage, fmt::format("the log directory of {} is offline", path));
}

std::int64_t Log::State::draw_roll_jitter() {
  const std::int64_t most = std::min(config.segment_jitter_ms, config.segment_ms);
  return most > 0 ? static_cast<std::int64_t>(services.random.below(static_cast<std::uint64_t>(most))) : 0;
}

SegmentSetup Log::State::segment_setup(Offset base) {
  return {.files = services.files,
          .pool = *pool,
          .directory = path,
          .base = base,
          .created_ms = services.clock.wall_ms(),
          .roll_jitter_ms = roll_jitter_ms};
}

void Log::State::move_to(OpenFiles& files) {
  pool = &files;
  for (auto& [base, segment] : segments) segment->move_to(files);
}

void Log::State::set_high_watermark(Offset offset) {
  high_watermark = std::clamp(offset, log_start, log_end);
  producers.on_high_watermark(high_watermark);
}

Offset Log::State::last_stable_offset() const {
  const auto unstable = producers.first_unstable_offset();
  return unstable && *unstable < high_watermark ? std::max(*unstable, log_start) : high_watermark;
}

Log::Log(std::shared_ptr<State> state) : state_(std::move(state)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(LogSetup setup, LogServices services) {
  auto state = std::make_shared<State>(std::move(setup), services);
  DOHLE_TRY(state->guard(state->load()));
  return std::unique_ptr<Log>(new Log(std::move(state)));
}

// Until it is loaded nobody but the thread knows the log; the shard's descriptors are not touched meanwhile.
runtime::Task<Result<std::unique_ptr<Log>>> Log::open_waiting(LogSetup setup, LogServices services) {
  OpenFiles loading(std::numeric_limits<std::size_t>::max());
  auto state = std::make_shared<State>(std::move(setup), services);
  state->pool = &loading;
  auto loaded = co_await runtime::run_on(services.commit_log.writes(), [state] { return state->load(); });
  state->move_to(services.open_files);
  DOHLE_CO_TRY(state->guard(std::move(loaded)));
  co_return std::unique_ptr<Log>(new Log(std::move(state)));
}

void Log::note_recovery_synced() { state_->note_recovery_synced(); }

const TopicPartition& Log::partition() const { return state_->setup.partition; }
std::optional<TopicId> Log::topic_id() const { return state_->topic_id; }
const std::string& Log::path() const { return state_->path; }
const LogConfig& Log::config() const { return state_->config; }
void Log::update_config(const LogConfig& config) { state_->config = config; }

Result<> Log::assign_topic_id(TopicId id) {
  if (state_->topic_id && *state_->topic_id != id) {
    return fail(Errc::kInconsistentTopicId, fmt::format("{} belongs to topic id {}, not {}", state_->path,
                                                        state_->topic_id->uuid.to_string(), id.uuid.to_string()));
  }
  state_->topic_id = id;
  return state_->guard(state_->write_partition_metadata());
}

Offset Log::log_start() const { return state_->log_start; }
Offset Log::log_end() const { return state_->log_end; }
Offset Log::flushed_end() const { return state_->flushed_end; }
Offset Log::synced_end() { return state_->settle_synced_end(); }
Offset Log::acknowledged_end() const {
  return state_->config.flush_before_ack() ? state_->flushed_end : state_->log_end;
}
Offset Log::high_watermark() const { return state_->high_watermark; }
Offset Log::set_high_watermark(Offset offset) {
  state_->set_high_watermark(offset);
  return state_->high_watermark;
}
Offset Log::last_stable_offset() const { return state_->last_stable_offset(); }
std::uint64_t Log::size_bytes() const { return state_->size_bytes; }
std::size_t Log::segment_count() const { return state_->segments.size(); }
Offset Log::first_segment_base() const { return state_->segments.first().base(); }

std::expected<AppendInfo, AppendFailure> Log::append_as_leader(Slice records, LeaderEpoch epoch,
                                                               AppendOptions options) {
  return state_->append_as_leader(std::move(records), epoch, options);
}

runtime::Task<std::expected<AppendInfo, AppendFailure>> Log::append_as_leader_waiting(
    Slice records, LeaderEpoch epoch, AppendOptions options, std::function<bool()> still_wanted) {
  return state_->append_as_leader_waiting(std::move(records), epoch, options, std::move(still_wanted));
}

Result<AppendInfo> Log::append_as_follower(Slice records, LeaderEpoch current_epoch) {
  return state_->append_given(std::move(records), current_epoch, AppendOrigin::kReplication);
}

Result<ReadInfo> Log::read(Offset from, const ReadLimits& limits) {
  ColdSpot cold;
  return state_->guard(state_->tell_damage(state_->read(from, limits, &cold)));
}

runtime::Task<Result<ReadInfo>> Log::read_cold(Offset from, ReadLimits limits) {
  const auto state = state_;
  auto info =
      co_await state->look_until_warm([state, from, limits](Probe probe) { return state->read(from, limits, probe); });
  co_return state->guard(state->tell_damage(std::move(info)));
}

runtime::Task<Result<>> Log::commit(Offset up_to) { return state_->commit(up_to); }

Result<std::optional<TimestampOffset>> Log::offset_for_timestamp(std::int64_t timestamp) {
  ColdSpot cold;
  return state_->guard(state_->offset_for_timestamp(timestamp, &cold));
}

runtime::Task<Result<std::optional<TimestampOffset>>> Log::offset_for_timestamp_cold(std::int64_t timestamp) {
  const auto state = state_;
  auto found = co_await state->look_until_warm(
      [state, timestamp](Probe probe) { return state->offset_for_timestamp(timestamp, probe); });
  co_return state->guard(std::move(found));
}

runtime::Task<runtime::Mutex::Hold> Log::hold_writes() { return state_->door.lock(); }

std::optional<LeaderEpoch> Log::latest_epoch() const {
  const auto latest = state_->epochs.latest();
  return latest ? std::optional(latest->epoch) : std::nullopt;
}
std::optional<LeaderEpoch> Log::epoch_at(Offset offset) const { return state_->epochs.epoch_at(offset); }
EpochEndOffset Log::end_offset_for_epoch(LeaderEpoch epoch) const {
  return state_->epochs.end_offset_for(epoch, state_->log_end);
}

Result<> Log::assign_epoch_start(LeaderEpoch epoch, Offset start) {
  DOHLE_TRY(state_->check_online());
  state_->epochs_dirty = state_->epochs.assign(epoch, start) || state_->epochs_dirty;
  return {};
}

Result<bool> Log::delete_records_before(Offset offset) { return state_->delete_records_before(offset); }
Result<int> Log::delete_old_segments(std::int64_t now_ms) { return state_->delete_old_segments(now_ms); }
runtime::Task<Result<int>> Log::delete_old_segments_waiting(std::int64_t now_ms) {
  return state_->delete_old_segments_waiting(now_ms);
}
Result<> Log::roll() {
  DOHLE_CHECK(!state_->door.is_held());
  DOHLE_TRY(state_->check_online());
  return state_->guard(state_->roll(state_->log_end));
}
Result<bool> Log::truncate_to(Offset offset) { return state_->truncate_to(offset); }
Result<> Log::truncate_fully_and_start_at(Offset offset, std::optional<Offset> log_start) {
  return state_->truncate_fully_and_start_at(offset, log_start);
}

std::vector<ProducerInfo> Log::producer_states() const {
  std::vector<ProducerInfo> out;
  for (const auto& [id, entry] : state_->producers.producers()) out.push_back(describe_producer(id, entry));
  return out;
}

void Log::remove_expired_producers(std::int64_t now_ms) { state_->producers.remove_expired(now_ms); }

void Log::write_left_behind() {
  if (state_->left_behind.empty() || state_->door.is_held() || state_->services.commit_log.lives_on_reserve()) return;
  const auto written = state_->write_left_behind();
  if (written) state_->commit_in_background();
}

void Log::delete_due_files() {
  state_->deletes.run_due(state_->services.clock.now().ms(), state_->services.files, state_->services.commit_log);
}

runtime::Task<Result<>> Log::close() { return state_->close(); }
runtime::Task<Result<>> Log::close_unsynced() { return state_->close_unsynced(); }
void Log::note_close_synced() { state_->note_close_synced(); }
bool Log::has_to_close() const { return state_->has_to_close(); }

runtime::Task<void> Log::quiesce() {
  state_->abandoned = true;
  return state_->wait_idle();
}

}  // namespace dohle::storage
