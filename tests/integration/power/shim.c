/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a process: remembers what every write to files below POWER_FOLDER replaced until a sync of that file,
 * in the log POWER_LOG, so that a power cut can be played afterwards. POWER_SPACE bounds how many bytes may be written
 * to them in all: beyond that the disk is full.
 *
 * A log entry: kind ('w' write or cut, 's' sync), length of the path, offset, size of the file before, bytes that
 * follow; then the path and the bytes that stood at the offset. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct entry {
  uint64_t kind, path, offset, size, old;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static long long space = -1;
static const char *folder;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void begin(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  folder = getenv("POWER_FOLDER");
  const char *log = getenv("POWER_LOG"), *bound = getenv("POWER_SPACE");
  if (folder && log) log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (bound) space = atoll(bound);
}

/* The path of a file below the folder; 0 for any other, and for memory that SQLite shares and rebuilds. */
static size_t watched(int fd, char *path, size_t room) {
  char link[64];
  if (log_fd < 0 || fd == log_fd) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, room - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  if (strncmp(path, folder, strlen(folder)) || (length > 4 && !strcmp(path + length - 4, "-shm"))) return 0;
  return (size_t)length;
}

static void note(char kind, int fd, const char *path, size_t length, off_t offset, size_t count) {
  struct stat now;
  if (fstat(fd, &now)) return;
  size_t old = 0;
  char *bytes = NULL;
  if (kind == 'w' && offset < now.st_size) {
    old = (size_t)(now.st_size - offset) < count ? (size_t)(now.st_size - offset) : count;
    bytes = malloc(old ? old : 1);
    ssize_t had = pread(fd, bytes, old, offset);
    old = had < 0 ? 0 : (size_t)had;
  }
  struct entry head = {(uint64_t)kind, length, (uint64_t)offset, (uint64_t)now.st_size, old};
  struct iovec parts[3] = {{&head, sizeof head}, {(void *)path, length}, {bytes, old}};
  if (writev(log_fd, parts, 3) < 0) abort();
  free(bytes);
}

static ssize_t put(int fd, const void *data, size_t count, off_t offset, int moves) {
  char path[4096];
  size_t length = watched(fd, path, sizeof path);
  if (!length) return moves ? real_write(fd, data, count) : real_pwrite(fd, data, count, offset);
  pthread_mutex_lock(&lock);
  if (moves) offset = lseek(fd, 0, SEEK_CUR);
  ssize_t done = -1;
  if (space >= 0 && (long long)count > space) {
    errno = ENOSPC;
  } else {
    if (space >= 0) space -= (long long)count;
    note('w', fd, path, length, offset, count);
    done = moves ? real_write(fd, data, count) : real_pwrite(fd, data, count, offset);
  }
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t write(int fd, const void *data, size_t count) { return put(fd, data, count, 0, 1); }
ssize_t pwrite(int fd, const void *data, size_t count, off_t offset) { return put(fd, data, count, offset, 0); }
ssize_t pwrite64(int fd, const void *data, size_t count, off_t offset) { return put(fd, data, count, offset, 0); }

int ftruncate(int fd, off_t size) {
  char path[4096];
  size_t length = watched(fd, path, sizeof path);
  struct stat now;
  if (length && !fstat(fd, &now)) {
    pthread_mutex_lock(&lock);
    note('w', fd, path, length, size, now.st_size > size ? (size_t)(now.st_size - size) : 0);
    pthread_mutex_unlock(&lock);
  }
  return real_ftruncate(fd, size);
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

static int settle(int fd, int (*real)(int)) {
  char path[4096];
  size_t length = watched(fd, path, sizeof path);
  int result = real(fd);
  if (length && !result) {
    pthread_mutex_lock(&lock);
    note('s', fd, path, length, 0, 0);
    pthread_mutex_unlock(&lock);
  }
  return result;
}
int fsync(int fd) { return settle(fd, real_fsync); }
int fdatasync(int fd) { return settle(fd, real_fdatasync); }
