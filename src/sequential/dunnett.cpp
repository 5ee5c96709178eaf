#include "sequential/dunnett.hpp"

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "math/root.hpp"

namespace trialwright::sequential {

namespace {

// z_j = lambda_j x + sqrt(1 - lambda_j^2) e_j, with x the control's share.
constexpr double k_reach = 8.5;       // standard deviations of x
constexpr double k_least_own = 1e-3;  // of e_j in z_j: a control of a millionth of an arm's patients
// The trapezoidal rule converges like exp(-2 pi^2 (s / h)^2), s the width of the narrowest Gaussian
// that the integrand is made of; this gives 4e-14.
constexpr double k_step = 0.8;

double own_share(double lambda) {
  return std::max(k_least_own, std::sqrt(1.0 - lambda * lambda));
}

struct Grid {
  double lo;
  double step;
  int n;
};

Grid grid(double lo, double hi, std::span<const double> lambda) {
  double narrowness = 1;
  for (const double each : lambda) {
    const double slope = each / own_share(each);
    narrowness += slope * slope;
  }
  const double step = k_step / std::sqrt(narrowness);
  return {lo, step, static_cast<int>(std::ceil((hi - lo) / step)) + 1};
}

bool all_equal(std::span<const double> lambda) {
  return std::all_of(lambda.begin(), lambda.end(), [&](double each) { return each == lambda[0]; });
}

// P(some z_j >= c | x) (Tail upper) or P(all z_j < c | x).
double any_above(double c, double x, std::span<const double> lambda, bool equal) {
  double any = 0, tail = 0;
  for (std::size_t j = 0; j < lambda.size(); ++j) {
    if (j == 0 || !equal) tail = math::normal_survival((c - lambda[j] * x) / own_share(lambda[j]));
    any += tail * (1.0 - any);
  }
  return any;
}

double all_below(double c, double x, std::span<const double> lambda, bool equal) {
  double all = 1, part = 0;
  for (std::size_t j = 0; j < lambda.size(); ++j) {
    if (j == 0 || !equal) part = math::normal_cdf((c - lambda[j] * x) / own_share(lambda[j]));
    all *= part;
  }
  return all;
}

// P(max z_j < c), precise where it is small.
double below(double c, std::span<const double> lambda) {
  const double largest = std::max(0.1, *std::max_element(lambda.begin(), lambda.end()));
  const Grid x = grid(std::min(0.0, c / largest) - k_reach, k_reach, lambda);
  const bool equal = all_equal(lambda);
  double sum = 0;
  for (int i = 0; i < x.n; ++i) {
    const double at = x.lo + x.step * i;
    sum += math::normal_pdf(at) * all_below(c, at, lambda, equal);
  }
  return sum * x.step;
}

}  // namespace

double dunnett_p_value(double c, std::span<const double> lambda) {
  TRIALWRIGHT_EXPECT(!lambda.empty());
  if (lambda.size() == 1) return math::normal_survival(c);
  const double largest = *std::max_element(lambda.begin(), lambda.end());
  const Grid x = grid(-k_reach, std::max(0.0, largest * c) + k_reach, lambda);
  const bool equal = all_equal(lambda);
  double sum = 0;
  for (int i = 0; i < x.n; ++i) {
    const double at = x.lo + x.step * i;
    sum += math::normal_pdf(at) * any_above(c, at, lambda, equal);
  }
  return std::min(1.0, sum * x.step);
}

double dunnett_z(double c, std::span<const double> lambda) {
  if (lambda.size() == 1) return c;
  const double p_value = dunnett_p_value(c, lambda);
  return p_value < 0.5 ? -math::normal_quantile(p_value) : math::normal_quantile(below(c, lambda));
}

double dunnett_critical_value(double alpha, std::span<const double> lambda) {
  TRIALWRIGHT_EXPECT(0 < alpha && alpha < 1);
  const double z = -math::normal_quantile(alpha);
  if (lambda.size() == 1) return z;
  // Between the tests of one arm and of Bonferroni.
  const double highest = -math::normal_quantile(alpha / static_cast<double>(lambda.size()));
  const auto excess = [&](double c) { return dunnett_z(c, lambda) - z; };
  return math::brent_root(excess, z - 1e-9, highest + 1e-9, 1e-12).value_or(highest);
}

namespace {

constexpr double k_lowest = -6, k_highest = 12;
constexpr std::size_t k_n_knots = 289;

}  // namespace

DunnettTable::DunnettTable(std::span<const double> lambda)
    : z_([&](double c) { return dunnett_z(c, lambda); }, k_lowest, k_highest, k_n_knots) {}

}  // namespace trialwright::sequential
