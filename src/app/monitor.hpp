// The progress bar on a terminal, and Ctrl-C.
#pragma once

#include <chrono>
#include <memory>

#include "engine/block_pool.hpp"

namespace trialwright::app {

// Shows a bar with what is counted, its rate and time left on stderr, only where that is a terminal and
// `bar` shown; while it lives, SIGINT and SIGTERM ask for a stop instead of ending the process (a
// second one ends it).
class TerminalMonitor final : public engine::Monitor {
 public:
  enum class Bar { shown, hidden };
  explicit TerminalMonitor(Bar bar);
  ~TerminalMonitor() override;

  void begin(Phase phase) override;
  void progress(std::uint64_t done, std::uint64_t total) override;
  bool stop_requested() override;

 private:
  bool shown_;
  bool drawn_ = false;
  Phase phase_ = Phase::trials;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_drawn_;
};

}  // namespace trialwright::app
