// Preloaded into the node: notes what of each file is durable, so that cut.py can take the rest away after a kill.
// A line a sync in $SYNCED_LOG: inode, size when the sync began. What is not synced by one of these calls does not
// count.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void note(const struct stat* file) {
  const char* path = getenv("SYNCED_LOG");
  if (!path || !S_ISREG(file->st_mode)) return;
  char line[64];
  int length = snprintf(line, sizeof line, "%lu %ld\n", (unsigned long)file->st_ino, (long)file->st_size);
  int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0 || write(log, line, length) != length) abort();
  close(log);
}

static int sync_with(const char* name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  struct stat file;
  if (fstat(fd, &file) != 0) return -1;
  int status = real(fd);
  if (status == 0) note(&file);
  return status;
}

int fdatasync(int fd) { return sync_with("fdatasync", fd); }
int fsync(int fd) { return sync_with("fsync", fd); }

// Of all files below the directory: what they hold when the sync begins. (The node syncs file systems by their log directories.)
static struct stat* below;
static size_t count;

static int remember(const char* path, const struct stat* file, int kind, struct FTW* where) {
  (void)path, (void)where;
  if (kind != FTW_F) return 0;
  struct stat* grown = realloc(below, (count + 1) * sizeof *below);
  if (!grown) abort();
  below = grown;
  below[count++] = *file;
  return 0;
}

int syncfs(int fd) {
  static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "syncfs");
  char link[64], path[4096] = {0};
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (readlink(link, path, sizeof path - 1) < 0) abort();
  pthread_mutex_lock(&one);
  count = 0;
  if (nftw(path, remember, 16, FTW_PHYS) != 0) abort();
  int status = real(fd);
  for (size_t i = 0; status == 0 && i < count; ++i) note(&below[i]);
  pthread_mutex_unlock(&one);
  return status;
}
