// The progress bar on a terminal, and Ctrl-C.
#pragma once

#include <chrono>
#include <memory>

#include "engine/block_pool.hpp"

namespace trialwright::app {

// Shows a bar with trials/s and time left on stderr, only where that is a terminal and `quiet` is off;
// while it lives, SIGINT and SIGTERM ask for a stop instead of ending the process (a second one ends
// it).
class TerminalMonitor final : public engine::Monitor {
 public:
  enum class Bar { shown, hidden };
  explicit TerminalMonitor(Bar bar);
  ~TerminalMonitor() override;

  void progress(std::uint64_t done, std::uint64_t total) override;
  bool stop_requested() override;

 private:
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_drawn_;
};

}  // namespace trialwright::app
