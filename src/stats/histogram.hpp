// A histogram that merges, for quantiles of nonnegative values: exact for integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stats/interval.hpp"

namespace trialwright::stats {

// Counts of values rounded to the nearest multiple of a bin width: with width 1 it holds integers
// exactly, else every value to half a width. Values above the last bin are counted there; n_beyond()
// tells how many.
class Histogram {
 public:
  // The whole state, to be stored and made again from: bins `first` … first + counts.size() - 1 <
  // n_bins hold counts, the first and the last of them some.
  struct State {
    double width = 1;
    std::size_t n_bins = 1;
    std::uint64_t n_beyond = 0;
    std::size_t first = 0;
    std::vector<std::uint64_t> counts{};

    friend bool operator==(const State&, const State&) = default;
  };

  // Bins at 0, width, ..., (n_bins - 1) width; width > 0, n_bins >= 1.
  Histogram(double width, std::size_t n_bins);
  explicit Histogram(State state);

  // Counts x >= 0 `n` times.
  void add(double x, std::uint64_t n = 1);
  // Adds what `other`, of the same width and number of bins, has counted.
  void merge(const Histogram& other);

  State state() const;
  std::uint64_t count() const { return n_; }
  std::uint64_t n_beyond() const { return n_beyond_; }
  double width() const { return width_; }
  // Bins held: from the lowest to the highest that any value fell into, and a few around.
  std::size_t n_held() const { return counts_.size(); }

  // The smallest bin at which the empirical distribution function reaches `probability` in [0, 1]
  // (Hyndman & Fan 1996, type 1); NaN for no values.
  double quantile(double probability) const;

  // An interval that holds the quantile of the underlying distribution with at least the given
  // confidence, by order statistics with binomial ranks (Conover 1999, section 3.2); the ends of the
  // data where the sample is too small for it.
  Interval quantile_interval(double probability, double level) const;

  // The standard error that the 95% quantile_interval corresponds to, its width / (2 z).
  double mcse_of_quantile(double probability) const;

 private:
  // Holds the bins from `first` to `last`, too.
  void hold(std::size_t first, std::size_t last);
  // The value of the given rank, from 1 to n.
  double order_statistic(std::uint64_t rank) const;

  double width_;
  std::size_t n_bins_;
  std::uint64_t n_ = 0;
  std::uint64_t n_beyond_ = 0;
  std::size_t first_ = 0;  // bin of counts_[0]
  std::vector<std::uint64_t> counts_;
};

}  // namespace trialwright::stats
