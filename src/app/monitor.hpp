// The progress bar on a terminal, and the signals that ask for a stop.
#pragma once

#include <array>
#include <chrono>
#include <csignal>
#include <string_view>

#include "engine/block_pool.hpp"

namespace trialwright::app {

// While one lives, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU and SIGHUP (unless it was ignored, as
// nohup does) ask for a stop instead of ending the process: what terminals, Slurm, SGE, LSF and PBS
// send before they kill. A second SIGINT ends it at once. Writing to a closed pipe, or beyond the size
// a file may have, becomes an error like any other. One at a time.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  bool stop_requested() const;

 private:
  static constexpr std::array k_stopping{SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGHUP};
  static constexpr std::array k_ignored{SIGPIPE, SIGXFSZ};
  std::array<struct sigaction, k_stopping.size()> before_{};
  std::array<struct sigaction, k_ignored.size()> ignored_before_{};
};

// Shows a bar with what is counted, its rate and time left on stderr, only where that is a terminal and
// `bar` shown.
class TerminalMonitor final : public engine::Monitor {
 public:
  enum class Bar { shown, hidden };
  explicit TerminalMonitor(Bar bar);
  ~TerminalMonitor() override;

  void begin(Phase phase) override;
  void progress(std::uint64_t done, std::uint64_t total) override;
  bool stop_requested() override;

  // Wipes the bar, where there is one, to make room for text.
  void clear();

 private:
  StopSignals signals_;
  bool shown_;
  bool drawn_ = false;
  Phase phase_ = Phase::trials;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_drawn_;
};

// To stderr, whatever becomes of it: a terminal that is gone must not end a run.
void tell(std::string_view text);

}  // namespace trialwright::app
