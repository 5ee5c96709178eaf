// Tests of two response rates on counts: the specification, a reference implementation with p-values,
// and the runtime object that only decides, for the simulation's inner loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "analysis/choices.hpp"
#include "analysis/conditional_region.hpp"
#include "analysis/two_by_two.hpp"

namespace trialwright::analysis {

// What is tested and when it is rejected. One-sided: the alternative is that treatment is better
// (with a margin: not worse by the margin or more), at level alpha. Two-sided: the rates differ,
// in any direction. `margin` is on the risk difference p1 - p0 and is the loss that is tolerated: H0 is
// p1 - p0 <= -margin where higher is better, p1 - p0 >= margin where lower is better; 0 is superiority.
struct TestSpec {
  Method method = Method::chi_square;
  Sides sides = Sides::two;
  double alpha = 0.05;
  double margin = 0.0;
  Direction direction = Direction::higher_is_better;

  // That of the side on which treatment is better.
  double one_sided_alpha() const { return sides == Sides::one ? alpha : 0.5 * alpha; }
};

// What is wrong with a specification ("problem (why)"), or nothing. A margin is for z_unpooled and
// farrington_manning, one-sided, inside [0, 1); alpha lies in (0, 1), one-sided in (0, 0.5).
std::optional<std::string> check(const TestSpec& spec);

// `degenerate`: the statistic has no variance, or an arm is empty. Then the stated rule decides: an
// empty arm and the zero-variance tables of every test but z_unpooled do not reject (p = 1); z_unpooled
// without variance rejects where treatment is better by the counts (two-sided: where the rates differ).
// `statistic` is the signed z (positive: treatment has the better rate; the signed root of chi-square),
// NaN for exact tests.
struct TestResult {
  bool reject = false;
  double p_value = 1.0;
  bool degenerate = false;
  double statistic = 0.0;
};

// The reference implementation; slow for boschloo and z_pooled_exact. All methods but cmh work on the
// strata's sum. Definitions:
//   chi_square = z_pooled   Pearson's test without correction; one-sided by the signed root.
//   chi_square_yates        correction min(1/2, |observed - expected|), as R's prop.test.
//   z_unpooled              Wald's z with each arm's own variance, and the margin.
//   farrington_manning      score z with the variance at the restricted maximum likelihood estimate
//                           under the margin (Farrington & Manning 1990, Statistics in Medicine
//                           9:1447).
//   fisher                  one-sided: the hypergeometric tail; two-sided: the tables at most as
//                           probable as the observed one, to a relative 1e-7 (R's fisher.test).
//   fisher_midp             half the observed table's probability counts; two-sided: twice the smaller
//                           side.
//   boschloo                unconditional (Boschloo 1970): supremum over the common rate of the
//                           probability of a Fisher p-value as small; two-sided: twice the smaller
//                           one-sided p-value.
//   z_pooled_exact          the same with the pooled z as the ordering (Suissa & Shuster 1985).
//   cmh                     Cochran-Mantel-Haenszel without correction over the strata; one-sided by
//                           the signed root. Strata with an empty arm or one patient say nothing.
// p-values of exact tests are compared with alpha to a relative 1e-12, so that a p-value that equals
// alpha rejects whatever the rounding.
TestResult test(const TestSpec& spec, std::span<const TwoByTwo> strata);

// One planned test: made once a plan, const, shared by threads. Decides as test() does, table by table.
// Results are the same bits on every instruction set: decisions use integers and + - * / only.
class BinaryTest {
 public:
  // Rejection regions met so far; one for each worker thread and each BinaryTest.
  class Cache {
   public:
    // Regions held, for telling memory.
    std::size_t size() const { return regions_.size(); }

   private:
    friend class BinaryTest;
    std::unordered_map<std::uint64_t, std::unique_ptr<const ConditionalRegion>> regions_;
    std::uint64_t last_key_ = ~std::uint64_t{0};
    const ConditionalRegion* last_ = nullptr;
  };

  // The specification must have passed check().
  explicit BinaryTest(const TestSpec& spec);

  const TestSpec& spec() const { return spec_; }

  // Allocates only the first time a pair of arm sizes is met, and only for exact tests.
  bool reject(std::span<const TwoByTwo> strata, Cache& cache) const;
  bool reject(const TwoByTwo& table, Cache& cache) const { return reject({&table, 1}, cache); }

 private:
  const ConditionalRegion& region(int n_1, int n_0, Cache& cache) const;

  TestSpec spec_;
  double critical_z_ = 0.0;
};

// The upper normal quantile a z statistic is compared with: of alpha (one-sided) or alpha / 2.
double critical_z(const TestSpec& spec);

}  // namespace trialwright::analysis
