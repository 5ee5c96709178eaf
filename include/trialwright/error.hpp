// The exceptions that the library throws; each knows the exit status it ends the program with.
#pragma once

#include <stdexcept>
#include <string>

namespace trialwright {

enum class ExitStatus : int { done = 0, bad_input = 2, io = 3, interrupted = 4, check_failed = 5 };

// A fault to be told to the user. what() is the whole message, ready to print,
// without a trailing newline.
class Error : public std::runtime_error {
 public:
  Error(ExitStatus status, const std::string& message) : std::runtime_error(message), status_(status) {}
  ExitStatus status() const noexcept { return status_; }

 private:
  ExitStatus status_;
};

inline Error bad_input(const std::string& message) {
  return {ExitStatus::bad_input, message};
}
inline Error io_error(const std::string& message) {
  return {ExitStatus::io, message};
}

}  // namespace trialwright
