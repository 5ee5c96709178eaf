// Binomial and hypergeometric probabilities by ratios from the mode: only + - * /, so the same bits on
// every instruction set, and no logarithm of a factorial.
#pragma once

#include <span>
#include <vector>

namespace trialwright::analysis {

// Probabilities of 0 .. n successes in n trials, written to out[0 .. n]; values below 1e-40 of the
// mode's are 0. Relative error about n units of the last place.
void binomial_probabilities(int n, double rate, std::span<double> out);

// The hypergeometric distribution of x_1 given the total: Fisher's conditional distribution.
class Hypergeometric {
 public:
  // x_1 runs from max(0, total - n_0) to min(n_1, total).
  // Values below `negligible` of the mode's are 0.
  Hypergeometric(int n_1, int n_0, int total, double negligible = 1e-280);

  int first() const { return first_; }
  int last() const { return first_ + static_cast<int>(probability_.size()) - 1; }
  double probability(int x_1) const { return probability_[static_cast<std::size_t>(x_1 - first_)]; }
  // For x_1 = first .. last.
  const std::vector<double>& probabilities() const { return probability_; }
  // P(X >= x_1), summed from the far end.
  double upper_tail(int x_1) const;
  // P(X >= x_1) for x_1 = first .. last.
  std::vector<double> upper_tails() const;

 private:
  int first_;
  std::vector<double> probability_;
};

}  // namespace trialwright::analysis
