#include "trial/end_counts.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace trialwright::trial {
namespace {

using Words = EndCounts::Words;

constexpr std::size_t k_first_slots = 64;

// Byte by byte, not by a copy of the whole: an end's bytes were written one by one just before.
Words words_of(const TrialEnd& end) {
  Words words{std::uint64_t{end.n_looks} | static_cast<std::uint64_t>(end.stop) << 8 |
              std::uint64_t{end.rejected} << 16 | std::uint64_t{end.naive_rejected} << 24 |
              std::uint64_t{static_cast<std::uint32_t>(end.n_analysed)} << 32};
  for (std::size_t i = 0; i < end.n_looks; ++i)
    words[1 + i / 8] |= std::uint64_t{end.open_at[i]} << 8 * (i % 8);
  return words;
}

std::size_t hash_of(const Words& words) {
  // Odd multipliers, of splitmix64 (Steele, Lea & Flood 2014), one a word so that none waits for
  // another.
  const std::uint64_t hash = words[0] * 0x9e3779b97f4a7c15U + words[1] * 0xbf58476d1ce4e5b9U +
                             words[2] * 0x94d049bb133111ebU + words[3] * 0xd6e8feb86659fd93U;
  return static_cast<std::size_t>(hash ^ hash >> 32);
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
  add_words(words_of(end), n);
}

TrialEnd EndCounts::end_of_words(const Words& words) {
  TrialEnd end;
  end.n_looks = static_cast<std::uint8_t>(words[0]);
  end.stop = static_cast<design::StopReason>(words[0] >> 8 & 0xff);
  end.rejected = static_cast<std::uint8_t>(words[0] >> 16);
  end.naive_rejected = static_cast<std::uint8_t>(words[0] >> 24);
  end.n_analysed = static_cast<std::int32_t>(words[0] >> 32);
  for (std::size_t i = 0; i < end.n_looks; ++i)
    end.open_at[i] = static_cast<std::uint8_t>(words[1 + i / 8] >> 8 * (i % 8));
  return end;
}

void EndCounts::add_words(const Words& words, std::uint64_t n) {
  if (2 * n_used_ >= slots_.size()) grow();
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash_of(words) & mask;; at = (at + 1) & mask) {
    Slot& slot = slots_[at];
    if (slot.n == 0) {
      slot.words = words;
      ++n_used_;
    } else if (slot.words != words) {
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
  for (const auto& [words, n] : before)
    if (n > 0) add_words(words, n);
}

}  // namespace trialwright::trial
