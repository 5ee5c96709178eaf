// The distribution of one baseline covariate, compiled so that a standard normal becomes its value.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "base/named_table.hpp"
#include "input/reader.hpp"
#include "math/cubic_table.hpp"
#include "patient/grid.hpp"

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

// value(z) is the smallest grid value v with P(V <= v) >= Phi(z). Where the grid has at most
// k_most_points points within reach the boundaries in z stand in a table, exact to 1e-12; else the
// quantile function is evaluated (closed forms; the gamma's by a cubic table, error below 1e-9 of the
// scale) and rounded.
class Marginal {
 public:
  static constexpr std::size_t k_most_points = 4096;

  Marginal() = default;
  explicit Marginal(const MarginalSpec& spec);

  double value(double z) const {
    if (bounds_.empty()) return continuous_value(z);
    double place = (z - k_lowest) * k_buckets_per_unit;
    place = place < 0 ? 0 : (place > k_n_buckets - 1 ? k_n_buckets - 1 : place);
    std::size_t point = guide_[static_cast<std::size_t>(place)];
    while (bounds_[point] < z) ++point;
    return points_[point];
  }
  void values(std::span<const double> z, std::span<double> out) const;

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
  static constexpr double k_lowest = -7;
  static constexpr int k_n_buckets = 1792;
  static constexpr double k_buckets_per_unit = 128;

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
  std::vector<std::uint16_t> guide_;
  std::optional<math::CubicTable> gamma_table_;  // of the quantile over z, where it is needed
};

}  // namespace trialwright::patient
