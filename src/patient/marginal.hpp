// The distribution of one baseline covariate, compiled so that a standard normal becomes its value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "base/named_table.hpp"
#include "input/reader.hpp"
#include "math/cubic_table.hpp"
#include "patient/grid.hpp"
#include "patient/marginal_kernels.hpp"

namespace trialwright::patient {

enum class Distribution { normal, lognormal, shifted_gamma, uniform };
enum class Outside { cap, truncate };

std::span<const base::Named<Outside>> outside_table();

// What a study file says of a covariate's marginal.
//   normal: mean, sd · lognormal: median, log_sd · shifted_gamma: shift, shape, scale ·
//   uniform: its bounds.
// A bound `minimum` or `maximum` either moves what lies outside onto it (cap) or takes
// the conditional law between the bounds (truncate: u -> F(lo) + u (F(hi) - F(lo))).
// Then the value is rounded onto the grid.
struct MarginalSpec {
  Distribution distribution = Distribution::normal;
  double location = 0;  // mean, ln(median), shift or lower end
  double scale = 1;     // sd, log_sd, scale or width
  double shape = 1;     // of the gamma
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  Outside outside = Outside::cap;
  double grid = 0;
};

MarginalSpec read_marginal(input::Reader& reader, Distribution distribution);

// value(z) is the smallest grid value v with P(V <= v) >= Phi(z), a function of the single-precision z
// that never decreases. Where the grid has at most k_most_points points within reach the boundaries in
// z stand in a table, exact to 1e-12 and then rounded down to single precision, which no
// single-precision z can tell; else the quantile function is evaluated (closed forms; the gamma's by a
// cubic table, error below 1e-9 of the scale) and rounded.
//
// Single precision moves no event rate by 1e-6: z, a normal of one 32-bit word or a weighted sum of
// some, carries a relative error of a few 2^-24 without a preferred sign, which can move P(z <= b) by
// |b| phi(b) < 0.25 times that, 1e-7 at most, and not in the mean.
class Marginal {
 public:
  static constexpr std::size_t k_most_points = 4096;

  Marginal() = default;
  explicit Marginal(const MarginalSpec& spec);

  double value(float z) const {
    return tabulated() ? points_[static_cast<std::size_t>(rank(z))] : continuous_value(z);
  }
  // out[i] = value(z[i]); where tabulated, ranks[i] = rank(z[i]), else ranks are left as they are.
  void values(std::span<const float> z, std::span<std::int32_t> ranks, std::span<double> out) const;

  bool tabulated() const { return !points_.empty(); }
  // Which of points() value(z) is; for tabulated marginals.
  std::int32_t rank(float z) const {
    if (!table_.empty()) [[likely]]
      return table_.find(z);
    return static_cast<std::int32_t>(std::lower_bound(floors_.begin(), floors_.end() - 1, z) -
                                     floors_.begin());
  }

  // The grid values that can occur, and their probabilities;
  // empty where the covariate is not tabulated.
  std::span<const double> points() const { return points_; }
  std::vector<double> probabilities() const;
  // The range of values that can occur.
  double lowest() const;
  double highest() const;
  // The probability between the bounds that the law is truncated to; 1 where it is not.
  double mass() const { return mass_; }
  const Grid& grid() const { return grid_; }

 private:
  double continuous_value(double z) const;
  double raw_quantile(double z) const;
  double normal_score(double x) const;
  void tabulate();

  MarginalSpec spec_;
  Grid grid_;
  double cdf_minimum_ = 0;  // F(lo), where truncated
  double mass_ = 1;         // F(hi) - F(lo)
  std::vector<double> points_;
  std::vector<double> bounds_;  // upper end in z of each point's interval; the last is infinite
  std::vector<float> floors_;   // bounds_ rounded down
  IntervalTable table_;         // of floors_; empty where these lie too close together
  std::optional<math::CubicTable> gamma_table_;  // of the quantile over z, where it is needed
};

}  // namespace trialwright::patient
