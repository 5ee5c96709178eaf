#include "trial/end_counts.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace trialwright::trial {
namespace {

constexpr std::size_t k_first_slots = 64;

// Of the ways of ending and the tests of the first looks, which tell nearly all ends apart.
std::size_t hash_of(const TrialEnd& end) {
  std::uint64_t ways = 0, tests = 0;
  static_assert(offsetof(TrialEnd, open_at) == sizeof ways);
  std::memcpy(&ways, &end, sizeof ways);
  std::memcpy(&tests, end.open_at.data(), sizeof tests);
  // An odd multiplier, as in splitmix64 (Steele, Lea & Flood 2014).
  const std::uint64_t hash = (ways ^ tests << 29 ^ tests >> 35) * 0x9e3779b97f4a7c15U;
  return static_cast<std::size_t>(hash >> 32);
}

}  // namespace

TrialEnd end_of(const design::TrialState& state, design::StopReason stop, design::Bits naive_rejected,
                int n_analysed) {
  TrialEnd end;
  end.n_looks = static_cast<std::uint8_t>(state.n_looks);
  end.stop = stop;
  end.rejected = static_cast<std::uint8_t>(state.rejected);
  end.naive_rejected = static_cast<std::uint8_t>(naive_rejected);
  end.n_analysed = n_analysed;
  for (std::size_t i = 0; i < static_cast<std::size_t>(state.n_looks); ++i)
    end.open_at[i] = static_cast<std::uint8_t>(state.open_at[i]);
  return end;
}

void EndCounts::add(const TrialEnd& end, std::uint64_t n) {
  if (n == 0) return;
  if (2 * n_used_ >= slots_.size()) grow();
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash_of(end) & mask;; at = (at + 1) & mask) {
    Slot& slot = slots_[at];
    if (slot.n == 0) {
      slot.end = end;
      ++n_used_;
    } else if (!(slot.end == end)) {
      continue;
    }
    slot.n += n;
    return;
  }
}

void EndCounts::clear() {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  n_used_ = 0;
}

void EndCounts::grow() {
  std::vector<Slot> before(std::max(k_first_slots, 2 * slots_.size()));
  std::swap(before, slots_);
  n_used_ = 0;
  for (const auto& [end, n] : before) add(end, n);
}

}  // namespace trialwright::trial
