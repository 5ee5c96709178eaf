// Exact power, number of rejecting tables and supremum of the size of all rows of
// exact_power_binary.csv: base R enumerations (exact_power_binary.R; regions equal R's own tests,
// Boschloo and z-pooled equal package Exact 3.3 to 12 digits), written with 12 and 9 decimals.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "exact/exact_power.hpp"
#include "support/csv_rows.hpp"

namespace trialwright {
namespace {

using analysis::Direction;
using analysis::Method;
using analysis::Sides;

// fisher_2s_up counts the two-sided rejections with the treatment rate above.
struct ReferenceTest {
  analysis::TestSpec spec;
  bool upper_only = false;
};

ReferenceTest reference_test(const std::string& name) {
  static const std::map<std::string, Method> k_methods{{"pooledZ", Method::z_pooled},
                                                       {"unpooledZ", Method::z_unpooled},
                                                       {"fisher", Method::fisher},
                                                       {"fisher_midp", Method::fisher_midp},
                                                       {"yates", Method::chi_square_yates},
                                                       {"boschloo", Method::boschloo},
                                                       {"zpooled_exact", Method::z_pooled_exact}};
  const bool upper_only = name == "fisher_2s_up";
  const std::string base = upper_only ? "fisher_2s" : name;
  const bool one_sided = base.ends_with("_1s");
  return {{k_methods.at(base.substr(0, base.size() - 3)), one_sided ? Sides::one : Sides::two,
           one_sided ? 0.025 : 0.05, 0.0, Direction::higher_is_better},
          upper_only};
}

struct Region {
  std::vector<analysis::RejectedRun> runs;
  analysis::Supremum supremum;
  std::int64_t count = 0;
};

Region make_region(const ReferenceTest& test, int n_1, int n_0) {
  Region region;
  const exact::RejectionRegion rejected(test.spec, n_1, n_0);
  for (const auto& run : rejected.runs())
    if (!test.upper_only || run.x_1_from * n_0 > run.x_0 * n_1) region.runs.push_back(run);
  for (const auto& run : region.runs) region.count += run.x_1_to - run.x_1_from + 1;
  region.supremum = analysis::NullRateSearch(n_1, n_0).supremum(region.runs);
  return region;
}

TEST(ExactPowerBinary, AgreesWithEveryRowOfTheReference) {
  std::map<std::tuple<std::string, int, int>, Region> regions;
  int n_rows = 0;
  for (const auto& row : support::csv_rows("tests/reference/exact_power_binary.csv")) {
    const std::string& name = row.at("test");
    const int n_1 = std::stoi(row.at("n1")), n_0 = std::stoi(row.at("n2"));
    SCOPED_TRACE(name + " " + std::to_string(n_1) + "+" + std::to_string(n_0));
    auto found = regions.find({name, n_1, n_0});
    if (found == regions.end())
      found = regions.insert({{name, n_1, n_0}, make_region(reference_test(name), n_1, n_0)}).first;
    const Region& region = found->second;
    const double power =
        analysis::RejectionSum(n_1, n_0)(region.runs, std::stod(row.at("p1")), std::stod(row.at("p2")));
    EXPECT_EQ(region.count, std::stoll(row.at("n_reject_cells")));
    EXPECT_NEAR(power, std::stod(row.at("power")), 1e-11);
    EXPECT_NEAR(region.supremum.probability, std::stod(row.at("sup_size")), 1e-9);
    ++n_rows;
  }
  EXPECT_EQ(n_rows, 310);
}

}  // namespace
}  // namespace trialwright
