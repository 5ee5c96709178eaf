#include "patient/marginal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "math/elementary.hpp"
#include "math/gamma_quantile.hpp"
#include "math/normal.hpp"

namespace trialwright::patient {

namespace {

constexpr std::array<base::Named<Outside>, 2> k_outside{{
    {"cap", "a value beyond a bound is set to the bound", "", Outside::cap},
    {"truncate", "the distribution is conditional on lying within the bounds", "", Outside::truncate},
}};

// The reach of the random numbers: a weighted sum of 32-bit normals goes to about 6.4
// with probability 1e-10.
constexpr double k_reach = 6.5;
constexpr double k_infinity = std::numeric_limits<double>::infinity();

}  // namespace

std::span<const base::Named<Outside>> outside_table() {
  return k_outside;
}

MarginalSpec read_marginal(input::Reader& reader, Distribution distribution) {
  MarginalSpec spec;
  spec.distribution = distribution;
  switch (distribution) {
    case Distribution::normal:
      spec.location = reader.number("mean", input::k_any_number);
      spec.scale = reader.number("sd", input::k_positive);
      break;
    case Distribution::lognormal:
      spec.location = math::log(reader.number("median", input::k_positive));
      spec.scale = reader.number("log_sd", input::k_positive);
      break;
    case Distribution::shifted_gamma:
      spec.location = reader.number("shift", input::k_any_number, 0.0);
      spec.shape = reader.number("shape", {0.05, 1e6, false, false, "a gamma shape"});
      spec.scale = reader.number("scale", input::k_positive);
      break;
    case Distribution::uniform:
      break;
  }
  const bool bounds_required = distribution == Distribution::uniform;
  for (auto [key, bound] : {std::pair{"minimum", &spec.minimum}, std::pair{"maximum", &spec.maximum}})
    *bound = bounds_required ? reader.number(key, input::k_any_number)
                             : reader.optional_number(key, input::k_any_number).value_or(*bound);
  spec.grid = reader.number("grid", input::k_non_negative, 0.0);
  if (distribution == Distribution::uniform) {
    spec.location = spec.minimum;
    spec.scale = spec.maximum - spec.minimum;
  } else if (std::isfinite(spec.minimum) || std::isfinite(spec.maximum)) {
    spec.outside = reader.choice("outside", outside_table());
  }
  if (!(spec.minimum < spec.maximum)) {
    reader.fault("maximum", "the maximum must be larger than the minimum");
    spec.maximum = spec.minimum + 1;
  }
  const Grid grid(spec.grid);
  for (const char* bound : {"minimum", "maximum"}) {
    const double value = std::string(bound) == "minimum" ? spec.minimum : spec.maximum;
    if (std::isfinite(value) && !grid.holds(value))
      reader.fault(bound, std::string("the ") + bound + " is not a multiple of the grid");
  }
  return spec;
}

// P(V <= x) of the law before bounds and grid, as the standard normal z with that probability below it.
double Marginal::normal_score(double x) const {
  switch (spec_.distribution) {
    case Distribution::normal:
      return (x - spec_.location) / spec_.scale;
    case Distribution::lognormal:
      return x > 0 ? (math::log(x) - spec_.location) / spec_.scale : -k_infinity;
    case Distribution::shifted_gamma: {
      const double y = (x - spec_.location) / spec_.scale;
      if (y <= 0) return -k_infinity;
      if (std::isinf(y)) return k_infinity;
      return math::GammaQuantile(spec_.shape).normal_score(y);
    }
    case Distribution::uniform:
      if (x <= spec_.minimum) return -k_infinity;
      return x >= spec_.maximum ? k_infinity
                                : math::normal_quantile((x - spec_.location) / spec_.scale);
  }
  return 0;
}

double Marginal::raw_quantile(double z) const {
  switch (spec_.distribution) {
    case Distribution::normal:
      return spec_.location + spec_.scale * z;
    case Distribution::lognormal:
      return math::exp(spec_.location + spec_.scale * z);
    case Distribution::shifted_gamma:
      return spec_.location + spec_.scale * (*gamma_table_)(z);
    case Distribution::uniform:
      return spec_.location + spec_.scale * math::normal_cdf(z);
  }
  return 0;
}

double Marginal::continuous_value(double z) const {
  const bool truncated = spec_.outside == Outside::truncate && mass_ < 1;
  const double inner =
      truncated ? math::normal_quantile(cdf_minimum_ + mass_ * math::normal_cdf(z)) : z;
  const double value = std::min(std::max(raw_quantile(inner), spec_.minimum), spec_.maximum);
  return std::min(std::max(grid_.round(value), spec_.minimum), spec_.maximum);
}

Marginal::Marginal(const MarginalSpec& spec) : spec_(spec), grid_(spec.grid) {
  if (spec_.distribution == Distribution::shifted_gamma)
    gamma_table_.emplace(math::GammaQuantile(spec_.shape), -7.5, 7.5, std::size_t{2048});
  if (spec_.outside == Outside::truncate) {
    cdf_minimum_ =
        math::round_to_bits(math::normal_cdf(normal_score(spec_.minimum)), math::k_knot_bits);
    mass_ = math::round_to_bits(math::normal_cdf(normal_score(spec_.maximum)) - cdf_minimum_,
                                math::k_knot_bits);
  }
  if (!grid_.continuous()) tabulate();
}

void Marginal::tabulate() {
  const double first = grid_.index(continuous_value(-k_reach));
  const double last = grid_.index(continuous_value(k_reach));
  const double n = last - first + 1;
  if (!(n <= static_cast<double>(k_most_points))) return;
  const bool truncated = spec_.outside == Outside::truncate;
  for (double k = first; k <= last; ++k) {
    points_.push_back(grid_.at(k));
    if (k == last) break;
    const double score = normal_score(0.5 * (grid_.at(k) + grid_.at(k + 1)));
    const double below = truncated ? (math::normal_cdf(score) - cdf_minimum_) / mass_ : 0;
    const double bound = truncated ? math::normal_quantile(std::min(std::max(below, 0.0), 1.0)) : score;
    bounds_.push_back(math::round_to_bits(bound, math::k_knot_bits));
  }
  bounds_.push_back(k_infinity);
  for (const double bound : bounds_) {
    const auto nearest = static_cast<float>(bound);
    floors_.push_back(static_cast<double>(nearest) <= bound
                          ? nearest
                          : std::nextafter(nearest, -std::numeric_limits<float>::infinity()));
  }
  table_ = IntervalTable(floors_);
}

void Marginal::values(std::span<const float> z, std::span<std::int32_t> ranks,
                      std::span<double> out) const {
  if (!table_.empty()) return table_.find_all(z, points_, ranks, out);
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (tabulated()) ranks[i] = rank(z[i]);
    out[i] = value(z[i]);
  }
}

std::vector<double> Marginal::probabilities() const {
  std::vector<double> result;
  double previous = -k_infinity;
  for (const double bound : bounds_) {
    const bool upper = previous > 0;
    result.push_back(upper ? math::normal_survival(previous) - math::normal_survival(bound)
                           : math::normal_cdf(bound) - math::normal_cdf(previous));
    previous = bound;
  }
  return result;
}

double Marginal::lowest() const {
  return points_.empty() ? continuous_value(-7.5) : points_.front();
}
double Marginal::highest() const {
  return points_.empty() ? continuous_value(7.5) : points_.back();
}

}  // namespace trialwright::patient
