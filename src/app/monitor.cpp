#include "app/monitor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <string>
#include <utility>

namespace trialwright::app {
namespace {

// Set by signals alone, which have no other place to write to.
std::atomic<bool> g_stop_requested = false;
std::atomic<bool> g_is_interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not lock");

extern "C" void request_stop(int signal) {
  g_stop_requested = true;
  if (signal != SIGINT || !g_is_interrupted.exchange(true)) return;
  // A second Ctrl-C: the default action, once this handler returns.
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  ::raise(signal);
}

struct sigaction action_of(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  return action;
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
    case engine::Monitor::Phase::planning:
      return "points planned";
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

StopSignals::StopSignals() {
  g_stop_requested = false;
  g_is_interrupted = false;
  const auto stop = action_of(request_stop), ignore = action_of(SIG_IGN);
  for (std::size_t i = 0; i < k_stopping.size(); ++i) {
    ::sigaction(k_stopping[i], nullptr, &before_[i]);
    if (k_stopping[i] == SIGHUP && before_[i].sa_handler == SIG_IGN) continue;
    ::sigaction(k_stopping[i], &stop, nullptr);
  }
  for (std::size_t i = 0; i < k_ignored.size(); ++i)
    ::sigaction(k_ignored[i], &ignore, &ignored_before_[i]);
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < k_stopping.size(); ++i) ::sigaction(k_stopping[i], &before_[i], nullptr);
  for (std::size_t i = 0; i < k_ignored.size(); ++i)
    ::sigaction(k_ignored[i], &ignored_before_[i], nullptr);
}

bool StopSignals::stop_requested() const {
  return g_stop_requested;
}

TerminalMonitor::TerminalMonitor(Bar bar)
    : shown_(bar == Bar::shown && ::isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_drawn_(start_) {}

TerminalMonitor::~TerminalMonitor() {
  clear();
}

void TerminalMonitor::clear() {
  if (std::exchange(drawn_, false)) tell("\r\033[K");
}

void TerminalMonitor::begin(Phase phase) {
  phase_ = phase;
  start_ = std::chrono::steady_clock::now();
}

void TerminalMonitor::progress(std::uint64_t done, std::uint64_t total) {
  if (!shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (done < total && now - last_drawn_ < std::chrono::milliseconds(100)) return;
  if (phase_ == Phase::planning && now - start_ < std::chrono::seconds(1)) return;
  last_drawn_ = now;
  drawn_ = true;
  const double seconds = std::max(1e-9, std::chrono::duration<double>(now - start_).count());
  const double share = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  const double rate = static_cast<double>(done) / seconds;
  const double left = done == 0 ? 0 : seconds * (1 - share) / share;
  const auto n_full = static_cast<std::size_t>(share * 30);
  tell(fmt::format("\r[{}{}] {:3.0f}%  {} {}  {}/s  {} left\033[K", std::string(n_full, '#'),
                   std::string(30 - n_full, ' '), 100 * share, with_unit(static_cast<double>(done)),
                   unit_of(phase_), with_unit(rate), time_left(left)));
}

bool TerminalMonitor::stop_requested() {
  return signals_.stop_requested();
}

void tell(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace trialwright::app
