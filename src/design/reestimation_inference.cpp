#include "design/reestimation_inference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "design/look_tables.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"

namespace trialwright::design {

namespace {

using analysis::EffectMeasure;
using sequential::Combination;
using sequential::SequentialEstimate;

constexpr double k_infinity = std::numeric_limits<double>::infinity();
constexpr int k_most_strata = 64;

bool is_ratio(EffectMeasure effect) {
  return effect != EffectMeasure::risk_difference;
}

// What a table says of a difference of rates, up to the rates' variance.
double harmonic_size(const analysis::TwoByTwo& table) {
  const double total = table.n_1 + table.n_0;
  return total > 0 ? table.n_1 * static_cast<double>(table.n_0) / total : 0.0;
}

// The product of the stages' p-values as a function of the effect.
struct FisherProduct {
  std::span<const double> z;
  std::span<const double> information;

  // `sign` -1: of the opposite hypotheses.
  double log_at(double theta, double sign) const {
    double sum = 0;
    for (std::size_t i = 0; i < z.size(); ++i)
      sum += math::log(math::normal_survival(sign * (z[i] - theta * std::sqrt(information[i]))));
    return sum;
  }
  // The effect at which it is `product`.
  double theta_at(double product, double sign) const {
    constexpr double k_widest_z = 37, k_precision = 1e-10;
    if (!(product > 0)) return -sign * k_infinity;
    const double goal = math::log(product);
    double total = 0, score = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
      total += information[i];
      score += std::sqrt(information[i]) * z[i];
    }
    const double spread = k_widest_z / std::sqrt(total);
    double low = score / total - spread, high = score / total + spread;
    while (high - low > k_precision * spread) {
      const double theta = 0.5 * (low + high);
      (sign * (log_at(theta, sign) - goal) < 0 ? low : high) = theta;
    }
    return 0.5 * (low + high);
  }
};

// The median of the product of n p-values.
double median_product(std::size_t n) {
  double low = 0, high = 60;  // of minus its log
  while (high - low > 1e-12) {
    const double x = 0.5 * (low + high);
    double sum = 1, term = 1;
    for (std::size_t j = 1; j < n; ++j) sum += term *= x / static_cast<double>(j);
    (math::exp(-x) * sum > 0.5 ? low : high) = x;
  }
  return math::exp(-low);
}

}  // namespace

StagewiseInference::StagewiseInference(const DesignContext& context, Rule rule)
    : estimator_(context.effect, analysis::IntervalMethod::wald, context.confidence_level,
                 analysis::stratification_of(context.test.method)),
      effect_(context.effect),
      confidence_level_(context.confidence_level),
      sign_(context.test.direction == analysis::Direction::higher_is_better ? 1.0 : -1.0),
      is_blinded_(rule == Rule::blinded) {}

bool StagewiseInference::collect(const StagewiseTest& test, const StagewiseTest::Bounds& bounds,
                                 const StageZ& z, const LookData& data,
                                 std::span<const double> futility_z, Stages& stages) const {
  const auto n = static_cast<std::size_t>(data.i_look) + 1;
  std::array<analysis::TwoByTwo, k_most_strata> all;
  if (data.n_strata > k_most_strata) return false;
  for (int s = 0; s < data.n_strata; ++s)
    all[static_cast<std::size_t>(s)] = stratum_table(data, 0, s, 0, data.i_look);
  const auto overall = estimator_(std::span(all).first(static_cast<std::size_t>(data.n_strata)));
  const double variance = overall.standard_error * overall.standard_error;
  if (!overall.defined || !(variance > 0) || !std::isfinite(variance)) return false;

  std::array<double, k_most_looks> sizes{};
  double size = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sizes[i] = harmonic_size(analysis::collapsed(data.stage(static_cast<int>(i), 0)));
    size += sizes[i];
  }
  const bool as_it_came = test.combination() == Combination::unweighted && is_blinded_;
  const bool is_of_rest = data.is_final && n < test.n_looks();
  for (std::size_t i = 0; i < n; ++i) {
    if (sizes[i] == 0) continue;
    const auto own = estimator_(data.stage(static_cast<int>(i), 0));
    const double value = is_ratio(effect_) ? math::log(own.value) : own.value;
    if (!std::isfinite(value)) return false;
    const double share = sizes[i] / (size * variance);
    // All looks from there in one.
    const std::size_t look = is_of_rest && i + 1 == n ? test.n_looks() - 1 : i;
    const double weight = bounds.information[look] - (i > 0 ? bounds.information[i - 1] : 0.0);
    stages.z[stages.n] = sign_ * value * std::sqrt(share);
    stages.information[stages.n] = share;
    stages.weights[stages.n] = std::sqrt(as_it_came ? share : weight);
    stages.critical_z[stages.n] = bounds.critical_z[look];
    stages.futility_z[stages.n] = futility_z[i];
    stages.product[stages.n] = test.fisher_product(look, bounds);
    ++stages.n;
  }
  if (is_of_rest && n > 1 && stages.n > 0 && test.combination() != Combination::fisher) {
    // What the rest was held against, on the scale of the combined z.
    std::array<double, k_most_looks> of_stages;
    const auto before = z.of_stages(data, n - 1, of_stages);
    const double reached = bounds.information[n - 2];
    stages.critical_z[stages.n - 1] =
        std::sqrt(reached) * test.combined_z(before, bounds) +
        std::sqrt(1.0 - reached) * test.critical_z_of_rest(before, bounds);
  }
  return stages.n > 0;
}

