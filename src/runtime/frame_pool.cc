#include <runtime/frame_pool.h>

#include <array>
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

struct ThreadFrames {
  ~ThreadFrames() {
    ended = true;
    for (FreeList& list : lists) {
      while (FreeFrame* const frame = list.first) {
        list.first = frame->next;
        ::operator delete(frame);
      }
    }
  }
  std::array<FreeList, FramePool::kLargestFrame / kStep> lists;
  // Frames may outlive what their thread keeps: those of the main thread's globals do.
  static thread_local constinit bool ended;
};

thread_local constinit bool ThreadFrames::ended = false;
thread_local ThreadFrames frames;

std::size_t steps(std::size_t bytes) { return (bytes + kStep - 1) / kStep; }

FreeList* list_for(std::size_t bytes) {
  if (!kReuse || bytes == 0 || bytes > FramePool::kLargestFrame || ThreadFrames::ended) return nullptr;
  return &frames.lists[steps(bytes) - 1];
}

}  // namespace

void* FramePool::allocate(std::size_t bytes) {
  FreeList* const list = list_for(bytes);
  if (list == nullptr) return ::operator new(bytes);
  if (list->first == nullptr) return ::operator new(steps(bytes) * kStep);
  FreeFrame* const frame = list->first;
  list->first = frame->next;
  --list->length;
  return frame;
}

void FramePool::release(void* frame, std::size_t bytes) noexcept {
  FreeList* const list = list_for(bytes);
  if (list == nullptr || list->length >= kKeptOfASize) return ::operator delete(frame);
  list->first = new (frame) FreeFrame{list->first};
  ++list->length;
}

}  // namespace dohle::runtime
