#include "exact/sample_size.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/restricted_ml.hpp"
#include "base/contract.hpp"
#include "exact/exact_power.hpp"
#include "math/normal.hpp"

namespace trialwright::exact {

namespace {

using analysis::Method;

double binomial_variance(double rate) {
  return rate * (1.0 - rate);
}

// Variance of sqrt(N) times the difference of rates that the test assumes under its null hypothesis.
double null_variance(const SampleSizeQuestion& question, double share_1, double share_0) {
  const auto& test = question.test;
  if (test.method == Method::z_unpooled)
    return binomial_variance(question.p_1) / share_1 + binomial_variance(question.p_0) / share_0;
  if (test.method == Method::farrington_manning && test.margin > 0.0) {
    const double edge =
        test.direction == analysis::Direction::higher_is_better ? -test.margin : test.margin;
    const auto rates =
        analysis::restricted_by_difference({question.p_1, question.p_0}, share_1, share_0, edge);
    return binomial_variance(rates.rate_1) / share_1 + binomial_variance(rates.rate_0) / share_0;
  }
  const double pooled = share_1 * question.p_1 + share_0 * question.p_0;
  return binomial_variance(pooled) * (1.0 / share_1 + 1.0 / share_0);
}

double normal_total(const SampleSizeQuestion& question) {
  const auto& test = question.test;
  const double unit = question.ratio_1 + question.ratio_0;
  const double share_1 = question.ratio_1 / unit, share_0 = question.ratio_0 / unit;
  double effect = question.p_1 - question.p_0;
  if (test.direction == analysis::Direction::lower_is_better) effect = -effect;
  if (test.sides == analysis::Sides::two) effect = std::abs(effect);
  effect += test.margin;
  if (effect <= 0.0) return std::numeric_limits<double>::infinity();
  const double variance =
      binomial_variance(question.p_1) / share_1 + binomial_variance(question.p_0) / share_0;
  const double deviations =
      analysis::critical_z(test) * std::sqrt(null_variance(question, share_1, share_0)) +
      math::normal_quantile(question.target_power) * std::sqrt(variance);
  return deviations * deviations / (effect * effect);
}

// Powers of whole allocation units, each enumerated once.
class PowerCurve {
 public:
  explicit PowerCurve(const SampleSizeQuestion& question) : question_(question), test_(question.test) {}

  PowerAt at(int n_units) const {
    const int n_1 = n_units * question_.ratio_1, n_0 = n_units * question_.ratio_0;
    return {n_1, n_0, exact_power(test_, n_1, n_0, question_.p_1, question_.p_0)};
  }
  int unit() const { return question_.ratio_1 + question_.ratio_0; }

 private:
  const SampleSizeQuestion& question_;
  analysis::BinaryTest test_;
};

int units_for(double total, int unit) {
  return static_cast<int>(std::ceil(total / unit - 1e-9));
}

}  // namespace

SampleSizeAnswer smallest_sample_size(const SampleSizeQuestion& question) {
  TRIALWRIGHT_EXPECT(question.ratio_1 > 0 && question.ratio_0 > 0);
  TRIALWRIGHT_EXPECT(question.target_power > 0.0 && question.target_power < 1.0);
  constexpr double k_few_patients = 200.0;
  constexpr double k_scanned_below = 0.6;
  constexpr int k_shown_around = 3;

  const PowerCurve curve(question);
  const int unit = curve.unit();
  SampleSizeAnswer answer;
  answer.approximate_total = normal_total(question);
  if (!(answer.approximate_total <= question.max_total)) return answer;
  const int approximate = std::max(1, units_for(answer.approximate_total, unit));
  answer.approximate = curve.at(approximate);

  const bool from_the_first = answer.approximate_total <= k_few_patients;
  const int first =
      from_the_first ? 1
                     : std::max(1, static_cast<int>(k_scanned_below * answer.approximate_total / unit));
  const int most = question.max_total / unit;
  const auto scan_end = [unit](double total) { return units_for(1.5 * total + 100.0, unit); };
  std::vector<PowerAt> scanned;
  int end = most;
  int smallest = 0;
  int last_below = first - 1;
  for (int n = first; n <= std::min(end, most); ++n) {
    scanned.push_back(curve.at(n));
    const bool reached = scanned.back().power >= question.target_power;
    if (!reached) last_below = n;
    if (reached && smallest == 0) {
      smallest = n;
      end = std::max(scan_end(static_cast<double>(n) * unit), scan_end(answer.approximate_total));
    }
  }
  answer.scanned_from = first * unit;
  answer.scanned_to = std::min(end, most) * unit;
  if (smallest == 0) return answer;
  const auto at = [&](int n) { return scanned[static_cast<std::size_t>(n - first)]; };
  answer.found = true;
  answer.smallest = at(smallest);
  const int last = std::min(end, most);
  const int sustained = last_below + 1;
  answer.sustained_found = end <= most && sustained <= last;
  if (answer.sustained_found) answer.sustained = at(sustained);
  const int shown_to = std::min(last, std::max(smallest, std::min(sustained, last)) + k_shown_around);
  for (int n = std::max(first, smallest - k_shown_around); n <= shown_to; ++n)
    answer.neighbours.push_back(at(n));
  return answer;
}

}  // namespace trialwright::exact
