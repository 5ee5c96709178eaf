#include "app/monitor.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace trialwright::app {
namespace {

volatile std::sig_atomic_t g_stop_requested = 0;

extern "C" void request_stop(int signal) {
  if (g_stop_requested) {
    ::signal(signal, SIG_DFL);
    ::raise(signal);
  }
  g_stop_requested = 1;
}

std::string time_left(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string with_unit(double value) {
  if (value >= 1e6) return fmt::format("{:.1f}M", value / 1e6);
  if (value >= 1e3) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

const char* unit_of(engine::Monitor::Phase phase) {
  switch (phase) {
    case engine::Monitor::Phase::exact_powers:
      return "exact powers";
    case engine::Monitor::Phase::true_values:
      return "trials for true values";
    case engine::Monitor::Phase::trials:
      return "trials";
  }
  return "";
}

}  // namespace

TerminalMonitor::TerminalMonitor(Bar bar)
    : shown_(bar == Bar::shown && ::isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_drawn_(start_) {
  g_stop_requested = 0;
  ::signal(SIGINT, request_stop);
  ::signal(SIGTERM, request_stop);
}

TerminalMonitor::~TerminalMonitor() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
}

void TerminalMonitor::begin(Phase phase) {
  phase_ = phase;
  start_ = std::chrono::steady_clock::now();
}

void TerminalMonitor::progress(std::uint64_t done, std::uint64_t total) {
  if (!shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (done < total && now - last_drawn_ < std::chrono::milliseconds(100)) return;
  last_drawn_ = now;
  drawn_ = true;
  const double seconds = std::max(1e-9, std::chrono::duration<double>(now - start_).count());
  const double share = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  const double rate = static_cast<double>(done) / seconds;
  const double left = done == 0 ? 0 : seconds * (1 - share) / share;
  const auto n_full = static_cast<std::size_t>(share * 30);
  fmt::print(stderr, "\r[{}{}] {:3.0f}%  {} {}  {}/s  {} left\033[K", std::string(n_full, '#'),
             std::string(30 - n_full, ' '), 100 * share, with_unit(static_cast<double>(done)),
             unit_of(phase_), with_unit(rate), time_left(left));
  std::fflush(stderr);
}

bool TerminalMonitor::stop_requested() {
  return g_stop_requested != 0;
}

}  // namespace trialwright::app
