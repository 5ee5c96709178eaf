// Files that survive: written beside and renamed, or appended to and synchronised; locks on them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace trialwright::base {

// Throws io_error "PATH: DEED (the system's reason for `error`)".
[[noreturn]] void fail_io(const std::filesystem::path& path, std::string_view deed, int error);

// A file that is being written beside its target, under a name that no other process uses; gone again
// unless it is put in place. Throws io_error with the target's path and the system's reason; what
// stands under the target's name is then untouched.
class FileBeside {
 public:
  explicit FileBeside(std::filesystem::path target);
  FileBeside(const FileBeside&) = delete;
  FileBeside& operator=(const FileBeside&) = delete;
  ~FileBeside();

  void append(std::string_view content);
  // fsync, rename to the target's name, fsync of the directory. The last call.
  void put_in_place();

 private:
  std::filesystem::path target_;
  std::filesystem::path beside_;
  int descriptor_ = -1;
  std::uint64_t length_ = 0;
};

// Writes a file so that at every moment either its old or its new content stands under its name, on the
// disk too, by FileBeside. Where it throws, nothing is left beside it.
void write_file(const std::filesystem::path& file, std::string_view content);

// The whole content; throws io_error where it cannot be read.
std::string read_file(const std::filesystem::path& file);

// A file that is read here and there. Not what is appended to it after it was opened.
class ReadFile {
 public:
  // Throws io_error where it cannot be read.
  explicit ReadFile(std::filesystem::path file);
  ReadFile(const ReadFile&) = delete;
  ReadFile& operator=(const ReadFile&) = delete;
  ~ReadFile();

  std::uint64_t length() const { return length_; }
  // Bytes from … from + n - 1, or what there is of them. Throws io_error.
  std::string read(std::uint64_t from, std::uint64_t n) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t length_ = 0;
};

// A file that grows at its end alone. Not for use by two threads at once.
class AppendFile {
 public:
  // Opens or makes the file and cuts it to `length` bytes where that is less than it has.
  AppendFile(std::filesystem::path file, std::uint64_t length);
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  ~AppendFile();

  // Appends and, where it fails (no space ...), cuts the file to what it held before and throws
  // io_error.
  void append(std::string_view bytes);
  // Returns when what was appended is on the disk. Throws io_error where that fails, and where another
  // file, or none, stands under the name by now (a directory removed under way).
  void sync();
  // Leaves the first `length` bytes, of those there are; what fails in it is not told.
  void cut(std::uint64_t length) noexcept;

  std::uint64_t length() const { return length_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t length_ = 0;
};

// An exclusive lock on a file, which is made where it is absent, held until destruction, which removes
// the file, or death, which leaves it (flock(2)). Tells who holds it by a line of text in the file,
// "HOST PROCESS". On a file system that knows no locks there is none, and nobody is kept out.
class FileLock {
 public:
  // Throws io_error "… another run is at work here (HOST, process N)" where another process holds it.
  explicit FileLock(const std::filesystem::path& file);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

  // Is it held by any process?
  static bool is_held(const std::filesystem::path& file);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace trialwright::base
