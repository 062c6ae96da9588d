// Preloaded into the node: notes what of each file is durable, so that cut.py can take the rest away after a kill.
// A line a sync in $SYNCED_LOG: inode, size when the sync began. What is not synced by one of these calls does not
// count.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
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

// Covers files that nobody here knows: a test that comes to this must use fewer partitions.
int syncfs(int fd) {
  (void)fd;
  abort();
}
