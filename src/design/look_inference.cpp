#include "design/look_inference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "analysis/restricted_ml.hpp"
#include "design/look_tables.hpp"
#include "math/elementary.hpp"
#include "sequential/inference.hpp"

namespace trialwright::design {

namespace {

using analysis::Direction;
using analysis::EffectMeasure;

constexpr double k_infinity = std::numeric_limits<double>::infinity();
// Beyond it the normal distribution has nothing left to tell apart.
constexpr double k_largest_z = 38;

// The null hypothesis on the (log) scale of the effect: of ratios under a margin, that of the likeliest
// rates there; NaN where these leave it undefined.
double null_effect(const DesignContext& context, const analysis::TwoByTwo& table) {
  const double margin = context.test.margin;
  if (margin == 0) return 0;
  const double difference = context.test.direction == Direction::higher_is_better ? -margin : margin;
  if (context.effect == EffectMeasure::risk_difference) return difference;
  const auto rates = analysis::restricted_by_difference(table, difference);
  const double ratio = rates.rate_1 / rates.rate_0;
  return context.effect == EffectMeasure::risk_ratio
             ? math::log(ratio)
             : math::log(ratio * ((1 - rates.rate_0) / (1 - rates.rate_1)));
}

}  // namespace

LookInference::LookInference(const DesignContext& context)
    : context_(context),
      estimator_(context.effect, analysis::IntervalMethod::wald, context.confidence_level,
                 analysis::stratification_of(context.test.method)) {}

double LookInference::sign() const {
  return context_.test.direction == Direction::higher_is_better ? 1 : -1;
}

analysis::Estimate LookInference::estimate_of(const LookData& data, int i_hypothesis) const {
  // Without strata no list of tables is made: limits of the effect are asked for in every trial.
  return data.n_strata == 1 ? estimator_(table_of_stages(data, i_hypothesis, 0, data.i_look))
                            : estimator_(strata_of_stages(data, i_hypothesis, 0, data.i_look));
}

std::optional<LookInference::Evidence> LookInference::evidence(const LookData& data,
                                                               int i_hypothesis) const {
  const auto estimate = estimate_of(data, i_hypothesis);
  const double error = estimate.standard_error;
  if (!estimate.defined || !(error > 0) || !std::isfinite(error)) return std::nullopt;
  const double null = null_effect(context_, table_of_stages(data, i_hypothesis, 0, data.i_look));
  if (!std::isfinite(null)) return std::nullopt;
  const double value = is_ratio() ? math::log(estimate.value) : estimate.value;
  return Evidence{sign() * (value - null), error, null};
}

double LookInference::on_scale(double theta, const Evidence& from) const {
  const double effect = from.null + sign() * theta;
  return is_ratio() ? math::exp(effect) : effect;
}

EffectInterval LookInference::on_scale(double lower, double upper, const Evidence& from) const {
  if (sign() < 0) std::swap(lower, upper);
  return {on_scale(lower, from), on_scale(upper, from)};
}

Inference LookInference::operator()(const LookData& data, int i_hypothesis, const Looks& looks,
                                    double z) const {
  Inference inference;
  if (looks.information.empty() || !(looks.information.back() > 0)) return inference;
  inference.p_value =
      sequential::stagewise_p_value({looks.information, looks.efficacy_z, looks.futility_z,
                                     std::clamp(z, -k_largest_z, k_largest_z)});
  const auto found = evidence(data, i_hypothesis);
  if (!found) return inference;
  std::vector<double> information(looks.information.begin(), looks.information.end());
  const double scale = 1 / (found->error * found->error * information.back());
  for (double& each : information) each *= scale;
  const auto adjusted = sequential::sequential_estimate(
      {information, looks.efficacy_z, looks.futility_z, found->theta / found->error},
      context_.confidence_level);
  inference.estimate = on_scale(adjusted.median_unbiased, *found);
  const auto interval = on_scale(adjusted.lower, adjusted.upper, *found);
  inference.lower = interval.lower;
  inference.upper = interval.upper;
  inference.defined = true;
  return inference;
}

std::optional<EffectInterval> LookInference::repeated(const LookData& data, int i_hypothesis,
                                                      double upper_z, double lower_z) const {
  const auto found = evidence(data, i_hypothesis);
  if (!found) return std::nullopt;
  return on_scale(found->theta - upper_z * found->error, found->theta + lower_z * found->error, *found);
}

std::optional<double> LookInference::advantage(const LookData& data, int i_hypothesis, double z) const {
  const auto estimate = estimate_of(data, i_hypothesis);
  const bool higher = sign() > 0;
  if (!is_ratio()) {
    if (!estimate.defined) return std::nullopt;
    return higher ? estimate.value : -estimate.value;
  }
  if (estimate.defined) return higher ? estimate.value : 1 / estimate.value;
  if (z == 0) return std::nullopt;
  return z > 0 ? k_infinity : 0;
}

double LookInference::z_of_advantage(const LookData& data, int i_hypothesis, double limit) const {
  const auto found = evidence(data, i_hypothesis);
  if (!found) return -k_infinity;
  return ((is_ratio() ? math::log(limit) : limit) - sign() * found->null) / found->error;
}

}  // namespace trialwright::design
