#include "analysis/exact_tests.hpp"

#include <algorithm>

#include "analysis/binomial.hpp"
#include "analysis/z_score.hpp"

namespace trialwright::analysis {

namespace {

// R's fisher.test counts tables as probable as the observed one up to this factor.
constexpr double k_as_probable = 1.0 + 1e-7;
constexpr double k_tie = 1.0 + 1e-10;
// Less than this of the mode's probability moves no tail that is compared with alpha.
constexpr double k_negligible_in_regions = 1e-40;

Hypergeometric conditional(const TwoByTwo& table) {
  return {table.n_1, table.n_0, table.responders_1 + table.responders_0};
}

double two_sided_fisher_p(const Hypergeometric& distribution, int x_1) {
  const double limit = distribution.probability(x_1) * k_as_probable;
  double sum = 0.0;
  double left_out = 0.0;
  for (int x = distribution.first(); x <= distribution.last(); ++x)
    (distribution.probability(x) <= limit ? sum : left_out) += distribution.probability(x);
  return left_out == 0.0 ? 1.0 : sum;
}

double upper_midp(const Hypergeometric& distribution, int x_1) {
  return distribution.upper_tail(x_1) - 0.5 * distribution.probability(x_1);
}

double two_sided_midp(const Hypergeometric& distribution, int x_1) {
  const double upper = upper_midp(distribution, x_1);
  return std::min(1.0, 2.0 * std::min(upper, 1.0 - upper));
}

// How many values at the back are rejected two-sided: all tables as probable as each count, which the
// front pointer collects from the other end.
int fisher_rejected_at_back(const std::vector<double>& probability, double alpha) {
  std::size_t front = 0;
  double sum = 0.0;
  for (std::size_t i = probability.size(); i-- > 0;) {
    sum += probability[i];
    while (front < i && probability[front] <= probability[i] * k_as_probable)
      sum += probability[front++];
    if (!at_most_alpha(sum, alpha)) return static_cast<int>(probability.size() - 1 - i);
  }
  return static_cast<int>(probability.size());
}

// Narrows each total's accepted interval; `narrow` gets the conditional distribution and the interval.
template <class Narrow>
ConditionalRegion region_from(int n_1, int n_0, Narrow narrow) {
  ConditionalRegion region(n_1, n_0);
  for (int total = 0; total <= n_1 + n_0; ++total)
    narrow(Hypergeometric(n_1, n_0, total, k_negligible_in_regions), region.accepted(total));
  return region;
}

}  // namespace

bool at_most_alpha(double p_value, double alpha) {
  return p_value <= alpha * (1.0 + 1e-12);
}

double fisher_p(const TwoByTwo& table, Sides sides) {
  const Hypergeometric distribution = conditional(table);
  return sides == Sides::one ? distribution.upper_tail(table.responders_1)
                             : two_sided_fisher_p(distribution, table.responders_1);
}

double fisher_midp_p(const TwoByTwo& table, Sides sides) {
  const Hypergeometric distribution = conditional(table);
  return sides == Sides::one ? upper_midp(distribution, table.responders_1)
                             : two_sided_midp(distribution, table.responders_1);
}

ConditionalRegion fisher_region(int n_1, int n_0, Sides sides, double alpha) {
  return region_from(n_1, n_0,
                     [&](const Hypergeometric& distribution, ConditionalRegion::Accepted& accepted) {
                       if (sides == Sides::one) {
                         for (double tail = 0.0; accepted.to >= accepted.from; --accepted.to) {
                           tail += distribution.probability(accepted.to);
                           if (!at_most_alpha(tail, alpha)) break;
                         }
                         return;
                       }
                       std::vector<double> probability = distribution.probabilities();
                       accepted.to -= fisher_rejected_at_back(probability, alpha);
                       std::reverse(probability.begin(), probability.end());
                       accepted.from += fisher_rejected_at_back(probability, alpha);
                     });
}

ConditionalRegion fisher_midp_region(int n_1, int n_0, Sides sides, double alpha) {
  const double level = sides == Sides::one ? alpha : 0.5 * alpha;
  return region_from(n_1, n_0,
                     [&](const Hypergeometric& distribution, ConditionalRegion::Accepted& accepted) {
                       const auto rejected_from = [&](int& end, int step) {
                         for (double beyond = 0.0; accepted.to >= accepted.from; end += step) {
                           const double probability = distribution.probability(end);
                           if (!at_most_alpha(beyond + 0.5 * probability, level)) break;
                           beyond += probability;
                         }
                       };
                       rejected_from(accepted.to, -1);
                       if (sides == Sides::two) rejected_from(accepted.from, 1);
                     });
}

TableOrder::TableOrder(int n_1, int n_0, By by) : n_1_(n_1), n_0_(n_0) {
  const auto row = static_cast<std::size_t>(n_1) + 1;
  evidence_.resize(row * (static_cast<std::size_t>(n_0) + 1));
  const auto at = [&](int x_1, int x_0) -> double& {
    return evidence_[static_cast<std::size_t>(x_0) * row + static_cast<std::size_t>(x_1)];
  };
  for (int total = 0; total <= n_1 + n_0; ++total) {
    const Hypergeometric distribution(n_1, n_0, by == By::fisher_p ? total : 0,
                                      k_negligible_in_regions);
    const auto tails = distribution.upper_tails();
    const int first = std::max(0, total - n_0);
    for (int x_1 = first; x_1 <= std::min(n_1, total); ++x_1) {
      if (by == By::fisher_p) {
        at(x_1, total - x_1) = tails[static_cast<std::size_t>(x_1 - first)];
      } else {
        const ZScore z = pooled_z({x_1, n_1, total - x_1, n_0});
        const double square = z.variance > 0.0 ? z.numerator * z.numerator / z.variance : 0.0;
        at(x_1, total - x_1) = z.numerator > 0.0 ? 1.0 / (1.0 + square) : 2.0 - 1.0 / (1.0 + square);
      }
    }
  }
  bounds_ = evidence_;
  std::sort(bounds_.begin(), bounds_.end());
  std::size_t n_classes = 0;
  for (std::size_t i = 0; i < bounds_.size(); ++i)
    if (i + 1 == bounds_.size() || bounds_[i + 1] > bounds_[i] * k_tie)
      bounds_[n_classes++] = bounds_[i];
  bounds_.resize(n_classes);
}

double TableOrder::evidence(int x_1, int x_0) const {
  return evidence_[static_cast<std::size_t>(x_0) * (static_cast<std::size_t>(n_1_) + 1) +
                   static_cast<std::size_t>(x_1)];
}

std::vector<RejectedRun> TableOrder::region_within(double bound) const {
  std::vector<RejectedRun> runs;
  int from = 0;
  for (int x_0 = 0; x_0 <= n_0_; ++x_0) {
    while (from <= n_1_ && evidence(from, x_0) > bound) ++from;
    if (from > n_1_) break;
    runs.push_back({x_0, from, n_1_});
  }
  return runs;
}

std::size_t TableOrder::class_of(int x_1, int x_0) const {
  const auto found = std::lower_bound(bounds_.begin(), bounds_.end(), evidence(x_1, x_0));
  return static_cast<std::size_t>(found - bounds_.begin());
}

std::vector<RejectedRun> TableOrder::as_strong_as(std::size_t i_class) const {
  return region_within(bounds_[i_class]);
}

std::vector<RejectedRun> TableOrder::as_strong_as(int x_1, int x_0) const {
  return as_strong_as(class_of(x_1, x_0));
}

double TableOrder::p_value(int x_1, int x_0) const {
  return std::min(1.0, NullRateSearch(n_1_, n_0_).supremum(as_strong_as(x_1, x_0)).probability);
}

std::vector<RejectedRun> TableOrder::largest_region(double alpha) const {
  NullRateSearch search(n_1_, n_0_);
  std::size_t n_inside = 0;
  std::size_t n_outside = bounds_.size() + 1;
  while (n_outside - n_inside > 1) {
    const std::size_t middle = n_inside + (n_outside - n_inside) / 2;
    const auto supremum =
        search.supremum_within(region_within(bounds_[middle - 1]), alpha * (1.0 + 1e-12));
    (supremum ? n_inside : n_outside) = middle;
  }
  return n_inside == 0 ? std::vector<RejectedRun>{} : region_within(bounds_[n_inside - 1]);
}

double unconditional_p(const TwoByTwo& table, Sides sides, TableOrder::By by) {
  const TableOrder order(table.n_1, table.n_0, by);
  const double upper = order.p_value(table.responders_1, table.responders_0);
  if (sides == Sides::one) return upper;
  const TwoByTwo other = complemented(table);
  return std::min(1.0, 2.0 * std::min(upper, order.p_value(other.responders_1, other.responders_0)));
}

ConditionalRegion unconditional_region(int n_1, int n_0, Sides sides, double alpha, TableOrder::By by) {
  ConditionalRegion region(n_1, n_0);
  const double level = sides == Sides::one ? alpha : 0.5 * alpha;
  for (const auto& run : TableOrder(n_1, n_0, by).largest_region(level)) {
    for (int x_1 = run.x_1_from; x_1 <= run.x_1_to; ++x_1) {
      auto& upper = region.accepted(x_1 + run.x_0);
      upper.to = std::min(upper.to, x_1 - 1);
      if (sides == Sides::one) continue;
      const int mirrored = n_1 - x_1;
      auto& lower = region.accepted(mirrored + n_0 - run.x_0);
      lower.from = std::max(lower.from, mirrored + 1);
    }
  }
  return region;
}

}  // namespace trialwright::analysis
