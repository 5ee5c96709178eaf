// The inner loops of following a cohort: vector kernels over columns of patients, and their scalar
// twins, which are what the kernels compute.
//
// Every kernel gives the same bits on every instruction set as its twin: + - * kept apart, no division
// but where said, each patient by itself. Columns may end anywhere; nothing behind them is read or
// written.
//
// Why single precision is enough. What a trial reads of a course is whether a ratio (or the score that
// follows from it) lies below a bound, and the ratio never falls as the visit's normal rises. So an
// error matters only as far as it moves the normal at which the bound is crossed: by dz, the rate of
// the event by dz times the normal's density, at most 0.4 dz.
//   - The normal of a word is right to 1e-7 in probability (rng/batch.hpp); rounding to single precision
//     is right to half a unit of 2^-24 relative, and unbiased.
//   - The argument's distance from its cell's middle is exact, so a table adds its interpolation error
//     (below 1e-8 of the function) and one rounding of the value, 2^-24 relative: it moves the rate by
//     r f(r) 2^-24, f the ratio's density. That is 2e-8 for published courses; it would reach 1e-6 only
//     for a law whose ratio has a coefficient of variation below 3%.
//   - Log odds, where patients' shifts are taken off them, are a rational function, right with its
//     roundings and the shift's to 5e-8 when multiplied by p (1 - p).
//   - The weights of a visit's normal have squares that sum to 1 to 1e-7: the spread is right to 5e-8.
//   - Survival to an interval is kept as a sum of hazards, or as a product of 1 + odds less 1, which is
//     a sum too: a dozen numbers right to 2^-23 relative leave it right to 1e-7. The uniform it is
//     compared with has steps of 2^-23, which bend a probability by 6e-8.
// tests/unit/patient/single_precision.test.cpp finds the crossing for every preset, arm, visit and
// threshold, and holds the rate to the closed form: the largest error is 1.2e-7, and 3e-7 for laws far
// from any published one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/columns.hpp"

namespace trialwright::patient {

// ---- Cubic tables ----

// Where the cells of a table stand: about every multiple k / per_unit, |k| <= reach, of half-width
// 1 / (2 per_unit). per_unit is a power of two, so that the distance from a cell's middle is exact.
struct CellGrid {
  int per_unit = 16;
  int reach = 104;

  int n_cells() const { return 2 * reach + 1; }
  // Four points a cell (the zeros of its Chebyshev polynomial), in order: where a function is asked
  // for.
  std::vector<double> nodes() const;
};

// Of a standard normal, |z| <= 6.5 (beyond: the same as there; of probability 8e-11), and of log odds.
inline constexpr CellGrid k_normal_cells{16, 104};
inline constexpr CellGrid k_log_odds_cells{8, 192};
// The same for functions that bend suddenly.
inline constexpr CellGrid k_fine_normal_cells{128, 832};
inline constexpr CellGrid k_fine_log_odds_cells{64, 1536};

// Functions on one grid of cells, one behind the other: rows {c0, c1, c2, c3} of each cell's cubic in
// the distance from its middle, made in double precision. Within a cell the cubic is right to
// h^4 / 3072 max |f''''|, h the cell's width.
class SingleTable {
 public:
  explicit SingleTable(const CellGrid& cells) : cells_(cells) {}
  // Adds the function with these values at cells().nodes().
  void add(std::span<const double> values);

  const CellGrid& cells() const { return cells_; }
  const float* rows() const { return rows_.data(); }
  // The scalar twin: function number i at v.
  float operator()(std::size_t i, float v) const;

