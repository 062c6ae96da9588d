// One shard of a live process.
#pragma once

#include <memory>

#include <runtime/live/live_shards.h>
#include <runtime/live/system.h>

#include "event_loop.h"
#include "live_network.h"

namespace dohle::runtime {

class LiveBufferHome final : public BufferHome {
 public:
  explicit LiveBufferHome(EventLoop& loop) : loop_(&loop) {}
  void release_from_foreign(BufferBlock* block) override {
    if (auto* here = EventLoop::here(); here != nullptr) {
      here->send_release(*loop_, block);
    } else {
      loop_->post([block] { release_now(block); });
    }
  }

 private:
  EventLoop* loop_;
};

class LiveShard final : public Shard {
 public:
  LiveShard(std::size_t id, const LiveOptions& options, FileSystem& files, IoThread& resolver)
      : id_(id),
        clock_(make_system_clock()),
        random_(make_system_random()),
        files_(&files),
        loop_(*clock_, options.shards, options.spin),
        home_(loop_),
        network_(loop_, resolver) {}
  [[nodiscard]] std::size_t id() const override { return id_; }
  [[nodiscard]] EventLoop& executor() override { return loop_; }
  [[nodiscard]] Clock& clock() override { return *clock_; }
  [[nodiscard]] Random& random() override { return *random_; }
  [[nodiscard]] Network& network() override { return network_; }
  [[nodiscard]] FileSystem& files() override { return *files_; }
  [[nodiscard]] BufferHome& buffers() override { return home_; }

 private:
  std::size_t id_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  FileSystem* files_;
  EventLoop loop_;
  LiveBufferHome home_;
  LiveNetwork network_;
};

}  // namespace dohle::runtime
