#include <runtime/frame_pool.h>

#include <array>
#include <cstdint>
#include <new>

namespace dohle::runtime {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
// They want to see each frame come and go.
constexpr bool kReuse = false;
#else
constexpr bool kReuse = true;
#endif

constexpr std::size_t kStep = 64;

struct FreeFrame {
  FreeFrame* next;
};

struct FreeList {
  FreeFrame* first = nullptr;
  std::size_t length = 0;
};

// Frames may outlive what their thread keeps: those of the main thread's globals do.
enum class Keeping : std::uint8_t { kNotYet, kYes, kNoMore };

// Without constructors and destructors, so that nothing has to be looked at before they are used.
thread_local constinit std::array<FreeList, FramePool::kLargestFrame / kStep> free_lists{};
thread_local constinit Keeping keeping = Keeping::kNotYet;

struct AtThreadEnd {
  ~AtThreadEnd() {
    keeping = Keeping::kNoMore;
    for (FreeList& list : free_lists) {
      while (FreeFrame* const frame = list.first) {
        list.first = frame->next;
        ::operator delete(frame);
      }
    }
  }
};

bool begin_keeping() {
  if (keeping == Keeping::kNoMore) return false;
  thread_local const AtThreadEnd at_thread_end;
  keeping = Keeping::kYes;
  return true;
}

std::size_t steps(std::size_t bytes) { return (bytes + kStep - 1) / kStep; }
bool is_pooled(std::size_t bytes) { return kReuse && bytes != 0 && bytes <= FramePool::kLargestFrame; }

}  // namespace

void* FramePool::allocate(std::size_t bytes) {
  if (!is_pooled(bytes)) return ::operator new(bytes);
  FreeList& list = free_lists[steps(bytes) - 1];
  if (list.first == nullptr) return ::operator new(steps(bytes) * kStep);
  FreeFrame* const frame = list.first;
  list.first = frame->next;
  --list.length;
  return frame;
}

void FramePool::release(void* frame, std::size_t bytes) noexcept {
  if (!is_pooled(bytes) || (keeping != Keeping::kYes && !begin_keeping())) return ::operator delete(frame);
  FreeList& list = free_lists[steps(bytes) - 1];
  if (list.length >= kKeptOfASize) return ::operator delete(frame);
  list.first = new (frame) FreeFrame{list.first};
  ++list.length;
}

}  // namespace dohle::runtime
