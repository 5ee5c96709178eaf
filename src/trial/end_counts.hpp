// How trials with looks ended, and how often: what the sums of a point count of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "design/staged_design.hpp"

namespace trialwright::trial {

struct TrialEnd {
  std::uint8_t n_looks = 0;
  design::StopReason stop = design::StopReason::none;
  std::uint8_t rejected = 0;  // hypotheses, and so below
  std::uint8_t naive_rejected = 0;
  std::int32_t n_analysed = 0;
  std::array<std::uint8_t, design::k_most_looks> open_at{};

  friend bool operator==(const TrialEnd&, const TrialEnd&) = default;
};

// Of a trial in this state after its last look, stopped there for this reason.
TrialEnd end_of(const design::TrialState& state, design::StopReason stop, design::Bits naive_rejected,
                int n_analysed);

// How often trials ended how: equal ends are counted together.
class EndCounts {
 public:
  void add(const TrialEnd& end, std::uint64_t n = 1);
  void clear();
  // Calls f(end, n) for each, in no order that means anything.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [words, n] : slots_)
      if (n > 0) f(end_of_words(words), n);
  }

  // An end, packed: the first word its numbers, then its open_at, a byte each.
  using Words = std::array<std::uint64_t, 1 + (design::k_most_looks + 7) / 8>;

 private:
  struct Slot {
    Words words{};
    std::uint64_t n = 0;
  };
  static TrialEnd end_of_words(const Words& words);
  void add_words(const Words& words, std::uint64_t n);
  void grow();

  std::vector<Slot> slots_;  // open addressing; a power of two
  std::size_t n_used_ = 0;
};

}  // namespace trialwright::trial
