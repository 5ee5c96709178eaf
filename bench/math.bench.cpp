#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "math/cubic_table.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"

namespace {

namespace math = trialwright::math;

// n numbers evenly over [lo, hi], in an order that no branch predictor learns.
std::vector<double> scattered(double lo, double hi, std::size_t n) {
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = lo + (hi - lo) * (static_cast<double>(i * 2654435761u % n) + 0.5) / static_cast<double>(n);
  return x;
}

// The time of f over a column; items are evaluations.
template <class F>
void over_column(benchmark::State& state, F f, double lo, double hi) {
  const std::vector<double> x = scattered(lo, hi, 4099);
  std::vector<double> y(x.size());
  for (auto _ : state) {
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = f(x[i]);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(x.size()));
}

const math::CubicTable k_table(math::log_odds_of_normal, -9.0, 9.0, 2001);

BENCHMARK_CAPTURE(
    over_column, exp, [](double x) { return math::exp(x); }, -5.0, 5.0);
BENCHMARK_CAPTURE(
    over_column, exp_of_libm, [](double x) { return std::exp(x); }, -5.0, 5.0);
BENCHMARK_CAPTURE(
    over_column, expm1, [](double x) { return math::expm1(x); }, -5.0, 5.0);
BENCHMARK_CAPTURE(
    over_column, log, [](double x) { return math::log(x); }, 0.0, 5.0);
BENCHMARK_CAPTURE(
    over_column, log_of_libm, [](double x) { return std::log(x); }, 0.0, 5.0);
BENCHMARK_CAPTURE(
    over_column, log1p, [](double x) { return math::log1p(x); }, -1.0, 5.0);
BENCHMARK_CAPTURE(
    over_column, pow, [](double x) { return math::pow(x, 0.37); }, 0.0, 1.0);
BENCHMARK_CAPTURE(
    over_column, pow_of_libm, [](double x) { return std::pow(x, 0.37); }, 0.0, 1.0);
BENCHMARK_CAPTURE(
    over_column, logistic, [](double x) { return math::logistic(x); }, -5.0, 5.0);
BENCHMARK_CAPTURE(
    over_column, logit, [](double x) { return math::logit(x); }, 0.0, 1.0);
BENCHMARK_CAPTURE(
    over_column, normal_cdf, [](double x) { return math::normal_cdf(x); }, -4.0, 4.0);
BENCHMARK_CAPTURE(
    over_column, normal_quantile, [](double x) { return math::normal_quantile(x); }, 0.0, 1.0);
BENCHMARK_CAPTURE(
    over_column, log_odds_of_normal, [](double x) { return math::log_odds_of_normal(x); }, -4.0, 4.0);
BENCHMARK_CAPTURE(
    over_column, cubic_table, [](double x) { return k_table(x); }, -4.0, 4.0);

}  // namespace
