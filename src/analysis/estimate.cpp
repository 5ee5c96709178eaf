#include "analysis/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/score_interval.hpp"
#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"

namespace trialwright::analysis {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

bool has_both_arms(const TwoByTwo& table) {
  return table.n_1 > 0 && table.n_0 > 0;
}

void set_wald(Estimate& estimate, double z) {
  estimate.lower = estimate.value - z * estimate.standard_error;
  estimate.upper = estimate.value + z * estimate.standard_error;
}

void set_log_wald(Estimate& estimate, double z) {
  estimate.defined = estimate.defined && estimate.value > 0.0 && std::isfinite(estimate.standard_error);
  if (!estimate.defined) return;
  const double centre = math::log(estimate.value);
  estimate.lower = math::exp(centre - z * estimate.standard_error);
  estimate.upper = math::exp(centre + z * estimate.standard_error);
}

void set_limits(Estimate& estimate, const Limits& limits) {
  estimate.lower = limits.lower;
  estimate.upper = limits.upper;
}

Limits wilson(double responders, double n, double z) {
  const double centre = 2.0 * responders + z * z;
  const double half = z * std::sqrt(z * z + 4.0 * responders * (1.0 - responders / n));
  return {(centre - half) / (2.0 * (n + z * z)), (centre + half) / (2.0 * (n + z * z))};
}

Limits newcombe(const TwoByTwo& table, double z) {
  const double rate_1 = table.responders_1 / static_cast<double>(table.n_1);
  const double rate_0 = table.responders_0 / static_cast<double>(table.n_0);
  const Limits arm_1 = wilson(table.responders_1, table.n_1, z);
  const Limits arm_0 = wilson(table.responders_0, table.n_0, z);
  const auto length = [](double a, double b) { return std::sqrt(a * a + b * b); };
  const double difference = rate_1 - rate_0;
  return {difference - length(rate_1 - arm_1.lower, arm_0.upper - rate_0),
          difference + length(arm_1.upper - rate_1, rate_0 - arm_0.lower)};
}

Estimate difference_of_table(const TwoByTwo& table) {
  const double n_1 = table.n_1, n_0 = table.n_0;
  const double rate_1 = table.responders_1 / n_1, rate_0 = table.responders_0 / n_0;
  Estimate estimate;
  estimate.value = rate_1 - rate_0;
  estimate.standard_error = std::sqrt(rate_1 * (1.0 - rate_1) / n_1 + rate_0 * (1.0 - rate_0) / n_0);
  estimate.defined = true;
  return estimate;
}

Estimate ratio_of_table(const TwoByTwo& table) {
  const double n_1 = table.n_1, n_0 = table.n_0;
  const double x_1 = table.responders_1, x_0 = table.responders_0;
  Estimate estimate;
  estimate.defined = table.responders_0 > 0;
  if (!estimate.defined) return estimate;
  estimate.value = (x_1 / n_1) / (x_0 / n_0);
  estimate.standard_error =
      x_1 > 0.0 ? std::sqrt((1.0 / x_1 - 1.0 / n_1) + (1.0 / x_0 - 1.0 / n_0)) : k_infinity;
  return estimate;
}

Estimate odds_ratio_of_table(const TwoByTwo& table) {
  const double x_1 = table.responders_1, x_0 = table.responders_0;
  const double y_1 = table.n_1 - table.responders_1, y_0 = table.n_0 - table.responders_0;
  Estimate estimate;
  estimate.defined = y_1 * x_0 > 0.0;
  if (!estimate.defined) return estimate;
  estimate.value = (x_1 * y_0) / (y_1 * x_0);
  estimate.standard_error =
      x_1 * y_0 > 0.0 ? std::sqrt(1.0 / x_1 + 1.0 / y_1 + 1.0 / x_0 + 1.0 / y_0) : k_infinity;
  return estimate;
}

// Sato 1989, Biometrics 45:1323.
Estimate difference_of_strata(std::span<const TwoByTwo> strata) {
  double weight = 0.0, sum = 0.0, p = 0.0, q = 0.0;
  for (const auto& table : strata) {
    if (!has_both_arms(table)) continue;
    const double n_1 = table.n_1, n_0 = table.n_0, x_1 = table.responders_1, x_0 = table.responders_0;
    const double total = n_1 + n_0;
    weight += n_1 * n_0 / total;
    sum += (x_1 * n_0 - x_0 * n_1) / total;
    p += (n_1 * n_1 * x_0 - n_0 * n_0 * x_1 + 0.5 * n_1 * n_0 * (n_0 - n_1)) / (total * total);
    q += 0.5 * (x_1 * (n_0 - x_0) + x_0 * (n_1 - x_1)) / total;
  }
  Estimate estimate;
  estimate.defined = weight > 0.0;
  if (!estimate.defined) return estimate;
  estimate.value = sum / weight;
  estimate.standard_error = std::sqrt(std::max(0.0, estimate.value * p + q)) / weight;
  return estimate;
}

// Greenland & Robins 1985, Biometrics 41:55.
Estimate ratio_of_strata(std::span<const TwoByTwo> strata) {
  double r = 0.0, s = 0.0, d = 0.0;
  for (const auto& table : strata) {
    if (!has_both_arms(table)) continue;
    const double n_1 = table.n_1, n_0 = table.n_0, x_1 = table.responders_1, x_0 = table.responders_0;
    const double total = n_1 + n_0;
    r += x_1 * n_0 / total;
    s += x_0 * n_1 / total;
    d += (n_1 * n_0 * (x_1 + x_0) - x_1 * x_0 * total) / (total * total);
  }
  Estimate estimate;
  estimate.defined = s > 0.0;
  if (!estimate.defined) return estimate;
  estimate.value = r / s;
  estimate.standard_error = r > 0.0 ? std::sqrt(d / (r * s)) : k_infinity;
  return estimate;
}

// Robins, Breslow & Greenland 1986, Biometrics 42:311.
Estimate odds_ratio_of_strata(std::span<const TwoByTwo> strata) {
  double r = 0.0, s = 0.0, pr = 0.0, mixed = 0.0, qs = 0.0;
  for (const auto& table : strata) {
    if (!has_both_arms(table)) continue;
    const double x_1 = table.responders_1, x_0 = table.responders_0;
    const double y_1 = table.n_1 - x_1, y_0 = table.n_0 - x_0;
    const double total = table.n_1 + table.n_0;
    const double r_k = x_1 * y_0 / total, s_k = y_1 * x_0 / total;
    const double p_k = (x_1 + y_0) / total, q_k = (y_1 + x_0) / total;
    r += r_k;
    s += s_k;
    pr += p_k * r_k;
    mixed += p_k * s_k + q_k * r_k;
    qs += q_k * s_k;
  }
  Estimate estimate;
  estimate.defined = s > 0.0;
  if (!estimate.defined) return estimate;
  estimate.value = r / s;
  estimate.standard_error =
      r > 0.0 ? std::sqrt(0.5 * (pr / (r * r) + mixed / (r * s) + qs / (s * s))) : k_infinity;
  return estimate;
}

}  // namespace

