#include "exact/exact_power.hpp"

#include <algorithm>

#include "analysis/binomial.hpp"
#include "base/contract.hpp"

namespace trialwright::exact {

namespace {

// The counts worth summing over.
struct CountDistribution {
  CountDistribution(int n, double rate) : probability(static_cast<std::size_t>(n) + 1), last(n) {
    analysis::binomial_probabilities(n, rate, probability);
    const double negligible = 1e-20 * *std::max_element(probability.begin(), probability.end());
    while (at(first) < negligible) ++first;
    while (at(last) < negligible) --last;
  }
  double at(int x) const { return probability[static_cast<std::size_t>(x)]; }

  std::vector<double> probability;
  int first = 0;
  int last;
};

}  // namespace

RejectionRegion::RejectionRegion(const analysis::BinaryTest& test, int n_1, int n_0)
    : n_1_(n_1), n_0_(n_0) {
  TRIALWRIGHT_EXPECT(n_1 >= 0 && n_0 >= 0 && test.spec().method != analysis::Method::cmh);
  analysis::BinaryTest::Cache cache;
  for (int x_0 = 0; x_0 <= n_0; ++x_0) {
    bool inside = false;
    for (int x_1 = 0; x_1 <= n_1; ++x_1) {
      const bool rejected = test.reject({x_1, n_1, x_0, n_0}, cache);
      if (rejected && !inside) runs_.push_back({x_0, x_1, x_1});
      if (rejected) runs_.back().x_1_to = x_1;
      inside = rejected;
    }
  }
}

RejectionRegion::RejectionRegion(const analysis::TestSpec& test, int n_1, int n_0)
    : RejectionRegion(analysis::BinaryTest(test), n_1, n_0) {}

std::int64_t RejectionRegion::count() const {
  std::int64_t sum = 0;
  for (const auto& run : runs_) sum += run.x_1_to - run.x_1_from + 1;
  return sum;
}

double RejectionRegion::probability(double p_1, double p_0) const {
  return analysis::RejectionSum(n_1_, n_0_)(runs_, p_1, p_0);
}

double exact_power(const analysis::BinaryTest& test, int n_1, int n_0, double p_1, double p_0) {
  TRIALWRIGHT_EXPECT(test.spec().method != analysis::Method::cmh);
  const CountDistribution treatment(n_1, p_1), control(n_0, p_0);
  analysis::BinaryTest::Cache cache;
  double power = 0.0;
  for (int x_0 = control.first; x_0 <= control.last; ++x_0) {
    double given_x_0 = 0.0;
    for (int x_1 = treatment.first; x_1 <= treatment.last; ++x_1)
      if (test.reject({x_1, n_1, x_0, n_0}, cache)) given_x_0 += treatment.at(x_1);
    power += control.at(x_0) * given_x_0;
  }
  return power;
}

double exact_power(const analysis::TestSpec& test, int n_1, int n_0, double p_1, double p_0) {
  return exact_power(analysis::BinaryTest(test), n_1, n_0, p_1, p_0);
}

double exact_power(const analysis::TestSpec& test, int n_total,
                   std::span<const ArmSizeProbability> arm_sizes, double p_1, double p_0) {
  const analysis::BinaryTest planned(test);
  double power = 0.0;
  for (const auto& size : arm_sizes) {
    TRIALWRIGHT_EXPECT(size.n_1 >= 0 && size.n_1 <= n_total);
    if (size.probability == 0.0) continue;
    power += size.probability * exact_power(planned, size.n_1, n_total - size.n_1, p_1, p_0);
  }
  return power;
}

Size exact_size(const analysis::TestSpec& test, int n_1, int n_0) {
  const double loss =
      test.direction == analysis::Direction::higher_is_better ? -test.margin : test.margin;
  const RejectionRegion region(test, n_1, n_0);
  const auto supremum = analysis::NullRateSearch(n_1, n_0, loss).supremum(region.runs());
  return {supremum.probability, supremum.rate_0};
}

}  // namespace trialwright::exact
