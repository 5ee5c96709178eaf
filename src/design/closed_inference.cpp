#include "design/closed_inference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "math/normal.hpp"
#include "math/root.hpp"

namespace trialwright::design {

namespace {

using Stages = std::array<StageEvidence, 2>;

bool is_usable(std::span<const StageEvidence> stages, std::span<const StagePrecision> precision,
               int i_hypothesis) {
  for (std::size_t k = 0; k < stages.size(); ++k) {
    if ((stages[k].tested >> i_hypothesis & 1) == 0) return false;
    for (std::size_t h = 0; h < k_most_closed; ++h) {
      if ((stages[k].tested >> h & 1) == 0) continue;
      const bool is_finite = std::isfinite(precision[k][h]) && std::isfinite(stages[k].z[h]);
      if (!is_finite || !(precision[k][h] > 0)) return false;
    }
  }
  return true;
}

// Where a falling function of about this slope is 0, near `guess`.
template <class F>
std::optional<double> root_about(F&& f, double guess, double step) {
  const double lean = f(guess) * step;
  double lo = guess + lean - 0.3 * step, hi = guess + lean + 0.3 * step;
  for (int doublings = 0; f(lo) < 0; ++doublings, lo -= step * (1 << doublings))
    if (doublings > 20) return std::nullopt;
  for (int doublings = 0; f(hi) > 0; ++doublings, hi += step * (1 << doublings))
    if (doublings > 20) return std::nullopt;
  return math::brent_root(f, lo, hi, 1e-7 * step);
}

}  // namespace

Inference closed_inference(const ClosedTest& test, std::span<const StageEvidence> stages,
                           std::span<const StagePrecision> precision, int i_hypothesis,
                           double confidence_level) {
  Inference inference;
  if (stages.empty() || stages.size() > 2 || !is_usable(stages, precision, i_hypothesis))
    return inference;
  inference.p_value = test.p_value(stages, i_hypothesis);
  const auto own = static_cast<std::size_t>(i_hypothesis);
  const auto shifted = [&](double effect) {
    Stages moved;
    for (std::size_t k = 0; k < stages.size(); ++k) {
      moved[k] = stages[k];
      for (std::size_t h = 0; h < k_most_closed; ++h) moved[k].z[h] -= effect * precision[k][h];
    }
    return moved;
  };
  const auto closed_z = [&](double effect) {
    const Stages moved = shifted(effect);
    return test.closed_z({moved.data(), stages.size()}, i_hypothesis);
  };
  const auto own_z = [&](double effect) {
    std::array<double, 2> z{};
    for (std::size_t k = 0; k < stages.size(); ++k)
      z[k] = stages[k].z[own] - effect * precision[k][own];
    return test.overall_z({z.data(), stages.size()});
  };
  double numerator = 0, denominator = 0;
  for (std::size_t k = 0; k < stages.size(); ++k) {
    numerator += stages[k].z[own] * precision[k][own];
    denominator += precision[k][own] * precision[k][own];
  }
  const double guess = numerator / denominator, step = 1 / std::sqrt(denominator);
  const double quantile = -math::normal_quantile((1 - confidence_level) / 2);
  const auto lower =
      root_about([&](double x) { return closed_z(x) - quantile; }, guess - 2 * step, step);
  const auto middle = root_about(closed_z, guess, step);
  const auto upper = root_about([&](double x) { return own_z(x) + quantile; }, guess + 2 * step, step);
  if (!lower || !middle || !upper) return inference;
  inference.estimate = *middle;
  inference.lower = *lower;
  inference.upper = *upper;
  inference.defined = true;
  return inference;
}

}  // namespace trialwright::design
