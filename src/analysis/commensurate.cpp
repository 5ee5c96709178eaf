#include "analysis/commensurate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"

namespace trialwright::analysis {
namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();
// What lies so many SDs off is below 1e-15 of the whole.
constexpr double k_tail = 8.5;
constexpr double k_step = 0.2;

double square(double x) {
  return x * x;
}

double sinh(double x) {
  const double e = math::exp(x);
  return 0.5 * (e - 1 / e);
}
double cosh(double x) {
  const double e = math::exp(x);
  return 0.5 * (e + 1 / e);
}
double asinh(double x) {
  return math::log(x + std::sqrt(square(x) + 1));
}

// Where the posterior density of tau lies: at its mode, from which it falls to the right at least as
// fast as a normal density of SD `scale`, to the left as that of the curvature at the mode.
struct Extent {
  double mode = 0;
  double from = 0;
  double to = 0;
};

Extent extent_of(double difference, double variance, double scale) {
  Extent extent;
  extent.mode = std::sqrt(std::max(0.0, scale * difference - variance));
  extent.to = extent.mode + k_tail * scale;
  if (extent.mode > 0) {
    const double sd = 0.5 * scale * std::sqrt(scale * difference) / extent.mode;
    extent.from = std::max(0.0, extent.mode - k_tail * sd);
  }
  return extent;
}

bool is_ratio(EffectMeasure effect) {
  return effect != EffectMeasure::risk_difference;
}

}  // namespace

NormalEstimate normal_estimate(EffectMeasure effect, const TwoByTwo& table) {
  TRIALWRIGHT_EXPECT(table.n_1 > 0 && table.n_0 > 0);
  double yes_1 = table.responders_1, no_1 = table.n_1 - table.responders_1;
  double yes_0 = table.responders_0, no_0 = table.n_0 - table.responders_0;
  if (std::min({yes_1, no_1, yes_0, no_0}) == 0)
    for (double* cell : {&yes_1, &no_1, &yes_0, &no_0}) *cell += 0.5;
  if (is_ratio(effect))
    return {math::log(yes_1 * no_0 / (no_1 * yes_0)),
            std::sqrt(1 / yes_1 + 1 / no_1 + 1 / yes_0 + 1 / no_0)};
  const double n_1 = yes_1 + no_1, n_0 = yes_0 + no_0;
  return {yes_1 / n_1 - yes_0 / n_0,
          std::sqrt(yes_1 * no_1 / (n_1 * n_1 * n_1) + yes_0 * no_0 / (n_0 * n_0 * n_0))};
}

CommensuratePosterior::CommensuratePosterior(const NormalEstimate& own, const NormalEstimate& others,
                                             const BorrowingPrior& prior) {
  switch (prior.prior) {
    case HeterogeneityPrior::fixed:
      add(prior.heterogeneity_sd, 1, own, others);
      return;
    case HeterogeneityPrior::half_normal:
      integrate(own, others, prior.heterogeneity_sd);
      return;
  }
}

CommensuratePosterior::CommensuratePosterior(const NormalEstimate& own) {
  add(k_infinity, 1, own, own);
}

// The normal distribution given tau.
void CommensuratePosterior::add(double tau, double weight, const NormalEstimate& own,
                                const NormalEstimate& others) {
  TRIALWRIGHT_EXPECT(n_ < k_most);
  const double of_own = 1 / square(own.standard_error);
  const double of_others = 1 / (square(others.standard_error) + square(tau));
  const double information = of_own + of_others;
  components_[n_++] = {weight, (of_own * own.value + of_others * others.value) / information,
                       1 / std::sqrt(information)};
}

void CommensuratePosterior::integrate(const NormalEstimate& own, const NormalEstimate& others,
                                      double scale) {
  const double variance = square(own.standard_error) + square(others.standard_error);
  const double difference = std::abs(own.value - others.value);
  const auto [mode, from, to] = extent_of(difference, variance, scale);
  // tau itself, in units of the scale, or its asinh in units of what its singularities lie at.
  const bool is_linear = scale < others.standard_error;
  const double unit = is_linear ? scale : others.standard_error;
  const double first = is_linear ? from / unit : asinh(from / unit);
  const double last = is_linear ? to / unit : asinh(to / unit);
  double step = k_step;
  if (!is_linear && difference > 0) step = std::min(step, 0.25 * std::sqrt(scale / difference));
  step = std::max(step, (last - first) / static_cast<double>(k_most - 3));
  const auto exponent = [&](double tau) {
    return -0.5 * (square(tau / scale) + square(difference) / (variance + square(tau)));
  };
  const double highest = exponent(mode);
  double sum = 0;
  const double i_last = std::ceil(last / step);
  for (double i = std::floor(first / step); i <= i_last; ++i) {
    const double x = i * step;
    const double tau = unit * (is_linear ? x : sinh(x));
    double weight = math::exp(exponent(tau) - highest) / std::sqrt(variance + square(tau));
    if (!is_linear) weight *= cosh(x);
    if (i == 0) weight *= 0.5;  // the integrand is even: half of the sum over the whole line
    add(tau, weight, own, others);
    sum += weight;
  }
  for (std::size_t i = 0; i < n_; ++i) components_[i].weight /= sum;
}

