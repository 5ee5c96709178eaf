// A library to load before a program (LD_PRELOAD) that makes files and clocks fail, as its environment
// says:
//   FAULT_PATH=TEXT          only files whose path holds this text fail
//   FAULT_WRITES_AFTER=N     their writing fails with ENOSPC once N bytes are written
//   FAULT_KILL_AFTER=N       the process kills itself (SIGKILL) in the midst of the write that goes beyond N bytes
//   FAULT_SYNCS_AFTER=N      their fsync fails with EIO from the (N + 1)-th on
//   FAULT_OPENING=ERROR      opening them to write, and making directories, fails with this errno
//   FAULT_CLOCK=jumps        the clock of the day jumps by days, forth and back, at every look
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace {

std::atomic<std::int64_t> g_n_written = 0;
std::atomic<std::int64_t> g_n_syncs = 0;
std::atomic<std::int64_t> g_n_looks = 0;

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool is_meant(const char* path) {
  const char* text = getenv("FAULT_PATH");
  return text && strstr(path, text);
}

bool is_meant(int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return false;
  path[n] = '\0';
  return is_meant(path);
}

// Bytes that may still be written; `size` where nothing limits them.
std::size_t allowance(int descriptor, std::size_t size) {
  const char* after = getenv("FAULT_WRITES_AFTER");
  if (!after || !is_meant(descriptor)) return size;
  const std::int64_t left = atoll(after) - g_n_written.fetch_add(static_cast<std::int64_t>(size));
  return left <= 0 ? 0 : left < static_cast<std::int64_t>(size) ? static_cast<std::size_t>(left) : size;
}

// Bytes that are still written before the process dies; `size` where it does not.
std::size_t last_bytes(int descriptor, std::size_t size) {
  const char* after = getenv("FAULT_KILL_AFTER");
  if (!after || !is_meant(descriptor)) return size;
  const std::int64_t left = atoll(after) - g_n_written.fetch_add(static_cast<std::int64_t>(size));
  return left >= static_cast<std::int64_t>(size) ? size : static_cast<std::size_t>(left > 0 ? left : 0);
}

bool opening_fails(const char* path) {
  const char* error = getenv("FAULT_OPENING");
  if (!error || !is_meant(path)) return false;
  errno = atoi(error);
  return true;
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* data, size_t size) {
  const size_t n = allowance(descriptor, size);
  if (n > 0 || size == 0)
    return next<ssize_t (*)(int, const void*, size_t)>("write")(descriptor, data, n);
  errno = ENOSPC;
  return -1;
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t at) {
  const auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  if (const size_t last = last_bytes(descriptor, size); last < size) {
    real(descriptor, data, last, at);
    kill(getpid(), SIGKILL);
  }
  const size_t n = allowance(descriptor, size);
  if (n > 0 || size == 0) return real(descriptor, data, n, at);
  errno = ENOSPC;
  return -1;
}

ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t at) {
  return pwrite(descriptor, data, size, at);
}

int fsync(int descriptor) {
  const char* after = getenv("FAULT_SYNCS_AFTER");
  if (after && is_meant(descriptor) && ++g_n_syncs > atoll(after)) {
    errno = EIO;
    return -1;
  }
  return next<int (*)(int)>("fsync")(descriptor);
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if ((flags & O_ACCMODE) != O_RDONLY && opening_fails(path)) return -1;
  return next<int (*)(const char*, int, ...)>("open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open(path, flags, mode);
}

int mkdir(const char* path, mode_t mode) {
  if (opening_fails(path)) return -1;
  return next<int (*)(const char*, mode_t)>("mkdir")(path, mode);
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  const int status = next<int (*)(clockid_t, struct timespec*)>("clock_gettime")(clock, time);
  if (status != 0 || clock != CLOCK_REALTIME || !getenv("FAULT_CLOCK")) return status;
  constexpr std::int64_t k_day = 86400;
  const std::int64_t n = ++g_n_looks;
  time->tv_sec += (n % 2 == 0 ? n : -n) % 10 * k_day;
  return status;
}
}
