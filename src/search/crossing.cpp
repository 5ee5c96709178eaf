#include "search/crossing.hpp"

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"
#include "math/normal.hpp"

namespace trialwright::search {
namespace {

struct Line {
  double mean_x = 0;  // the intercept stands at this x
  double intercept = 0;
  double slope = 0;
  std::vector<double> intercept_of;  // d intercept / d z_i
  std::vector<double> slope_of;      // d slope / d z_i
};

Line fit_line(std::span<const double> x, std::span<const double> z, std::span<const double> weights) {
  double sum = 0;
  Line line;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += weights[i];
    line.mean_x += weights[i] * x[i];
  }
  line.mean_x /= sum;
  double square = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    square += weights[i] * (x[i] - line.mean_x) * (x[i] - line.mean_x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    line.intercept_of.push_back(weights[i] / sum);
    line.slope_of.push_back(weights[i] * (x[i] - line.mean_x) / square);
    line.intercept += line.intercept_of[i] * z[i];
    line.slope += line.slope_of[i] * z[i];
  }
  return line;
}

}  // namespace

std::optional<Crossing> fit_crossing(const CommonPowers& powers, double target) {
  const std::size_t n = powers.sizes.size();
  TRIALWRIGHT_EXPECT(n >= 2);
  std::vector<double> x(n), p(n), z(n), density(n), weights(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = std::sqrt(static_cast<double>(powers.sizes[i]));
    p[i] = (powers.n_rejected[i] + 0.5) / (powers.n_trials + 1);
    z[i] = math::normal_quantile(p[i]);
    density[i] = math::normal_pdf(z[i]);
    weights[i] = powers.n_trials * density[i] * density[i] / (p[i] * (1 - p[i]));
  }
  const Line line = fit_line(x, z, weights);
  if (!(line.slope > 0)) return std::nullopt;
  const double from_mean = (math::normal_quantile(target) - line.intercept) / line.slope;

  double root_variance = 0;
  double slope_variance = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const double rate_i = powers.n_rejected[i] / powers.n_trials;
      const double rate_j = powers.n_rejected[j] / powers.n_trials;
      const double covariance = (powers.n_both_rejected[i][j] / powers.n_trials - rate_i * rate_j) /
                                powers.n_trials / (density[i] * density[j]);
      const auto of_root = [&](std::size_t k) {
        return -(line.intercept_of[k] + from_mean * line.slope_of[k]) / line.slope;
      };
      root_variance += of_root(i) * of_root(j) * covariance;
      slope_variance += line.slope_of[i] * line.slope_of[j] * covariance;
    }
  }
  const double root_x = std::max(0.0, line.mean_x + from_mean);
  const double error_x = std::sqrt(std::max(0.0, root_variance));
  const auto ends = stats::normal_interval(root_x, error_x, 0.95);
  const double lower_x = std::max(0.0, ends.lower);
  return Crossing{root_x * root_x,
                  2 * root_x * error_x,
                  {lower_x * lower_x, ends.upper * ends.upper},
                  line.slope / std::sqrt(std::max(1e-300, slope_variance))};
}

}  // namespace trialwright::search
