// Exact power and type I error of two-arm binary tests, by enumeration of every pair of counts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/binary_test.hpp"
#include "analysis/rejection_sum.hpp"

namespace trialwright::exact {

// The rejected tables of a test at arm sizes (n_1, n_0), as runs of x_1 for each x_0. Not for cmh,
// which is no function of one table's counts alone.
class RejectionRegion {
 public:
  RejectionRegion(const analysis::BinaryTest& test, int n_1, int n_0);
  RejectionRegion(const analysis::TestSpec& test, int n_1, int n_0);

  int n_1() const { return n_1_; }
  int n_0() const { return n_0_; }
  const std::vector<analysis::RejectedRun>& runs() const& { return runs_; }
  void runs() && = delete;
  // Number of rejected tables out of (n_1 + 1)(n_0 + 1).
  std::int64_t count() const;
  // The probability of rejection where treatment and control respond with rates p_1
  // and p_0, independently.
  double probability(double p_1, double p_0) const;

 private:
  int n_1_;
  int n_0_;
  std::vector<analysis::RejectedRun> runs_;  // by rising x_0
};

// Probability of rejection at fixed arm sizes: the sum over all pairs of counts but those whose count
// is less than 1e-20 as probable as the likeliest one; accurate to about 1e-14.
double exact_power(const analysis::BinaryTest& test, int n_1, int n_0, double p_1, double p_0);
double exact_power(const analysis::TestSpec& test, int n_1, int n_0, double p_1, double p_0);

// The same where the allocation makes the arm sizes random: the total is fixed and n_1 has the given
// distribution (probabilities sum to 1; an empty arm never rejects).
struct ArmSizeProbability {
  int n_1 = 0;
  double probability = 0.0;
};
double exact_power(const analysis::TestSpec& test, int n_total,
                   std::span<const ArmSizeProbability> arm_sizes, double p_1, double p_0);

// The largest probability of rejection over a common rate in [0, 1], and where it is reached. For tests
// of superiority; with a margin the null's edge p_1 = p_0 -/+ margin is searched.
struct Size {
  double size = 0.0;
  double control_rate = 0.0;
};
Size exact_size(const analysis::TestSpec& test, int n_1, int n_0);

}  // namespace trialwright::exact
