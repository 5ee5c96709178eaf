#include "design/reestimation_inference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "design/look_tables.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "sequential/inference.hpp"

namespace trialwright::design {

namespace {

using analysis::EffectMeasure;
using sequential::Combination;

constexpr int k_most_strata = 64;

bool is_ratio(EffectMeasure effect) {
  return effect != EffectMeasure::risk_difference;
}

// What a table says of a difference of rates, up to the rates' variance.
double harmonic_size(const analysis::TwoByTwo& table) {
  const double total = table.n_1 + table.n_0;
  return total > 0 ? table.n_1 * static_cast<double>(table.n_0) / total : 0.0;
}

// Of z values that are not the planned test's, but of one hypothesis about the effect.
struct Stages {
  std::array<double, 2> z{};
  std::array<double, 2> information{};
  std::size_t n = 0;
};

// P(p_1 p_2 of Fisher's combination as small), where p_1 <= alpha_1 had stopped.
double fisher_p_value(double product, double alpha_1) {
  if (product <= 0) return alpha_1;
  if (alpha_1 > product) return alpha_1 - product * math::log(alpha_1);
  return product - product * math::log(product);
}

}  // namespace

TwoStageInference::TwoStageInference(const DesignContext& context, Rule rule)
    : estimator_(context.effect, analysis::IntervalMethod::wald, context.confidence_level,
                 analysis::stratification_of(context.test.method)),
      effect_(context.effect),
      confidence_level_(context.confidence_level),
      sign_(context.test.direction == analysis::Direction::higher_is_better ? 1.0 : -1.0),
      is_blinded_(rule == Rule::blinded) {}

namespace {

// One-sided p-value of the decision's statistics; monotone in them, alpha at the critical value.
double p_value(const TwoStageTest& test, const analysis::ZStatistic& z, const LookData& data,
               double information) {
  const double z_1 = z_of_stages(z, data, 0, 0, 0);
  if (data.i_look == 0) return math::normal_survival(z_1);
  const double z_2 = z_of_stages(z, data, 0, 1, 1);
  const auto bounds = test.bounds(information);
  const bool stops = std::isfinite(bounds.interim_z);
  if (test.combination() == Combination::fisher) {
    const double alpha_1 = stops ? math::normal_survival(bounds.interim_z) : 0.0;
    return fisher_p_value(math::normal_survival(z_1) * math::normal_survival(z_2), alpha_1);
  }
  const double t = test.weight(information);
  const double z_end = test.combination() == Combination::unweighted
                           ? z_of_stages(z, data, 0, 0, 1)
                           : std::sqrt(t) * z_1 + std::sqrt(1.0 - t) * z_2;
  if (!stops) return math::normal_survival(z_end);
  const std::array<double, 2> looks{t, 1.0}, critical{bounds.interim_z, bounds.final_z};
  return sequential::stagewise_p_value({looks, critical, {}, z_end});
}

}  // namespace

Inference TwoStageInference::operator()(const TwoStageTest& test, const analysis::ZStatistic& z,
                                        const LookData& data, double information,
                                        double futility_z) const {
  const auto n = static_cast<std::size_t>(data.i_look) + 1;
  std::array<analysis::TwoByTwo, k_most_strata> all;
  if (n > 2 || data.n_strata > k_most_strata) return {};
  const auto n_strata = static_cast<std::size_t>(data.n_strata);
  for (int s = 0; s < data.n_strata; ++s)
    all[static_cast<std::size_t>(s)] = stratum_table(data, 0, s, 0, data.i_look);
  const auto estimate_of = [&](std::span<const analysis::TwoByTwo> tables) {
    return estimator_(tables);
  };
  const auto overall = estimate_of({all.data(), n_strata});
  const double variance = overall.standard_error * overall.standard_error;
  if (!overall.defined || !(variance > 0) || !std::isfinite(variance)) return {};

  Stages stages;
  double sizes = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto tables = data.stage(static_cast<int>(i), 0);
    stages.information[i] = harmonic_size(analysis::collapsed(tables));
    sizes += stages.information[i];
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (stages.information[i] == 0) continue;  // nobody came to be known: the stage says nothing
    const auto own = estimate_of(data.stage(static_cast<int>(i), 0));
    const double value = is_ratio(effect_) ? math::log(own.value) : own.value;
    if (!std::isfinite(value)) return {};
    const double share = stages.information[i] / (sizes * variance);
    stages.information[stages.n] = share;
    stages.z[stages.n++] = sign_ * value * std::sqrt(share);
  }
  if (stages.n == 0) return {};

  const auto bounds = test.bounds(information);
  const std::span<const double> z_values(stages.z.data(), stages.n),
      amounts(stages.information.data(), stages.n);
  sequential::SequentialEstimate found;
  if (test.combination() == Combination::fisher) {
    const double alpha_1 =
        std::isfinite(bounds.interim_z) ? math::normal_survival(bounds.interim_z) : 0.0;
    const double alpha_0 = std::isfinite(futility_z) ? math::normal_survival(futility_z) : 1.0;
    found = sequential::fisher_estimate(
        {z_values, amounts, alpha_1, std::max(alpha_0, alpha_1), test.fisher_product()},
        confidence_level_);
  } else {
    const bool as_it_came = test.combination() == Combination::unweighted && is_blinded_;
    const double t = test.weight(information);
    const std::array<double, 2> planned{std::sqrt(t), std::sqrt(1.0 - t)},
        real{std::sqrt(amounts[0]), std::sqrt(amounts[stages.n - 1])};
    const std::array<double, 2> critical{bounds.interim_z, bounds.final_z};
    const std::array<double, 2> futile{futility_z, -std::numeric_limits<double>::infinity()};
    found = sequential::combination_estimate({z_values,
                                              amounts,
                                              {(as_it_came ? real : planned).data(), stages.n},
                                              {critical.data(), stages.n},
                                              {futile.data(), stages.n}},
                                             confidence_level_);
  }
  Inference result;
  result.p_value = p_value(test, z, data, information);
  const auto on_scale = [&](double theta) { return is_ratio(effect_) ? math::exp(theta) : theta; };
  result.estimate = on_scale(sign_ * found.median_unbiased);
  result.lower = on_scale(sign_ > 0 ? found.lower : -found.upper);
  result.upper = on_scale(sign_ > 0 ? found.upper : -found.lower);
  result.defined = std::isfinite(found.median_unbiased);
  return result;
}

}  // namespace trialwright::design
