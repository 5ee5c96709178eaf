// For tests of files: a full disk, what a fault says, and how many files are left.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

#include "trialwright/error.hpp"

namespace trialwright::support {

// A limit on the size of files stands in for a full disk: write() fails midway.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

inline std::size_t n_files(const std::filesystem::path& directory) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory),
                                                std::filesystem::directory_iterator()));
}

// What the input/output fault of a deed says; "" where there is none.
template <class Deed>
std::string fault_of(Deed deed) {
  try {
    deed();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::io);
    return error.what();
  }
  return "";
}

}  // namespace trialwright::support
