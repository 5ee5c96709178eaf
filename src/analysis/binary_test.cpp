#include "analysis/binary_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/exact_tests.hpp"
#include "analysis/z_score.hpp"
#include "base/contract.hpp"
#include "math/normal.hpp"

namespace trialwright::analysis {

namespace {

bool degenerate_rejects(const TestSpec& spec, const ZScore& z) {
  if (!z.defined || spec.method != Method::z_unpooled) return false;
  return spec.sides == Sides::one ? z.numerator > 0.0 : z.numerator != 0.0;
}

bool decide(const TestSpec& spec, const ZScore& z, double critical) {
  if (!z.defined || !(z.variance > 0.0)) return degenerate_rejects(spec, z);
  if (spec.sides == Sides::one && !(z.numerator > 0.0)) return false;
  return z.numerator * z.numerator > critical * critical * z.variance;
}

TestResult asymptotic_result(const TestSpec& spec, const ZScore& z) {
  TestResult result;
  result.reject = decide(spec, z, critical_z(spec));
  if (!z.defined || !(z.variance > 0.0)) {
    result.degenerate = true;
    result.p_value = result.reject ? 0.0 : 1.0;
    return result;
  }
  result.statistic = z.numerator / std::sqrt(z.variance);
  result.p_value = spec.sides == Sides::one ? math::normal_survival(result.statistic)
                                            : 2.0 * math::normal_survival(std::abs(result.statistic));
  return result;
}

double exact_p(const TestSpec& spec, const TwoByTwo& table) {
  switch (spec.method) {
    case Method::fisher:
      return fisher_p(table, spec.sides);
    case Method::fisher_midp:
      return fisher_midp_p(table, spec.sides);
    case Method::boschloo:
      return unconditional_p(table, spec.sides, TableOrder::By::fisher_p);
    default:
      return unconditional_p(table, spec.sides, TableOrder::By::pooled_z);
  }
}

ConditionalRegion exact_region(const TestSpec& spec, int n_1, int n_0) {
  switch (spec.method) {
    case Method::fisher:
      return fisher_region(n_1, n_0, spec.sides, spec.alpha);
    case Method::fisher_midp:
      return fisher_midp_region(n_1, n_0, spec.sides, spec.alpha);
    case Method::boschloo:
      return unconditional_region(n_1, n_0, spec.sides, spec.alpha, TableOrder::By::fisher_p);
    default:
      return unconditional_region(n_1, n_0, spec.sides, spec.alpha, TableOrder::By::pooled_z);
  }
}

}  // namespace

std::optional<std::string> check(const TestSpec& spec) {
  if (!(spec.alpha > 0.0 && spec.alpha < 1.0))
    return fmt::format("alpha is {} (a level strictly between 0 and 1 is needed)", spec.alpha);
  if (spec.sides == Sides::one && spec.alpha >= 0.5)
    return fmt::format("one-sided alpha is {} (below 0.5 makes sense)", spec.alpha);
  if (!(spec.margin >= 0.0 && spec.margin < 1.0))
    return fmt::format("margin is {} (a loss in the risk difference from 0 to below 1 is needed)",
                       spec.margin);
  if (spec.margin == 0.0) return std::nullopt;
  if (spec.method != Method::z_unpooled && spec.method != Method::farrington_manning)
    return fmt::format("{} takes no margin (its null hypothesis is equality of the rates)",
                       base::name_of(method_table(), spec.method));
  if (spec.sides == Sides::two)
    return "a margin needs a one-sided test (non-inferiority has one direction)";
  return std::nullopt;
}

double critical_z(const TestSpec& spec) {
  return -math::normal_quantile(spec.sides == Sides::one ? spec.alpha : 0.5 * spec.alpha);
}

TestResult test(const TestSpec& spec, std::span<const TwoByTwo> strata) {
  TRIALWRIGHT_EXPECT(!check(spec));
  if (!is_exact(spec.method)) return asymptotic_result(spec, z_score(spec, strata));
  const TwoByTwo table = oriented(collapsed(strata), spec.direction);
  TestResult result{false, 1.0, false, std::numeric_limits<double>::quiet_NaN()};
  if (table.n_1 == 0 || table.n_0 == 0) {
    result.degenerate = true;
    return result;
  }
  result.p_value = exact_p(spec, table);
  result.reject = at_most_alpha(result.p_value, spec.alpha);
  return result;
}

BinaryTest::BinaryTest(const TestSpec& spec) : spec_(spec), critical_z_(critical_z(spec)) {
  TRIALWRIGHT_EXPECT(!check(spec));
}

const ConditionalRegion& BinaryTest::region(int n_1, int n_0, Cache& cache) const {
  const std::uint64_t key = static_cast<std::uint64_t>(n_1) << 32 | static_cast<std::uint32_t>(n_0);
  if (cache.last_ != nullptr && cache.last_key_ == key) return *cache.last_;
  auto& slot = cache.regions_[key];
  if (!slot) slot = std::make_unique<const ConditionalRegion>(exact_region(spec_, n_1, n_0));
  cache.last_key_ = key;
  cache.last_ = slot.get();
  return *slot;
}

bool BinaryTest::reject(std::span<const TwoByTwo> strata, Cache& cache) const {
  if (!is_exact(spec_.method)) return decide(spec_, z_score(spec_, strata), critical_z_);
  const TwoByTwo table = oriented(collapsed(strata), spec_.direction);
  if (table.n_1 == 0 || table.n_0 == 0) return false;
  return region(table.n_1, table.n_0, cache).rejects(table.responders_1, table.responders_0);
}

}  // namespace trialwright::analysis
