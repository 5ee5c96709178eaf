#include "sequential/recursion.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/contract.hpp"
#include "math/normal.hpp"
#include "math/root.hpp"

namespace trialwright::sequential {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();
constexpr double k_inverse_sqrt_2pi = 0.398942280401432677940;

// Written out, since math::GaussLegendre starts from libm's cosine, whose last bits differ between
// machines.
constexpr std::array<double, 8> k_nodes{
    0.095012509837637440185, 0.28160355077925891323, 0.45801677765722738634, 0.61787624440264374845,
    0.7554044083550030339,   0.86563120238783174388, 0.94457502307323257608, 0.9894009349916499326};
constexpr std::array<double, 8> k_weights{
    0.18945061045506849629, 0.18260341504492358887, 0.16915651939500253819,  0.14959598881657673208,
    0.12462897125553387205, 0.09515851168249278481, 0.062253523938647892863, 0.027152459411754094852};
constexpr int k_most_panels = 600;
constexpr double k_panel_sds = 6.5;
constexpr double k_sds_below = 7.5;
constexpr double k_sds_above = 9.0;
// Beyond this many standard deviations of the increment two nodes have nothing to do with each other.
constexpr double k_reach = 12.0;
constexpr double k_widest_z = 38.0;

// math::exp without its range checks, for -k_reach^2 / 2 - 1 <= x <= 0: short enough for the compiler
// to make vectors of it.
inline double exp_within_reach(double x) {
  namespace detail = math::detail;
  const double shifted = x * detail::k_log2_e + detail::k_round_shift;
  const double k = shifted - detail::k_round_shift;
  const double high = x - k * detail::k_ln2_high, low = k * detail::k_ln2_low;
  const double fraction = 1.0 + (high + (detail::exp_remainder(high - low) - low));
  // The low bits of `shifted` are k.
  const auto power = std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) + 1023u) << 52);
  return fraction * power;
}

// sums[i] += mass exp(curvature (nodes[i] - to)^2)
void add_kernel(double mass, double curvature, double to, std::span<const double> nodes,
                double* __restrict sums) {
  const double* __restrict node = nodes.data();
  const std::size_t n = nodes.size();
  for (std::size_t i = 0; i < n; ++i) {
    const double distance = node[i] - to;
    sums[i] += mass * exp_within_reach(curvature * distance * distance);
  }
}

}  // namespace

void Recursion::start(double drift) {
  drift_ = drift;
  information_ = last_information_ = 0;
  nodes_.assign(1, 0.0);
  masses_.assign(1, 1.0);
}

void Recursion::look(double information) {
  TRIALWRIGHT_EXPECT(information >= information_ * (1 + k_least_growth) && information > 0);
  if (information_ > 0) {
    place_nodes(information - information_);
    move_density();
  }
  last_information_ = information_;
  information_ = information;
  lower_ = -k_infinity;
  upper_ = k_infinity;
}

void Recursion::place_nodes(double next_growth) {
  const double growth = information_ - last_information_;
  const double mean = drift_ * information_, sd = std::sqrt(information_);
  const double highest = std::min(upper_, std::max(mean, lower_) + k_sds_above * sd);
  const double lowest = std::max(lower_, std::min(mean, highest) - k_sds_below * sd);
  new_nodes_.clear();
  new_masses_.clear();
  if (!(lowest < highest)) return;
  const double narrowest = std::sqrt(growth * next_growth / (growth + next_growth));
  const double wanted = std::ceil((highest - lowest) / (k_panel_sds * narrowest));
  const int n_panels = static_cast<int>(std::clamp(wanted, 1.0, double{k_most_panels}));
  const double half = 0.5 * (highest - lowest) / n_panels;
  for (int panel = 0; panel < n_panels; ++panel) {
    const double centre = lowest + half * (2 * panel + 1);
    for (int i = 7; i >= 0; --i) {
      new_nodes_.push_back(centre - half * k_nodes[static_cast<std::size_t>(i)]);
      new_masses_.push_back(half * k_weights[static_cast<std::size_t>(i)]);
    }
    for (std::size_t i = 0; i < k_nodes.size(); ++i) {
      new_nodes_.push_back(centre + half * k_nodes[i]);
      new_masses_.push_back(half * k_weights[i]);
    }
  }
}

