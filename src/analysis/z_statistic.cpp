#include "analysis/z_statistic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/contract.hpp"
#include "math/normal.hpp"

namespace trialwright::analysis {

namespace {

// An empty arm, no responder or responders alone: one table is possible, and it says nothing.
bool says_nothing(const TwoByTwo& table) {
  const int responders = table.responders_1 + table.responders_0;
  return table.n_1 == 0 || table.n_0 == 0 || responders == 0 || responders == table.n_1 + table.n_0;
}

double exact_z(TestSpec spec, std::span<const TwoByTwo> strata) {
  if (says_nothing(collapsed(strata))) return 0.0;
  spec.sides = Sides::one;
  spec.alpha = 0.025;  // of no consequence: only the p-value is used
  return -math::normal_quantile(std::clamp(test(spec, strata).p_value, 0.0, 1.0));
}

}  // namespace

ZStatistic::ZStatistic(const TestSpec& spec) : spec_(spec) {
  TRIALWRIGHT_EXPECT(!check(spec));
}

double ZStatistic::operator()(std::span<const TwoByTwo> strata) const {
  return is_exact(spec_.method) ? exact_z(spec_, strata) : z_of(z_score(spec_, strata));
}

double ZStatistic::z_of(const ZScore& score) const {
  if (score.defined && score.variance > 0.0) return score.numerator / std::sqrt(score.variance);
  if (!score.defined || spec_.method != Method::z_unpooled || score.numerator == 0.0) return 0.0;
  return std::copysign(std::numeric_limits<double>::infinity(), score.numerator);
}

void ZStatistic::add(ZScore& sum, const TwoByTwo& stratum) const {
  const ZScore one = z_score(spec_, {&stratum, 1});
  sum.defined = sum.defined || one.defined;
  sum.numerator += one.numerator;
  sum.variance += one.variance;
}

ZStatistic ZStatistic::other_tail() const {
  ZStatistic other = *this;
  other.spec_.direction = spec_.direction == Direction::higher_is_better ? Direction::lower_is_better
                                                                         : Direction::higher_is_better;
  return other;
}

}  // namespace trialwright::analysis
