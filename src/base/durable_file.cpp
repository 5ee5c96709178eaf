#include "base/durable_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "trialwright/error.hpp"

namespace trialwright::base {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_write_failed = "writing failed, the old content stands";

std::string system_reason(int error) {
  return std::error_code(error, std::generic_category()).message();
}

// Writes all from `offset` on; the system's error, or 0.
int write_at(int descriptor, std::string_view content, std::uint64_t offset) {
  while (!content.empty()) {
    const ssize_t n = ::pwrite(descriptor, content.data(), content.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return 0;
}

// Everything from the descriptor's place on; the system's error, or 0.
int read_rest(int descriptor, std::string& content) {
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const ssize_t n = ::read(descriptor, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return 0;
    content.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

void sync_directory_of(const fs::path& file) {
  const fs::path directory = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_io(directory, "cannot be opened", errno);
  // Some file systems cannot sync a directory, and say EINVAL: nothing is wrong with the file then.
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (error != 0 && error != EINVAL) fail_io(directory, "cannot be synchronised", error);
}

// Does the path still lead to what is open?
bool is_under(const fs::path& path, int descriptor) {
  struct stat open_one {
  }, named{};
  return ::fstat(descriptor, &open_one) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

enum class Locked { yes, by_another, unsupported };

Locked try_lock(const fs::path& file, int descriptor, int operation) {
  while (::flock(descriptor, operation | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK || errno == EACCES) return Locked::by_another;
    if (errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS) return Locked::unsupported;
    fail_io(file, "cannot be locked", errno);
  }
  return Locked::yes;
}

[[noreturn]] void fail_locked(const fs::path& file) {
  std::string holder;
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) {
    read_rest(descriptor, holder);
    ::close(descriptor);
  }
  const std::size_t space = holder.find(' '), end = holder.find('\n');
  const std::string who = space < end && end != std::string::npos
                              ? fmt::format(" ({}, process {})", holder.substr(0, space),
                                            holder.substr(space + 1, end - space - 1))
                              : std::string();
  throw io_error(fmt::format("{}: another run is at work here{}", file.string(), who));
}

std::string own_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{} {}\n", host.data(), ::getpid());
}

}  // namespace

void fail_io(const fs::path& path, std::string_view deed, int error) {
  throw io_error(fmt::format("{}: {} ({})", path.string(), deed, system_reason(error)));
}

FileBeside::FileBeside(fs::path target) : target_(std::move(target)) {
  // Other hosts may share the directory, where process numbers tell nobody apart.
  std::random_device random;
  do {
    const std::uint64_t suffix = std::uint64_t{random()} << 32 | random();
    beside_ = fmt::format("{}.{:016x}.partial", target_.string(), suffix);
    descriptor_ = ::open(beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail_io(target_, "cannot be written", errno);
}

FileBeside::~FileBeside() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

void FileBeside::append(std::string_view content) {
  if (const int error = write_at(descriptor_, content, length_))
    fail_io(target_, k_write_failed, error);
  length_ += content.size();
}

void FileBeside::put_in_place() {
  if (::fsync(descriptor_) != 0) fail_io(target_, k_write_failed, errno);
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0) fail_io(target_, k_write_failed, errno);
  if (::rename(beside_.c_str(), target_.c_str()) != 0)
    fail_io(target_, "cannot be put in place", errno);
  beside_.clear();
  sync_directory_of(target_);
}

void write_file(const fs::path& file, std::string_view content) {
  FileBeside beside(file);
  beside.append(content);
  beside.put_in_place();
}

std::string read_file(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_io(file, "cannot be read", errno);
  std::string content;
  const int error = read_rest(descriptor, content);
  ::close(descriptor);
  if (error != 0) fail_io(file, "cannot be read", error);
  return content;
}

ReadFile::ReadFile(fs::path file) : path_(std::move(file)) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail_io(path_, "cannot be read", errno);
  struct stat about {};
  const int error = ::fstat(descriptor_, &about) != 0 ? errno : S_ISDIR(about.st_mode) ? EISDIR : 0;
  if (error != 0) {
    ::close(descriptor_);
    fail_io(path_, "cannot be read", error);
  }
  length_ = static_cast<std::uint64_t>(about.st_size);
}

ReadFile::~ReadFile() {
  ::close(descriptor_);
}

std::string ReadFile::read(std::uint64_t from, std::uint64_t n) const {
  std::string content(from >= length_ ? 0 : std::min(n, length_ - from), '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::pread(descriptor_, content.data() + done, content.size() - done,
                                static_cast<off_t>(from + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_io(path_, "cannot be read", errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  content.resize(done);
  return content;
}

AppendFile::AppendFile(fs::path file, std::uint64_t length) : path_(std::move(file)) {
  const bool is_new = ::access(path_.c_str(), F_OK) != 0;
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_io(path_, "cannot be written", errno);
  try {
    struct stat about {};
    if (::fstat(descriptor_, &about) != 0) fail_io(path_, "cannot be written", errno);
    length_ = static_cast<std::uint64_t>(about.st_size);
    if (length < length_ && ::ftruncate(descriptor_, static_cast<off_t>(length)) != 0)
      fail_io(path_, "cannot be cut", errno);
    length_ = std::min(length, length_);
    if (is_new) sync_directory_of(path_);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

AppendFile::~AppendFile() {
  ::close(descriptor_);
}

void AppendFile::append(std::string_view bytes) {
  if (const int error = write_at(descriptor_, bytes, length_)) {
    cut(length_);
    fail_io(path_, "appending failed, what was saved before stands", error);
  }
  length_ += bytes.size();
}

void AppendFile::sync() {
  if (::fsync(descriptor_) != 0)
    fail_io(path_, "appending failed, what was saved before stands", errno);
  if (!is_under(path_, descriptor_))
    throw io_error(fmt::format("{}: was removed or replaced while it was written to", path_.string()));
}

void AppendFile::cut(std::uint64_t length) noexcept {
  length_ = std::min(length, length_);
  // A tail that stays is overwritten by what is appended next, and is no record till then.
  [[maybe_unused]] const int failed = ::ftruncate(descriptor_, static_cast<off_t>(length_));
}

FileLock::FileLock(const fs::path& file) : path_(file) {
  // FileLock::is_held of another process holds the lock for a moment, and the holder before may be
  // removing the file.
  constexpr int k_attempts = 5;
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail_io(file, "cannot be written", errno);
    const Locked locked = try_lock(file, descriptor_, LOCK_EX);
    if (locked != Locked::by_another && is_under(file, descriptor_)) {
      [[maybe_unused]] const int failed = ::ftruncate(descriptor_, 0);
      write_at(descriptor_, own_name(), 0);
      return;
    }
    ::close(std::exchange(descriptor_, -1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  fail_locked(file);
}

FileLock::~FileLock() {
  if (is_under(path_, descriptor_)) ::unlink(path_.c_str());
  ::close(descriptor_);
}

bool FileLock::is_held(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const Locked locked = try_lock(file, descriptor, LOCK_SH);
  ::close(descriptor);
  return locked == Locked::by_another;
}

}  // namespace trialwright::base
