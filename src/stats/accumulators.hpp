// Accumulators of what trials give: counts and moments that merge, in any order to the same bits.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/contract.hpp"
#include "stats/exact_sum.hpp"

namespace trialwright::stats {

// How often something happened in n trials.
struct Count {
  std::uint64_t n_events = 0;
  std::uint64_t n = 0;

  void add(std::uint64_t events, std::uint64_t trials) {
    TRIALWRIGHT_EXPECT(events <= trials);
    n_events += events;
    n += trials;
  }
  void merge(const Count& other) { add(other.n_events, other.n); }
  // n_events / n; NaN for none.
  double proportion() const { return static_cast<double>(n_events) / static_cast<double>(n); }
  // sqrt(p (1 - p) / n), 0 at p = 0 and p = 1; NaN for none.
  double mcse() const;

  friend bool operator==(const Count&, const Count&) = default;
};

// Sums of the first four powers.
struct PowerSums {
  double sum = 0;
  double sum_of_squares = 0;
  double sum_of_cubes = 0;
  double sum_of_fourths = 0;

  friend bool operator==(const PowerSums&, const PowerSums&) = default;
};

// The first four moments of a column of numbers, kept as sums of powers of x - shift. A shift near the
// mean saves digits; one at the true value of an estimated quantity gives its bias and RMSE.
//
// What is added to one Moments is summed in plain doubles, in the order of adding; what is merged is
// summed exactly (ExactSum). Columns that were added to each its own Moments have, merged, the same
// bits in every order and nesting.
class Moments {
 public:
  // The whole state, to be stored and made again from.
  struct State {
    double shift = 0;
    std::uint64_t n = 0;
    PowerSums own;                                // of what was added
    std::array<std::vector<double>, 4> merged{};  // ExactSum::partials of what was merged, by power

    friend bool operator==(const State&, const State&) = default;
  };

  explicit Moments(double shift = 0) : shift_(shift) {}
  explicit Moments(const State& state);

  void add(double x) {
    const double d = x - shift_, square = d * d;
    ++n_;
    own_.sum += d;
    own_.sum_of_squares += square;
    own_.sum_of_cubes += square * d;
    own_.sum_of_fourths += square * square;
  }
  // Adds x `n` times at once: the same sums but for rounding.
  void add(double x, std::uint64_t n) {
    const double d = x - shift_, square = d * d, weight = static_cast<double>(n);
    n_ += n;
    own_.sum += weight * d;
    own_.sum_of_squares += weight * square;
    own_.sum_of_cubes += weight * (square * d);
    own_.sum_of_fourths += weight * (square * square);
  }
  // Adds what `other`, of the same shift and not this one, has seen.
  void merge(const Moments& other);

  State state() const;
  double shift() const { return shift_; }
  std::uint64_t count() const { return n_; }
  // Of x - shift, each rounded once from what was added and merged.
  PowerSums sums() const;

  // NaN for none.
  double mean() const;
  // With divisor n - 1; NaN for fewer than two.
  double variance() const;
  double standard_deviation() const;
  // sqrt(variance / n).
  double mcse_of_mean() const;
  // sqrt((m4 - (n - 3)/(n - 1) variance^2) / n), m4 the fourth central moment (Mood, Graybill & Boes
  // 1974, section VI.2), without the assumption that the values are normal.
  double mcse_of_variance() const;
  // By the delta method; 0 where the variance is 0.
  double mcse_of_standard_deviation() const;

  // sqrt(mean of (x - shift)^2): the RMSE, where the shift is the true value.
  double root_mean_square() const;
  // By the delta method from the variance of (x - shift)^2 (as Morris, White & Crowther 2019, table 6,
  // for the MSE); 0 where all values equal the shift.
  double mcse_of_root_mean_square() const;

 private:
  double n() const { return static_cast<double>(n_); }

  double shift_;
  std::uint64_t n_ = 0;
  PowerSums own_;
  // By power; empty until something is merged, which most of them never see.
  std::vector<ExactSum> merged_;
};

}  // namespace trialwright::stats