double CommensuratePosterior::mean() const {
  double sum = 0;
  for (std::size_t i = 0; i < n_; ++i) sum += components_[i].weight * components_[i].mean;
  return sum;
}

double CommensuratePosterior::standard_deviation() const {
  const double centre = mean();
  double sum = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    const auto& [weight, mean, sd] = components_[i];
    sum += weight * (square(sd) + square(mean - centre));
  }
  return std::sqrt(sum);
}

double CommensuratePosterior::probability_below(double theta) const {
  double sum = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    const auto& [weight, mean, sd] = components_[i];
    sum += weight * math::normal_cdf((theta - mean) / sd);
  }
  return sum;
}

double CommensuratePosterior::probability_above(double theta) const {
  double sum = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    const auto& [weight, mean, sd] = components_[i];
    sum += weight * math::normal_survival((theta - mean) / sd);
  }
  return sum;
}

double CommensuratePosterior::density(double theta) const {
  double sum = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    const auto& [weight, mean, sd] = components_[i];
    sum += weight * math::normal_pdf((theta - mean) / sd) / sd;
  }
  return sum;
}

// Newton's method, held between the components' own quantiles.
double CommensuratePosterior::quantile(double probability) const {
  TRIALWRIGHT_EXPECT(probability > 0 && probability < 1);
  const double z = math::normal_quantile(probability);
  double low = k_infinity, high = -k_infinity;
  for (std::size_t i = 0; i < n_; ++i) {
    const double own = components_[i].mean + z * components_[i].sd;
    low = std::min(low, own);
    high = std::max(high, own);
  }
  const double sd = standard_deviation();
  double theta = std::clamp(mean() + z * sd, low, high);
  constexpr int k_most_steps = 100;
  for (int step = 0; step < k_most_steps && high - low > 1e-13 * sd; ++step) {
    const double excess = probability_below(theta) - probability;
    (excess < 0 ? low : high) = theta;
    double next = theta - excess / density(theta);
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    const bool is_there = std::abs(next - theta) <= 1e-12 * sd;
    theta = next;
    if (is_there) break;
  }
  return theta;
}

Commensurate::Commensurate(EffectMeasure effect, const BorrowingPrior& prior, Sides sides, double alpha,
                           Direction direction, double confidence_level)
    : effect_(effect),
      prior_(prior),
      sides_(sides),
      alpha_(alpha),
      direction_(direction),
      confidence_level_(confidence_level) {
  TRIALWRIGHT_EXPECT(effect == EffectMeasure::odds_ratio || effect == EffectMeasure::risk_difference);
}

CommensuratePosterior Commensurate::posterior(const TwoByTwo& own, const TwoByTwo& others) const {
  const auto of_own = normal_estimate(effect_, own);
  if (others.n_1 == 0 || others.n_0 == 0) return CommensuratePosterior(of_own);
  return {of_own, normal_estimate(effect_, others), prior_};
}

Commensurate::Result Commensurate::operator()(const TwoByTwo& own, const TwoByTwo& others) const {
  Result result;
  if (own.n_1 == 0 || own.n_0 == 0) return result;
  const auto theta = posterior(own, others);
  const double positive = theta.probability_above(0), negative = theta.probability_below(0);
  const bool higher = direction_ == Direction::higher_is_better;
  result.p_value = sides_ == Sides::two ? std::min(1.0, 2 * std::min(positive, negative))
                                        : (higher ? negative : positive);
  result.reject = result.p_value < alpha_;
  const auto on_scale = [&](double value) { return is_ratio(effect_) ? math::exp(value) : value; };
  const double outside = 0.5 * (1 - confidence_level_);
  result.estimate = {on_scale(theta.mean()), theta.standard_deviation(),
                     on_scale(theta.quantile(outside)), on_scale(theta.quantile(1 - outside)), true};
  return result;
}

}  // namespace trialwright::analysis