// One-sided p-value of the decision's statistics; monotone in them, alpha at the critical value.
double StagewiseInference::p_value(const StagewiseTest& test, const StagewiseTest::Bounds& bounds,
                                   const StageZ& z, const LookData& data) const {
  const auto n = static_cast<std::size_t>(data.i_look) + 1;
  if (n > 1 && test.combination() == Combination::unweighted) {
    const double z_end = z(data, 0, data.i_look);
    if (!test.stops_for_efficacy()) return math::normal_survival(z_end);
    std::array<double, 2> looks{bounds.information[0], 1.0};
    if (is_blinded_) {
      const auto first = table_of_stages(data, 0, 0, 0), all = table_of_stages(data, 0, 0, 1);
      looks[0] = static_cast<double>(first.n_1 + first.n_0) / (all.n_1 + all.n_0);
    }
    const std::array<double, 2> critical{bounds.critical_z[0], bounds.critical_z[1]};
    return sequential::stagewise_p_value({looks, critical, {}, z_end});
  }
  std::array<double, k_most_looks> of_stages;
  return test.p_value(z.of_stages(data, n, of_stages), bounds,
                      data.is_final ? StagewiseTest::Last::of_rest : StagewiseTest::Last::at_its_look);
}

SequentialEstimate StagewiseInference::by_normal_combination(const StagewiseTest& test,
                                                             const Stages& stages) const {
  const std::size_t n = stages.n;
  auto found = sequential::combination_estimate({{stages.z.data(), n},
                                                 {stages.information.data(), n},
                                                 {stages.weights.data(), n},
                                                 {stages.critical_z.data(), n},
                                                 {stages.futility_z.data(), n}},
                                                confidence_level_);
  const bool changes_early = static_cast<std::size_t>(test.first_change()) + 2 < test.n_looks();
  if (changes_early && !is_blinded_ && test.stops_for_efficacy()) {
    found.lower = found.repeated_lower;
    found.upper = found.repeated_upper;
  }
  return found;
}

SequentialEstimate StagewiseInference::by_fisher(const StagewiseTest& test,
                                                 const StagewiseTest::Bounds& bounds,
                                                 const Stages& stages) const {
  const std::size_t n = stages.n;
  const std::span<const double> z(stages.z.data(), n), information(stages.information.data(), n);
  if (test.n_looks() == 2) {
    const double futility_z = stages.futility_z[0];
    // Where the first stage brought nobody the second is the only one.
    const double alpha_1 = bounds.n_empty > 0 ? test.fisher_product(1, bounds)
                           : std::isfinite(bounds.critical_z[0])
                               ? math::normal_survival(bounds.critical_z[0])
                               : 0.0;
    const double alpha_0 = std::isfinite(futility_z) ? math::normal_survival(futility_z) : 1.0;
    return sequential::fisher_estimate(
        {z, information, alpha_1, std::max(alpha_0, alpha_1), test.fisher_product(1, bounds)},
        confidence_level_);
  }
  const FisherProduct product{z, information};
  SequentialEstimate found;
  found.median_unbiased = product.theta_at(median_product(n), 1);
  found.lower = found.repeated_lower = product.theta_at(stages.product[n - 1], 1);
  found.upper = found.repeated_upper = product.theta_at(stages.product[n - 1], -1);
  return found;
}

Inference StagewiseInference::operator()(const StagewiseTest& test, const StagewiseTest::Bounds& bounds,
                                         const StageZ& z, const LookData& data,
                                         std::span<const double> futility_z) const {
  Stages stages;
  if (!collect(test, bounds, z, data, futility_z, stages)) return {};
  const auto found = test.combination() == Combination::fisher ? by_fisher(test, bounds, stages)
                                                               : by_normal_combination(test, stages);
  Inference result;
  result.p_value = p_value(test, bounds, z, data);
  const auto on_scale = [&](double theta) {
    if (!is_ratio(effect_)) return theta;
    return std::isinf(theta) ? (theta > 0 ? k_infinity : 0.0) : math::exp(theta);
  };
  result.estimate = on_scale(sign_ * found.median_unbiased);
  result.lower = on_scale(sign_ > 0 ? found.lower : -found.upper);
  result.upper = on_scale(sign_ > 0 ? found.upper : -found.lower);
  // Infinite at a look that could not reject: such an interval holds everything.
  result.repeated_lower = on_scale(sign_ > 0 ? found.repeated_lower : -found.repeated_upper);
  result.repeated_upper = on_scale(sign_ > 0 ? found.repeated_upper : -found.repeated_lower);
  result.defined = std::isfinite(found.median_unbiased);
  return result;
}

}  // namespace trialwright::design
