// Counts what a process allocates, copies and locks: preloaded into it, with the counters in the file DOHLE_COUNTS,
// which others may read at any time. 64-bit numbers, in the order of Counter.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

enum Counter : std::size_t { kAllocations, kAllocatedBytes, kCopiedBytes, kLocks, kCounters };

// Until the file is there.
std::atomic<std::uint64_t> in_memory[kCounters];
std::atomic<std::uint64_t>* counters = in_memory;

void add(Counter counter, std::uint64_t n) { counters[counter].fetch_add(n, std::memory_order_relaxed); }

void count_allocation(std::size_t bytes) {
  add(kAllocations, 1);
  add(kAllocatedBytes, bytes);
}

[[gnu::constructor]] void open_file() {
  const char* const path = std::getenv("DOHLE_COUNTS");
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(in_memory)) != 0) return;
  void* const memory = mmap(nullptr, sizeof(in_memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory != MAP_FAILED) counters = static_cast<std::atomic<std::uint64_t>*>(memory);
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  count_allocation(size);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  count_allocation(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  count_allocation(size);
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count_allocation(size);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  count_allocation(size);
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}

// What the compiler does not do by itself; neither may call the other.
void* memcpy(void* to, const void* from, std::size_t size) {
  add(kCopiedBytes, size);
  void* at = to;
  asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
  return to;
}
void* memmove(void* to, const void* from, std::size_t size) {
  add(kCopiedBytes, size);
  if (static_cast<std::uint8_t*>(to) - static_cast<const std::uint8_t*>(from) < 0 ||
      static_cast<const std::uint8_t*>(from) + size <= static_cast<std::uint8_t*>(to)) {
    void* at = to;
    asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
    return to;
  }
  void* at = static_cast<std::uint8_t*>(to) + size - 1;
  const void* last = static_cast<const std::uint8_t*>(from) + size - 1;
  if (size > 0) asm volatile("std; rep movsb; cld" : "+D"(at), "+S"(last), "+c"(size) : : "memory");
  return to;
}

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  static const auto real = next<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
  add(kLocks, 1);
  return real(mutex);
}
int pthread_mutex_trylock(pthread_mutex_t* mutex) {
  static const auto real = next<int (*)(pthread_mutex_t*)>("pthread_mutex_trylock");
  add(kLocks, 1);
  return real(mutex);
}
}
