// Estimates, p-values and intervals that allow for the looks of a trial.
#pragma once

#include <optional>
#include <span>

#include "analysis/estimate.hpp"
#include "design/staged_design.hpp"

namespace trialwright::design {

// An interval on the effect's own scale.
struct EffectInterval {
  double lower = 0;
  double upper = 0;
};

// All on a hypothesis's unadjusted (log) effect over its Wald standard error, of all patients known at
// a look; positive is benefit. Immutable.
class LookInference {
 public:
  explicit LookInference(const DesignContext& context);

  // The looks so far, the last one that of the data. `information`: the fraction of the planned.
  struct Looks {
    std::span<const double> information;
    std::span<const double> efficacy_z;
    std::span<const double> futility_z;
  };
  // By stagewise ordering: the p-value of `z`, the planned test's; of the effect the median unbiased
  // estimate and the interval. The inverse square of the standard error is the last look's information,
  // the earlier looks' are in proportion. Only the p-value where that error is not defined.
  Inference operator()(const LookData& data, int i_hypothesis, const Looks& looks, double z) const;

  // The repeated interval at a look: the effects that the boundary's critical values there do not
  // reject, `upper_z` those that are too small and `lower_z` (of the evidence against) those too great.
  // Nothing where no standard error is known.
  std::optional<EffectInterval> repeated(const LookData& data, int i_hypothesis, double upper_z,
                                         double lower_z) const;

  // The effect so far as if higher were better (a ratio's inverse, a difference's negative); nothing
  // where there is none. A ratio without a finite estimate is 0 or infinite, as z has it.
  std::optional<double> advantage(const LookData& data, int i_hypothesis, double z) const;

  // The z that a limit of that effect stands for; -infinity where no standard error is known.
  double z_of_advantage(const LookData& data, int i_hypothesis, double limit) const;

 private:
  // On the (log) scale: the estimate less the null hypothesis, towards benefit.
  struct Evidence {
    double theta = 0;
    double error = 0;
    double null = 0;
  };
  analysis::Estimate estimate_of(const LookData& data, int i_hypothesis) const;
  std::optional<Evidence> evidence(const LookData& data, int i_hypothesis) const;
  double on_scale(double theta, const Evidence& from) const;
  EffectInterval on_scale(double lower, double upper, const Evidence& from) const;
  bool is_ratio() const { return context_.effect != analysis::EffectMeasure::risk_difference; }
  double sign() const;

  DesignContext context_;
  analysis::Estimator estimator_;
};

}  // namespace trialwright::design