Stratification stratification_of(Method method) {
  return method == Method::cmh ? Stratification::strata : Stratification::none;
}

std::optional<std::string> check(EffectMeasure measure, IntervalMethod interval,
                                 Stratification stratification) {
  const bool stratified = stratification == Stratification::strata;
  if (interval == IntervalMethod::newcombe && measure != EffectMeasure::risk_difference)
    return "newcombe is an interval for the risk difference only";
  if (interval == IntervalMethod::newcombe && stratified)
    return "newcombe is an interval for one table (cmh combines strata)";
  if (interval == IntervalMethod::miettinen_nurminen && stratified &&
      measure != EffectMeasure::risk_difference)
    return "miettinen_nurminen over strata is for the risk difference only";
  return std::nullopt;
}

Estimator::Estimator(EffectMeasure measure, IntervalMethod interval, double confidence_level,
                     Stratification stratification)
    : measure_(measure),
      interval_(interval),
      stratification_(stratification),
      z_(-math::normal_quantile(0.5 * (1.0 - confidence_level))) {
  TRIALWRIGHT_EXPECT(!check(measure, interval, stratification) &&
                     measure != EffectMeasure::hazard_ratio);
  TRIALWRIGHT_EXPECT(confidence_level > 0.0 && confidence_level < 1.0);
}

Estimate Estimator::operator()(std::span<const TwoByTwo> strata) const {
  return stratification_ == Stratification::none ? of_table(collapsed(strata)) : of_strata(strata);
}

Estimate Estimator::of_table(const TwoByTwo& table) const {
  if (!has_both_arms(table)) return {};
  const bool score = interval_ == IntervalMethod::miettinen_nurminen;
  Estimate estimate;
  switch (measure_) {
    case EffectMeasure::risk_difference:
      estimate = difference_of_table(table);
      if (score) {
        set_limits(estimate, score_limits_of_difference({&table, 1}, z_));
      } else if (interval_ == IntervalMethod::newcombe) {
        set_limits(estimate, newcombe(table, z_));
      } else {
        set_wald(estimate, z_);
      }
      break;
    case EffectMeasure::risk_ratio:
      estimate = ratio_of_table(table);
      if (!score) set_log_wald(estimate, z_);
      if (score && estimate.defined) set_limits(estimate, score_limits_of_ratio(table, z_));
      break;
    case EffectMeasure::odds_ratio:
      estimate = odds_ratio_of_table(table);
      if (!score) set_log_wald(estimate, z_);
      if (score && estimate.defined) set_limits(estimate, score_limits_of_odds_ratio(table, z_));
      break;
    case EffectMeasure::hazard_ratio:
      break;  // of times, which no table holds
  }
  return estimate;
}

Estimate Estimator::of_strata(std::span<const TwoByTwo> strata) const {
  Estimate estimate;
  switch (measure_) {
    case EffectMeasure::risk_difference:
      estimate = difference_of_strata(strata);
      if (!estimate.defined) break;
      if (interval_ == IntervalMethod::miettinen_nurminen) {
        set_limits(estimate, score_limits_of_difference(strata, z_));
      } else {
        set_wald(estimate, z_);
      }
      break;
    case EffectMeasure::risk_ratio:
      estimate = ratio_of_strata(strata);
      set_log_wald(estimate, z_);
      break;
    case EffectMeasure::odds_ratio:
      estimate = odds_ratio_of_strata(strata);
      set_log_wald(estimate, z_);
      break;
    case EffectMeasure::hazard_ratio:
      break;  // of times, which no table holds
  }
  return estimate;
}

Estimate estimate(EffectMeasure measure, IntervalMethod interval, double confidence_level,
                  std::span<const TwoByTwo> strata) {
  const auto stratification = strata.size() > 1 ? Stratification::strata : Stratification::none;
  return Estimator(measure, interval, confidence_level, stratification)(strata);
}

}  // namespace trialwright::analysis
