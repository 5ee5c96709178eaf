// Exact tests of two rates: conditional (Fisher, mid-p) and unconditional (Boschloo, pooled z). All for
// the alternative that treatment has the higher rate, or for both sides.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/choices.hpp"
#include "analysis/conditional_region.hpp"
#include "analysis/rejection_sum.hpp"
#include "analysis/two_by_two.hpp"

namespace trialwright::analysis {

// An exact p-value rejects where it is at most alpha, to a relative 1e-12.
bool at_most_alpha(double p_value, double alpha);

// p-values of fisher and fisher_midp as analysis::test defines them.
double fisher_p(const TwoByTwo& table, Sides sides);
double fisher_midp_p(const TwoByTwo& table, Sides sides);
ConditionalRegion fisher_region(int n_1, int n_0, Sides sides, double alpha);
ConditionalRegion fisher_midp_region(int n_1, int n_0, Sides sides, double alpha);

// Orders all tables of (n_1, n_0) from the strongest evidence that treatment has the higher
// rate to the weakest, in classes of ties (statistics within a relative 1e-10 of the next).
// Memory: 8 bytes a table.
class TableOrder {
 public:
  enum class By { fisher_p, pooled_z };
  TableOrder(int n_1, int n_0, By by);

  // Classes are numbered from the strongest evidence on.
  std::size_t n_classes() const { return bounds_.size(); }
  std::size_t class_of(int x_1, int x_0) const;
  // The tables of a class and all stronger ones: each holds those of the classes before.
  std::vector<RejectedRun> as_strong_as(std::size_t i_class) const;
  // The tables whose evidence is at least as strong, ties included.
  std::vector<RejectedRun> as_strong_as(int x_1, int x_0) const;
  // One-sided unconditional p-value: the supremum of the probability of evidence as strong.
  double p_value(int x_1, int x_0) const;
  // The largest region of whole classes whose supremum is at most alpha, as one run for
  // each x_0 that has any.
  std::vector<RejectedRun> largest_region(double alpha) const;

 private:
  double evidence(int x_1, int x_0) const;
  std::vector<RejectedRun> region_within(double bound) const;

  int n_1_;
  int n_0_;
  std::vector<double> evidence_;  // small is strong; row x_0, column x_1, falling along the row
  std::vector<double> bounds_;    // largest value of each class of ties, rising
};

double unconditional_p(const TwoByTwo& table, Sides sides, TableOrder::By by);
ConditionalRegion unconditional_region(int n_1, int n_0, Sides sides, double alpha, TableOrder::By by);

}  // namespace trialwright::analysis