void Recursion::move_density() {
  const double growth = information_ - last_information_;
  const double sd = std::sqrt(growth), shift = drift_ * growth, reach = k_reach * sd;
  const double scale = k_inverse_sqrt_2pi / sd, curvature = -0.5 / growth;
  sums_.assign(new_nodes_.size(), 0.0);
  std::size_t first = 0, last = 0;
  for (std::size_t j = 0; j < nodes_.size(); ++j) {
    const double to = nodes_[j] + shift;
    while (first < new_nodes_.size() && new_nodes_[first] < to - reach) ++first;
    while (last < new_nodes_.size() && new_nodes_[last] <= to + reach) ++last;
    add_kernel(masses_[j], curvature, to, {new_nodes_.data() + first, last - first},
               sums_.data() + first);
  }
  for (std::size_t i = 0; i < new_nodes_.size(); ++i) new_masses_[i] *= scale * sums_[i];
  nodes_.swap(new_nodes_);
  masses_.swap(new_masses_);
}

// The distance that z has from a path at 0, in standard deviations of the increment.
double Recursion::standardized(double z) const {
  const double growth = information_ - last_information_;
  return (z * std::sqrt(information_) - drift_ * growth) / std::sqrt(growth);
}

double Recursion::above(double z) const {
  if (z == k_infinity) return 0;
  if (z == -k_infinity) return reached();
  const double from = standardized(z), unit = 1 / std::sqrt(information_ - last_information_);
  double sum = 0;
  for (std::size_t j = 0; j < nodes_.size(); ++j)
    sum += masses_[j] * math::normal_survival(from - unit * nodes_[j]);
  return sum;
}

double Recursion::below(double z) const {
  if (z == -k_infinity) return 0;
  if (z == k_infinity) return reached();
  const double from = standardized(z), unit = 1 / std::sqrt(information_ - last_information_);
  double sum = 0;
  for (std::size_t j = 0; j < nodes_.size(); ++j)
    sum += masses_[j] * math::normal_cdf(from - unit * nodes_[j]);
  return sum;
}

double Recursion::density(double z) const {
  const double from = standardized(z), unit = 1 / std::sqrt(information_ - last_information_);
  double sum = 0;
  for (std::size_t j = 0; j < nodes_.size(); ++j) {
    const double distance = from - unit * nodes_[j];
    sum += masses_[j] * math::exp(-0.5 * distance * distance);
  }
  return k_inverse_sqrt_2pi * unit * std::sqrt(information_) * sum;
}

double Recursion::reached() const {
  double sum = 0;
  for (const double mass : masses_) sum += mass;
  return sum;
}

// Newton's steps on the logarithm of the tail, which is concave in z.
double Recursion::upper_z(double p) const {
  if (!(p > 0)) return k_infinity;
  if (p >= reached()) return -k_infinity;
  const double mean = drift_ * std::sqrt(information_);
  // Whatever goes on is part of all trials, so the unconditional quantile lies above.
  const double highest = mean - math::normal_quantile(p);
  const double log_p = math::log(p);
  const auto gap = [&](double z) {
    const double tail = above(z);
    return math::ValueAndSlope{log_p - math::log(tail), density(z) / tail};
  };
  return math::newton_root(gap, mean - k_widest_z, highest, highest, 1e-8);
}

double Recursion::lower_z(double p) const {
  if (!(p > 0)) return -k_infinity;
  if (p >= reached()) return k_infinity;
  const double mean = drift_ * std::sqrt(information_);
  const double lowest = mean + math::normal_quantile(p);
  const double log_p = math::log(p);
  const auto gap = [&](double z) {
    const double tail = below(z);
    return math::ValueAndSlope{math::log(tail) - log_p, density(z) / tail};
  };
  return math::newton_root(gap, lowest, mean + k_widest_z, lowest, 1e-8);
}

void Recursion::go_on(double lower_z, double upper_z) {
  const double scale = std::sqrt(information_);
  lower_ = lower_z * scale;
  upper_ = upper_z * scale;
}

}  // namespace trialwright::sequential
