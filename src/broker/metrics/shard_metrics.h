// ShardMetrics: what one shard counts while it serves. Plain numbers, touched on that shard only; a scrape comes by and
// reads them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <base/hash_map.h>
#include <base/ids.h>
#include <protocol/error_code.h>
#include <runtime/clock.h>

namespace dohle::broker {

struct TopicTraffic {
  std::uint64_t messages_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

struct ApiTraffic {
  std::uint64_t requests = 0;
  runtime::Duration time{0};
  std::map<protocol::ErrorCode, std::uint64_t> errors;
};

class ShardMetrics {
 public:
  // Makes room for the rows of handler_table().
  explicit ShardMetrics(std::size_t handlers) : apis_(handlers) {}

  void appended(const TopicId& topic, std::int32_t records, std::uint32_t bytes) {
    TopicTraffic& one = of(topic);
    for (TopicTraffic* const traffic : {&one, &all_}) {
      traffic->messages_in += static_cast<std::uint64_t>(records);
      traffic->bytes_in += bytes;
    }
  }
  void fetched(const TopicId& topic, std::uint64_t bytes) {
    of(topic).bytes_out += bytes;
    all_.bytes_out += bytes;
  }
  // `handler` is the index of its row in handler_table().
  void served(std::size_t handler, runtime::Duration time) {
    ++apis_[handler].requests;
    apis_[handler].time += time;
  }
  void failed(std::size_t handler, protocol::ErrorCode error) { ++apis_[handler].errors[error]; }
  // Topics that are gone are not told any more.
  void forget(const TopicId& topic) {
    last_ = nullptr;
    topics_.erase(topic);
  }

  // Null when nothing has happened to it here.
  [[nodiscard]] const TopicTraffic* find(const TopicId& topic) const {
    const auto* found = topics_.find(topic);
    return found == nullptr ? nullptr : found->get();
  }
  [[nodiscard]] const TopicTraffic& all() const { return all_; }
  [[nodiscard]] const std::vector<ApiTraffic>& apis() const { return apis_; }

 private:
  // Mostly the topic of the call before.
  [[nodiscard]] TopicTraffic& of(const TopicId& topic) {
    if (last_ != nullptr && last_id_ == topic) return *last_;
    auto& found = topics_[topic];
    if (!found) found = std::make_unique<TopicTraffic>();
    last_id_ = topic;
    last_ = found.get();
    return *last_;
  }

  HashMap<TopicId, std::unique_ptr<TopicTraffic>> topics_;
  TopicId last_id_;
  TopicTraffic* last_ = nullptr;
  TopicTraffic all_;
  std::vector<ApiTraffic> apis_;
};

}  // namespace dohle::broker
