// The planned test's z of a trial's stages.
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <span>

#include "analysis/exact_z.hpp"
#include "analysis/z_statistic.hpp"
#include "design/look_tables.hpp"
#include "design/staged_design.hpp"

namespace trialwright::design {

// Positive where treatment is better. Of the pooled z in place, for that is decided by the million and
// gives the same bits.
class StageZ {
 public:
  StageZ(const analysis::TestSpec& test, std::shared_ptr<const analysis::ExactZ> exact_z)
      : z_(test, std::move(exact_z)),
        is_pooled_(test.method == analysis::Method::chi_square ||
                   test.method == analysis::Method::z_pooled),
        is_symmetric_(!analysis::is_exact(test.method)),
        sign_(test.direction == analysis::Direction::higher_is_better ? 1.0 : -1.0) {}

  const analysis::TestSpec& spec() const { return z_.spec(); }
  bool is_symmetric() const { return is_symmetric_; }

  double operator()(const LookData& data, int first, int last) const {
    if (is_pooled_ && data.n_strata == 1) return pooled(stratum_table(data, 0, 0, first, last));
    return z_of_stages(z_, data, 0, first, last);
  }
  // Each of the first stages' own.
  std::span<const double> of_stages(const LookData& data, std::size_t n, std::span<double> out) const {
    for (std::size_t i = 0; i < n; ++i)
      out[i] = (*this)(data, static_cast<int>(i), static_cast<int>(i));
    return out.first(n);
  }
  // Evidence that treatment is worse.
  double against(const LookData& data, int first, int last) const {
    return is_symmetric() ? -(*this)(data, first, last) : z_against_of_stages(z_, data, 0, first, last);
  }

  std::span<const double> against_of_stages(const LookData& data, std::size_t n,
                                            std::span<double> out) const {
    for (std::size_t i = 0; i < n; ++i)
      out[i] = against(data, static_cast<int>(i), static_cast<int>(i));
    return out.first(n);
  }

  // Of one table, where it is the pooled z that is planned.
  bool is_pooled() const { return is_pooled_; }
  double pooled(const analysis::TwoByTwo& table) const {
    const double n_1 = table.n_1, n_0 = table.n_0, total = table.n_1 + table.n_0;
    const double responders = table.responders_1 + table.responders_0;
    const double variance = n_1 * n_0 * (responders * (total - responders)) / total;
    if (!(variance > 0)) return 0.0;
    return sign_ * (table.responders_1 * n_0 - table.responders_0 * n_1) / std::sqrt(variance);
  }

 private:
  analysis::ZStatistic z_;
  bool is_pooled_;
  bool is_symmetric_;  // of exact tests the tails are not each other's mirror image
  double sign_;
};

}  // namespace trialwright::design
