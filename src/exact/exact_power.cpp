#include "exact/exact_power.hpp"

#include "base/contract.hpp"

namespace trialwright::exact {

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

double exact_power(const analysis::TestSpec& test, int n_1, int n_0, double p_1, double p_0) {
  return RejectionRegion(test, n_1, n_0).probability(p_1, p_0);
}

double exact_power(const analysis::TestSpec& test, int n_total,
                   std::span<const ArmSizeProbability> arm_sizes, double p_1, double p_0) {
  const analysis::BinaryTest planned(test);
  double power = 0.0;
  for (const auto& size : arm_sizes) {
    TRIALWRIGHT_EXPECT(size.n_1 >= 0 && size.n_1 <= n_total);
    if (size.probability == 0.0) continue;
    power +=
        size.probability * RejectionRegion(planned, size.n_1, n_total - size.n_1).probability(p_1, p_0);
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
