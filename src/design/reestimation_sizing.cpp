#include "design/reestimation_sizing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "math/normal.hpp"

namespace trialwright::design {

namespace {

double bernoulli_variance(double rate) {
  return rate * (1.0 - rate);
}

// The control's rate at which the arms' mean is `mean` and treatment has `odds_ratio` times its odds:
// a root of c (r - 1) x^2 + (c + t r - m (r - 1)) x - m, written so that nothing cancels.
double control_at_odds_ratio(double mean, double odds_ratio, ArmParts parts) {
  const double excess = odds_ratio - 1.0;
  const double linear = parts.control + parts.treatment * odds_ratio - mean * excess;
  const double root = std::sqrt(std::max(0.0, linear * linear + 4.0 * parts.control * excess * mean));
  return 2.0 * mean / (linear + root);
}

double odds(double rate) {
  return rate / (1.0 - rate);
}

ArmRates with_control(double control, double mean, ArmParts parts) {
  return {(mean - parts.control * control) / parts.treatment, control};
}

double into_range(double rate) {
  return std::min(1.0, std::max(0.0, rate));
}

}  // namespace

Prospect prospect_of(ArmRates rates, ArmParts parts, SizingVariance variance, double sign,
                     double margin) {
  const double own = bernoulli_variance(rates.treatment) / parts.treatment +
                     bernoulli_variance(rates.control) / parts.control;
  const double mean = parts.treatment * rates.treatment + parts.control * rates.control;
  const double together = bernoulli_variance(mean) / (parts.treatment * parts.control);
  const double null = variance == SizingVariance::unpooled ? own : together;
  const double alternative = variance == SizingVariance::pooled ? together : own;
  return {sign * (rates.treatment - rates.control) + margin, std::sqrt(std::max(0.0, null)),
          std::sqrt(std::max(0.0, alternative))};
}

double power_of(const Prospect& prospect, double n_patients, double critical_z) {
  if (prospect.alternative_sd == 0) return prospect.advantage > 0 ? 1.0 : 0.0;
  const double expected = prospect.advantage * std::sqrt(std::max(0.0, n_patients));
  return math::normal_cdf((expected - critical_z * prospect.null_sd) / prospect.alternative_sd);
}

double patients_for(const Prospect& prospect, double critical_z, double power) {
  const double needed =
      critical_z * prospect.null_sd + math::normal_quantile(power) * prospect.alternative_sd;
  if (needed <= 0) return 0.0;
  if (prospect.advantage <= 0) return std::numeric_limits<double>::infinity();
  const double root = needed / prospect.advantage;
  return root * root;
}

ArmRates rates_at(double blinded_rate, ArmRates planned, ArmParts parts, KeptEffect kept) {
  ArmRates rates;
  switch (kept) {
    case KeptEffect::risk_difference: {
      const double difference = planned.treatment - planned.control;
      rates = {blinded_rate + parts.control * difference, blinded_rate - parts.treatment * difference};
      break;
    }
    case KeptEffect::risk_ratio: {
      const double ratio = planned.treatment / planned.control;
      rates.control = blinded_rate / (parts.control + parts.treatment * ratio);
      rates.treatment = ratio * rates.control;
      break;
    }
    case KeptEffect::odds_ratio: {
      const double ratio = odds(planned.treatment) / odds(planned.control);
      rates = with_control(control_at_odds_ratio(blinded_rate, ratio, parts), blinded_rate, parts);
      break;
    }
  }
  return {into_range(rates.treatment), into_range(rates.control)};
}

}  // namespace trialwright::design