 private:
  CellGrid cells_;
  base::AlignedVector<float> rows_;
};

// Which function of a table each patient has: number variant[i], or `first` for all where there are
// no variants.
struct TableChoice {
  const int* variant = nullptr;
  std::size_t first = 0;
};

// ---- Kernels ----

// out = sum over k of weights[k] columns[k], in this order.
void combine(std::span<const float> weights, std::span<const float* const> columns,
             std::span<float> out);
// out[i] = max(0, table(z[i])), of the function that patient i has.
void look_up(const SingleTable& table, const TableChoice& choice, std::span<const float> z,
             std::span<float> out);
// out[i] = max(0, table(normal_log_odds(z[i]) - shift[i])).
void look_up_shifted(const SingleTable& table, const TableChoice& choice, std::span<const float> z,
                     std::span<const float> shift, std::span<float> out);
// logit(Phi(z)): z times a rational function of z^2 with one division, fitted for |z| <= 6.5 so that
// the largest p (1 - p) |error| is 3e-9 before rounding (and |error| 2.6e-5 at the ends); it rises on
// beyond.
float normal_log_odds(float z);
// Its coefficients, highest power of z^2 first.
inline constexpr float k_odds_numerator[] = {1.44197438459e-6f, 5.46604951950e-4f, 1.80686907910e-2f,
                                             2.20407541026e-1f, 1.59576905087f};
inline constexpr float k_odds_denominator[] = {8.59175781342e-5f, 7.15377425553e-3f, 9.25796947779e-2f,
                                               1.0f};
// x[i] = x[i]^exponent[i], as exp_float(exponent log_float(x)); below 1e-37 it is 0.
void raise(std::span<const float> exponent, std::span<float> x);
float raise(float exponent, float x);

// The grid of a score and what caps it, for `scores`.
class ScoreScale {
 public:
  // per_unit: multiples of 1 / per_unit, a whole number up to 2^20; 0 or above: not for the kernel.
  ScoreScale(double per_unit, double maximum);
  bool fits() const { return per_unit_ > 0; }
  // round(min(maximum, ratio baseline) per_unit) / per_unit, correctly rounded: the division is made
  // by a reciprocal in two parts, exact for whole numbers below 2^26.
  double operator()(float ratio, double baseline) const {
    const double raw = static_cast<double>(ratio) * baseline;
    const double held = raw < maximum_ ? raw : maximum_;
    const double k = (held * per_unit_ + 0x1.8p52) - 0x1.8p52;
    return k * inverse_high_ + k * inverse_low_;
  }
  double per_unit() const { return per_unit_; }
  double maximum() const { return maximum_; }
  double inverse_high() const { return inverse_high_; }
  double inverse_low() const { return inverse_low_; }

 private:
  double per_unit_ = 0;
  double maximum_ = 0;
  double inverse_high_ = 0;
  double inverse_low_ = 0;
};
void scores(const ScoreScale& scale, std::span<const float> ratio, std::span<const double> baseline,
            std::span<double> out);

// Of the words' uniforms u: -log_float(u), which a sum of hazards reaches when e^-sum falls to u; and
// (1 - u) / u, which a product of (1 + odds) reaches, less 1, when 1 / product falls to u.
void exponentials(std::span<const std::uint32_t> words, std::span<float> out);
void odds_limits(std::span<const std::uint32_t> words, std::span<float> out);

// interval[i] = number of intervals j that patient i survives: words[i] <= bounds[j], bounds falling.
struct SurvivalBounds {
  std::span<const std::uint32_t> bounds;  // [arm * stride + interval]; one row of all arms, or one each
  std::size_t stride = 0;
  std::size_t n_intervals = 0;  // at most stride
};
void survive(const SurvivalBounds& bounds, std::span<const std::uint32_t> words, const int* arm,
             std::span<int> interval);

// The rate of an event that hangs on the ratio R at the visit before: e^(intercept + slope R).
struct StateRate {
  std::span<const float> intercept;  // by arm; one for all where it is alone
  float slope = 0;
};
// Whole periods that are multiplied one by one; others go by exponential and logarithm.
constexpr bool is_few(float periods) {
  return periods == 1 || periods == 2 || periods == 3 || periods == 4;
}
// Up to it the exponential's own polynomial is e^x - 1.
inline constexpr float k_small_exponent = 0.34f;
// The interval before a visit. previous is R (empty: 1).
struct Interval {
  int number = 0;
  float periods = 1;  // of two weeks, for rescue
  std::span<const float> previous;
  const int* arm = nullptr;
};
// left[i] -= rate (a hazard over the interval); the first interval that leaves nothing goes to `at`.
void step_hazard(const StateRate& rate, const Interval& interval, std::span<float> left,
                 std::span<int> at);
float hazard_left(float left, float intercept, float slope, float previous);
// 1 + grown[i] is multiplied by (1 + rate)^periods (rate: odds over two weeks), so that small odds keep
// all their bits; the first interval where grown reaches the limit goes to `at`.
void step_odds(const StateRate& rate, const Interval& interval, std::span<const float> limit,
               std::span<float> grown, std::span<int> at);
float odds_grown(float grown, float intercept, float slope, float previous, float periods);

// Rescue in force at interval `number`: rescued at or before it and not after leaving (`gone`, null
// where nobody leaves).
struct RescueState {
  const int* rescued = nullptr;  // interval
  const int* gone = nullptr;
  const int* tier = nullptr;          // null: the only one
  std::span<const float> multiplier;  // by tier
};
// out[i] = ratio[i] times the multiplier in force.
void observe(const RescueState& state, int number, std::span<const float> ratio, std::span<float> out);

}  // namespace trialwright::patient
