// Estimates and p-values of a trial of several stages whose later ones' sizes were chosen at the looks.
#pragma once

#include <cstddef>
#include <span>

#include "analysis/estimate.hpp"
#include "design/reestimation_stage_z.hpp"
#include "design/reestimation_stages.hpp"
#include "design/staged_design.hpp"
#include "sequential/inference.hpp"

namespace trialwright::design {

// The effect's information is Wald's of all patients (1 / variance, of a ratio on the log scale), told
// off to the stages by their sizes; a stage's z on that scale is its own estimate times the root of it.
// Estimate and interval: those of the combination of the stages as a test of every effect, with the
// planned weights also where the test is unweighted; of an unweighted test after a blinded rule, which
// learns nothing of the effect, with the weights that the stages came to.
//
// By stagewise ordering (sequential/inference.hpp): median-unbiased and exact whatever the rule where
// it changes the last stage alone (Brannath, Mehta & Posch 2009). Where a look before the last one may
// have changed a size by what it saw, the interval is the repeated one, which holds whatever was
// changed (Lehmacher & Wassmer 1999; Mehta, Bauer, Posch & Brannath 2007), and the estimate the
// stagewise one, which is then nearly median-unbiased; without stops for efficacy, where nothing is
// repeated, both are stagewise. Of Fisher's combination of more than two stages the interval is the
// repeated one, and the estimate the effect of which the product is its own median.
//
// The p-value is that of the decision's own statistics, by stagewise ordering under the null, exact
// whatever was changed. Not defined where an estimate is not (an empty arm, a ratio with a zero count).
class StagewiseInference {
 public:
  enum class Rule { blinded, unblinded };
  StagewiseInference(const DesignContext& context, Rule rule);

  // The stages decided so far; `z` is the planned test's. `futility_z`: up to which combined z each
  // look stops for futility (-infinity: it does not); such a stop ranks below every later end in
  // estimate and interval, not in the p-value, for the test gives no alpha back.
  Inference operator()(const StagewiseTest& test, const StagewiseTest::Bounds& bounds, const StageZ& z,
                       const LookData& data, std::span<const double> futility_z) const;

 private:
  // Of z values that are not the planned test's, but of one hypothesis about the effect. Stages of
  // which nobody came to be known are left out.
  struct Stages {
    std::array<double, k_most_looks> z{};
    std::array<double, k_most_looks> information{};
    std::array<double, k_most_looks> weights{};
    std::array<double, k_most_looks> critical_z{};  // of the combined z
    std::array<double, k_most_looks> futility_z{};
    std::array<double, k_most_looks> product{};  // of Fisher's combination
    std::size_t n = 0;
  };
  bool collect(const StagewiseTest& test, const StagewiseTest::Bounds& bounds, const StageZ& z,
               const LookData& data, std::span<const double> futility_z, Stages& stages) const;
  sequential::SequentialEstimate by_normal_combination(const StagewiseTest& test,
                                                       const Stages& stages) const;
  sequential::SequentialEstimate by_fisher(const StagewiseTest& test,
                                           const StagewiseTest::Bounds& bounds,
                                           const Stages& stages) const;
  double p_value(const StagewiseTest& test, const StagewiseTest::Bounds& bounds, const StageZ& z,
                 const LookData& data) const;

  analysis::Estimator estimator_;
  analysis::EffectMeasure effect_;
  double confidence_level_;
  double sign_;
  bool is_blinded_;
};

}  // namespace trialwright::design
