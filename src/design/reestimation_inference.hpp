// Estimates and p-values of a trial of two stages whose second one's size was chosen at the look.
#pragma once

#include "analysis/estimate.hpp"
#include "analysis/z_statistic.hpp"
#include "design/reestimation_stages.hpp"
#include "design/staged_design.hpp"

namespace trialwright::design {

// The effect's information is Wald's of all patients (1 / variance, of a ratio on the log scale), told
// off to the stages by their sizes; a stage's z on that scale is its own estimate times the root of it.
// Estimate and interval: those of the combination (sequential/inference.hpp), exact whatever the rule,
// with the planned weights also where the test is unweighted; of an unweighted test after a blinded
// rule, which learns nothing of the effect, with the weights that the stages came to. The p-value is
// that of the decision's own statistics. Not defined where an estimate is not (an empty arm, a ratio
// with a zero count).
class TwoStageInference {
 public:
  enum class Rule { blinded, unblinded };
  TwoStageInference(const DesignContext& context, Rule rule);

  // The stages decided so far; `z` is the planned test's. `futility_z`: up to which first-stage z the
  // look stops for futility (-infinity: it does not); such a stop ranks below every later end in
  // estimate and interval, not in the p-value, for the test gives no alpha back.
  Inference operator()(const TwoStageTest& test, const analysis::ZStatistic& z, const LookData& data,
                       double information, double futility_z) const;

 private:
  analysis::Estimator estimator_;
  analysis::EffectMeasure effect_;
  double confidence_level_;
  double sign_;
  bool is_blinded_;
};

}  // namespace trialwright::design
