// The normal-approximation sizes beside the exact ones, against the fixed-design rows of
// sample_size_rates.csv (sample_size.R: rpact 4.3.0, gsDesign 3.10.1 and closed forms).
#include <gtest/gtest.h>

#include <string>

#include "exact/sample_size.hpp"
#include "support/csv_rows.hpp"

namespace trialwright::exact {
namespace {

TEST(ExactSampleSize, NormalApproximationAgreesWithRpact) {
  int n_compared = 0;
  for (const auto& row : support::csv_rows("tests/reference/exact_sample_size_rates.csv")) {
    const bool superiority = row.at("design").starts_with("fixed superiority (score");
    if (!superiority && !row.at("design").starts_with("fixed NI rates diff (Farrington-Manning)"))
      continue;
    SampleSizeQuestion asked;
    asked.test.sides = analysis::Sides::one;
    asked.test.alpha = 0.025;
    asked.p_1 = std::stod(row.at("pi1"));
    asked.p_0 = std::stod(row.at("pi2"));
    asked.target_power = std::stod(row.at("power"));
    asked.ratio_1 = std::stoi(row.at("ratio"));
    if (!superiority) {
      asked.test.method = analysis::Method::farrington_manning;
      asked.test.margin = std::stod(row.at("margin"));
      asked.test.direction = analysis::Direction::lower_is_better;
    }
    asked.max_total = 1;  // the approximation alone
    EXPECT_NEAR(smallest_sample_size(asked).approximate_total, std::stod(row.at("N_rpact")), 1e-6)
        << row.at("design") << " " << row.at("pi1") << " " << row.at("pi2") << " " << row.at("power");
    ++n_compared;
  }
  EXPECT_GE(n_compared, 40);
}

}  // namespace
}  // namespace trialwright::exact
