// Draws of a count by inversion of its distribution function, compiled so that nearly every draw is one
// load from a small table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace trialwright::rng {

// The law of a count on first() .. last(). A draw takes a 32-bit word w and, where it could not be
// decided else (at most once in 2^22 draws), 32 bits more: the count is the smallest x with
// U < 2^64 P(X <= x), U = 2^32 w + the further bits. So probabilities are those given to 2^-63, and the
// count never decreases with the word: laws that share their words stay coupled.
//
// A guide table (Chen & Asau 1974) over the word's upper bits: an entry holds the count at its bucket's
// start and the one threshold that may lie within; a bucket with several is marked, and searched.
class CountTable {
 public:
  // Buckets are at least 2^guide_bits (6 to 16): more where the law is wider.
  static constexpr int k_guide_bits = 10;

  // P(X = first + i) in proportion to weights[i] >= 0, of which the largest is positive and finite.
  // Either tail is cut where it holds less than 1e-17.
  CountTable(int first, const std::vector<double>& weights, int guide_bits = k_guide_bits);

  // Binomial(n, p), n >= 0, p in [0, 1]; made of + - * / alone, so that it has the same bits
  // everywhere.
  static CountTable binomial(int n, double p, int guide_bits = k_guide_bits);

  int first() const { return first_; }
  int last() const { return first_ + static_cast<int>(thresholds_.size()); }
  // P(X = x) as drawn, to 2^-64.
  double probability(int x) const;
  std::size_t bytes() const {
    return entries_.size() * sizeof(entries_[0]) + thresholds_.size() * sizeof(thresholds_[0]);
  }

  // `lower` gives the further 32 bits; it is called only where they decide.
  template <class Lower>
  std::int32_t draw(std::uint32_t word, Lower&& lower) const {
    const std::uint32_t entry = entries_[word >> shift_];
    const std::uint32_t place = word & mask_, threshold = entry & mask_;
    if ((entry & k_marked) != 0 || place == threshold) [[unlikely]]
      return search(word, lower);
    return first_ + static_cast<std::int32_t>(entry >> shift_) + (place > threshold ? 1 : 0);
  }

  // The same of a column of words: lower(i) gives the further bits of words[i].
  template <class Lower>
  void draw(std::span<const std::uint32_t> words, std::int32_t* out, Lower&& lower) const {
    // Copies, which the compiler knows that no store to `out` changes. Loads go one by one, all else by
    // vectors of a run; what must be searched is looked for only in runs that have some.
    constexpr std::size_t k_run = 32;
    const std::uint32_t* entries = entries_.data();
    const int shift = shift_;
    const std::int32_t first = first_;
    const std::uint32_t mask = mask_;
    std::size_t i = 0;
    for (; i + k_run <= words.size(); i += k_run) {
      const std::uint32_t* word = words.data() + i;
      std::uint32_t entry[k_run];
      std::uint32_t is_rare[k_run];
      std::uint32_t any_rare = 0;
      for (std::size_t k = 0; k < k_run; ++k) entry[k] = entries[word[k] >> shift];
      for (std::size_t k = 0; k < k_run; ++k) {
        const auto place = static_cast<std::int32_t>(word[k] & mask);
        const auto threshold = static_cast<std::int32_t>(entry[k] & mask);
        out[i + k] = first + static_cast<std::int32_t>(entry[k] >> shift) + (place > threshold ? 1 : 0);
        is_rare[k] = (entry[k] | (place == threshold ? k_marked : 0)) & k_marked;
        any_rare |= is_rare[k];
      }
      if (any_rare == 0) continue;
      for (std::size_t k = 0; k < k_run; ++k)
        if (is_rare[k] != 0) out[i + k] = search(word[k], [&] { return lower(i + k); });
    }
    for (; i < words.size(); ++i) out[i] = draw(words[i], [&] { return lower(i); });
  }

 private:
  // Counts below first_ + the number of thresholds at or below U.
  std::size_t n_reached(std::uint64_t u) const;
  template <class Lower>
  std::int32_t search(std::uint32_t word, Lower&& lower) const {
    const std::uint64_t upper = static_cast<std::uint64_t>(word) << 32;
    std::size_t reached = n_reached(upper);
    if (n_reached(upper | 0xFFFFFFFFu) != reached)
      reached = n_reached(upper | static_cast<std::uint64_t>(lower()));
    return first_ + static_cast<std::int32_t>(reached);
  }
  void set_thresholds(const std::vector<double>& probabilities);
  void set_entries(int guide_bits);

  static constexpr std::uint32_t k_marked = 0x80000000u;

  // An entry: [marked : 1][count - first_ : bits - 1][threshold : 32 - bits].
  std::vector<std::uint32_t> entries_;
  std::vector<std::uint64_t> thresholds_;  // [i] = 2^64 P(X <= first_ + i), without the last
  int first_ = 0;
  int shift_ = 0;
  std::uint32_t mask_ = 0;
};

}  // namespace trialwright::rng
