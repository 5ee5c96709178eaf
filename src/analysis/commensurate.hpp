// A subgroup's treatment effect with a commensurate prior: it borrows from the other patients of its
// trial as far as both agree.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "analysis/choices.hpp"
#include "analysis/estimate.hpp"
#include "analysis/two_by_two.hpp"
#include "base/named_table.hpp"

namespace trialwright::analysis {

// What is known beforehand of the SD, between groups of patients, of the true effects.
enum class HeterogeneityPrior { fixed, half_normal };

inline constexpr std::array k_heterogeneity_priors{
    base::Named<HeterogeneityPrior>{
        "half_normal", "the SD between groups is half-normal of scale heterogeneity_sd",
        "Gelman 2006; Hobbs, Sargent & Carlin 2012", HeterogeneityPrior::half_normal},
    base::Named<HeterogeneityPrior>{"fixed", "the SD between groups is heterogeneity_sd",
                                    "Hobbs, Carlin, Mandrekar & Sargent 2011",
                                    HeterogeneityPrior::fixed},
};

// `heterogeneity_sd` is on the scale of the effect (the logarithm of an odds ratio): the SD itself, or
// the scale of the half-normal. A fixed SD may be 0 (the others count as the subgroup's own) or
// infinite (nothing is borrowed); a scale is positive and finite.
struct BorrowingPrior {
  HeterogeneityPrior prior = HeterogeneityPrior::half_normal;
  double heterogeneity_sd = 0.2;
};

// An estimate and its standard error, on the scale that is normal.
struct NormalEstimate {
  double value = 0;
  double standard_error = 1;
};

// The effect in one table: the log odds ratio with Woolf's standard error, or the risk difference with
// its unpooled one. Where a cell is 0, 0.5 is added to all four cells of the table (Haldane 1956;
// Anscombe 1956). Both arms must have patients.
NormalEstimate normal_estimate(EffectMeasure effect, const TwoByTwo& table);

// The posterior of the subgroup's effect theta: a mixture of normal distributions over the SD tau
// between groups. Hobbs, Carlin, Mandrekar & Sargent 2011, Biometrics 67:1047-1056, section 2; Hobbs,
// Sargent & Carlin 2012, Bayesian Analysis 7:639-674, section 2, for effects with normal likelihoods:
//
//   own | theta ~ N(theta, s^2), others | theta_0 ~ N(theta_0, s_0^2), theta | theta_0, tau ~
//   N(theta_0, tau^2), theta_0 flat; tau fixed, or half-normal.
//
// Given tau, theta is normal with precision 1/s^2 + 1/(s_0^2 + tau^2) and mean weighted by these two;
// tau has posterior density proportional to its prior times N(own - others; 0, s^2 + s_0^2 + tau^2).
// The integral over tau is a trapezoidal sum, in tau where the prior's scale is below s_0 and in
// asinh(tau / s_0) above, on which the integrand is analytic in a strip that is wide for its steps: it
// converges exponentially (Trefethen & Weideman 2014, SIAM Review 56:385-458), here to 1e-10. The same
// bits on every instruction set; no allocation.
class CommensuratePosterior {
 public:
  CommensuratePosterior(const NormalEstimate& own, const NormalEstimate& others,
                        const BorrowingPrior& prior);
  // Nothing is borrowed.
  explicit CommensuratePosterior(const NormalEstimate& own);

  double mean() const;
  double standard_deviation() const;
  double probability_below(double theta) const;
  double probability_above(double theta) const;
  // The value that theta is below with a probability strictly between 0 and 1.
  double quantile(double probability) const;

 private:
  struct Component {
    double weight, mean, sd;
  };
  static constexpr std::size_t k_most = 256;

  void add(double tau, double weight, const NormalEstimate& own, const NormalEstimate& others);
  void integrate(const NormalEstimate& own, const NormalEstimate& others, double scale);
  double density(double theta) const;

  std::array<Component, k_most> components_;
  std::size_t n_ = 0;
};

// One planned analysis: made once a plan, const, shared by threads. Rejects where the posterior
// probability that treatment is better exceeds 1 - alpha (two-sided: that it is better, or that it is
// worse, exceeds 1 - alpha / 2). The estimate is the posterior mean, its interval the equal-tailed
// posterior quantiles, both of a ratio transformed back from its logarithm; the standard error is the
// posterior SD (of a ratio: of its logarithm).
class Commensurate {
 public:
  // `effect` is odds_ratio or risk_difference.
  Commensurate(EffectMeasure effect, const BorrowingPrior& prior, Sides sides, double alpha,
               Direction direction, double confidence_level);

  struct Result {
    bool reject = false;
    double p_value = 1;  // 1 - P(better); two-sided: twice the smaller of P(better) and P(worse)
    Estimate estimate;
  };
  // Tables of the subgroup and of the other patients, in this order. Others with an empty arm give
  // nothing to borrow; a subgroup with an empty arm has no estimate and does not reject.
  Result operator()(const TwoByTwo& own, const TwoByTwo& others) const;

 private:
  CommensuratePosterior posterior(const TwoByTwo& own, const TwoByTwo& others) const;

  EffectMeasure effect_;
  BorrowingPrior prior_;
  Sides sides_;
  double alpha_;
  Direction direction_;
  double confidence_level_;
};

}  // namespace trialwright::analysis
