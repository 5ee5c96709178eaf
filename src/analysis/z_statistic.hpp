// The z statistic of a planned test, for designs that hold it against boundaries of their own.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "analysis/binary_test.hpp"
#include "analysis/exact_z.hpp"
#include "analysis/two_by_two.hpp"
#include "analysis/z_score.hpp"

namespace trialwright::analysis {

// Made once a plan, const, shared by threads; the same bits on every instruction set.
//
// z is positive where treatment is better, whatever the direction, and allows for the margin; sides and
// alpha of the specification play no part. Of exact methods it is the normal quantile of 1 - the
// one-sided p-value, reckoned once a table (ExactZ). Where there is no variance the rule of test()
// stands: an empty arm, no responder at all or nothing but responders give z = 0; z_unpooled is
// +-infinity where the rates (with the margin) differ.
class ZStatistic {
 public:
  // The specification must have passed check(). `exact_z` is what plans of one study share; null: the
  // statistic has its own.
  explicit ZStatistic(const TestSpec& spec, std::shared_ptr<const ExactZ> exact_z = nullptr);

  const TestSpec& spec() const { return spec_; }

  // cmh keeps the strata apart, all other methods sum them. No allocation but where an exact method
  // meets a table for the first time.
  double operator()(std::span<const TwoByTwo> strata) const;
  double operator()(const TwoByTwo& table) const { return (*this)({&table, 1}); }

  // The same of strata that need not lie in memory: table_of(i_stratum) is a TwoByTwo.
  template <class TableOf>
  double over(int n_strata, TableOf table_of) const {
    if (spec_.method == Method::cmh) {
      ZScore sum;
      for (int s = 0; s < n_strata; ++s) add(sum, table_of(s));
      return z_of(sum);
    }
    return (*this)(sum_over(n_strata, table_of));
  }

  // Evidence that treatment is worse: -z; of exact methods that of their other tail.
  template <class TableOf>
  double against_over(int n_strata, TableOf table_of) const {
    if (!is_exact(spec_.method)) return -over(n_strata, table_of);
    return exact_z(sum_over(n_strata, table_of), opposite(spec_.direction));
  }
  double against(const TwoByTwo& table) const {
    return against_over(1, [&](int) { return table; });
  }

  // Are these above a limit? Of exact methods much sooner told than what they are (ExactZ::exceeds).
  template <class TableOf>
  bool exceeds_over(int n_strata, TableOf table_of, double limit) const {
    if (!is_exact(spec_.method)) return over(n_strata, table_of) > limit;
    return exact_exceeds(sum_over(n_strata, table_of), spec_.direction, limit);
  }
  template <class TableOf>
  bool against_exceeds_over(int n_strata, TableOf table_of, double limit) const {
    if (!is_exact(spec_.method)) return against_over(n_strata, table_of) > limit;
    return exact_exceeds(sum_over(n_strata, table_of), opposite(spec_.direction), limit);
  }

 private:
  double z_of(const ZScore& score) const;
  void add(ZScore& sum, const TwoByTwo& stratum) const;
  double exact_z(const TwoByTwo& table, Direction direction) const;
  bool exact_exceeds(const TwoByTwo& table, Direction direction, double limit) const;
  template <class TableOf>
  static TwoByTwo sum_over(int n_strata, TableOf table_of) {
    TwoByTwo sum = table_of(0);
    for (int s = 1; s < n_strata; ++s) sum = collapsed(std::array{sum, table_of(s)});
    return sum;
  }
  static Direction opposite(Direction direction) {
    return direction == Direction::higher_is_better ? Direction::lower_is_better
                                                    : Direction::higher_is_better;
  }

  TestSpec spec_;
  std::shared_ptr<const ExactZ> exact_z_;  // null of other methods
};

}  // namespace trialwright::analysis
