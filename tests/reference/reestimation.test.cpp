// Sample size re-estimation against other software.
//
// ssr_exact_binary.csv: the promising zone with inverse normal combination, exactly, by R's binomial
// probabilities (gs_exact_binary.R, part B; rpact 4.3.0's asOF critical values), 12 decimals.
// reestimation_rpact.csv: rows W3 and W3b of oc_rpact_rates.csv, rpact 4.3.0's getSimulationRates with
// a million iterations: three looks (150, 225, 300 patients planned), inverse normal weights, each
// stage's size that of conditional power 0.9, 75 to 225 patients, by observed rates or by those of the
// plan.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "analysis/z_statistic.hpp"
#include "design/reestimation_sizing.hpp"
#include "sequential/boundary.hpp"
#include "support/csv_rows.hpp"
#include "support/reestimation_cases.hpp"

namespace trialwright {
namespace {

using support::csv_rows;
using test_support::Follow;

double number(const support::CsvRow& row, const std::string& name) {
  return std::stod(row.at(name));
}

std::string promising_zone(const support::CsvRow& row) {
  const int m = static_cast<int>(number(row, "m")),
            most = 2 * (m + static_cast<int>(number(row, "nmax")));
  const int planned = 2 * (m + static_cast<int>(number(row, "m2")));
  // Where the reference does not adapt, the cap is the plan.
  const int cap = row.at("adapt") == "TRUE" ? most : planned;
  return "looks: [{outcomes: " + std::to_string(2 * m) +
         "}]\nreestimation: {rule: promising_zone, from: " + row.at("cpmin") +
         ", to: " + row.at("target") + ", power: " + row.at("target") +
         ", most_patients: " + std::to_string(cap) +
         "}\ncombination: inverse_normal\nefficacy: {boundary: lan_demets_obrien_fleming}\n";
}

TEST(ReestimationReference, PromisingZoneAgreesExactly) {
  int n_rows = 0;
  for (const auto& row : csv_rows("tests/reference/ssr_exact_binary.csv")) {
    const int m = static_cast<int>(number(row, "m")), m_2 = static_cast<int>(number(row, "m2"));
    const auto design = test_support::reestimated(2 * (m + m_2), promising_zone(row));
    const auto got = test_support::enumerate(
        *design, m, number(row, "p1"), number(row, "p2"),
        m < 50 && row.at("p1") == "0.45" ? Follow::every_table : Follow::bisection);
    const std::string name = row.at("m") + " " + row.at("p1") + " " + row.at("adapt");
    EXPECT_NEAR(got.rejected_at_look, number(row, "rej1"), 1e-9) << name;
    EXPECT_NEAR(got.rejected_at_end, number(row, "rej2"), 1e-9) << name;
    EXPECT_NEAR(got.power(), number(row, "power"), 1e-9) << name;
    EXPECT_NEAR(got.expected_patients, number(row, "EN_total"), 1e-6) << name;
    // The reference counts zone and not change: a trial in the zone is enlarged unless the plan
    // suffices.
    if (row.at("adapt") == "TRUE") {
      EXPECT_LE(got.changed, number(row, "pr_promising") + 1e-9) << name;
    }
    ++n_rows;
  }
  EXPECT_EQ(n_rows, 14);
}

// Draws from binomial laws by inversion of their distribution functions.
class Binomials {
 public:
  explicit Binomials(double rate) : rate_(rate), by_n_(400) {}
  int operator()(int n, std::mt19937_64& engine) {
    auto& law = by_n_[static_cast<std::size_t>(n)];
    if (law.empty()) {
      double sum = 0;
      for (const double p : test_support::binomial_probabilities(n, rate_)) law.push_back(sum += p);
    }
    const double u = std::uniform_real_distribution<double>(0, law.back())(engine);
    return static_cast<int>(std::upper_bound(law.begin(), law.end() - 1, u) - law.begin());
  }

 private:
  double rate_;
  std::vector<std::vector<double>> by_n_;
};

struct ThreeStages {
  std::array<double, 3> rejected{};
  double patients = 0;
};

// rpact's rule, sized by design::patients_for.
ThreeStages simulate_three_stages(int n_trials, double rate_1, double rate_0, bool by_plan,
                                  std::uint64_t seed) {
  const std::array<double, 3> looks{0.5, 0.75, 1.0};
  const auto boundary = sequential::efficacy_boundary({}, 0.025, looks);
  const analysis::ZStatistic z(test_support::one_sided_z());
  const design::ArmParts parts;
  std::mt19937_64 engine(seed);
  Binomials active(rate_1), placebo(rate_0);
  ThreeStages result;
  for (int trial = 0; trial < n_trials; ++trial) {
    analysis::TwoByTwo all;
    double score = 0;
    int n_stage = 150;
    for (std::size_t k = 0; k < 3; ++k) {
      const int n_1 = (n_stage + 1) / 2, n_0 = n_stage - n_1;
      const analysis::TwoByTwo stage{active(n_1, engine), n_1, placebo(n_0, engine), n_0};
      score += std::sqrt(k == 0 ? 0.5 : 0.25) * z(stage);
      const std::array<analysis::TwoByTwo, 2> both{all, stage};
      all = analysis::collapsed(both);
      if (score / std::sqrt(looks[k]) > boundary.efficacy_z[k]) {
        result.rejected[k] += 1.0 / n_trials;
        break;
      }
      if (k == 2) break;
      const double critical = (boundary.efficacy_z[k + 1] * std::sqrt(looks[k + 1]) - score) /
                              std::sqrt(looks[k + 1] - looks[k]);
      const design::ArmRates rates =
          by_plan ? design::ArmRates{0.5, 0.32}
                  : design::ArmRates{static_cast<double>(all.responders_1) / all.n_1,
                                     static_cast<double>(all.responders_0) / all.n_0};
      const auto prospect =
          design::prospect_of(rates, parts, design::SizingVariance::null_and_alternative, 1.0, 0.0);
      const double needed = design::patients_for(prospect, critical, 0.9);
      n_stage = static_cast<int>(std::ceil(std::min(225.0, std::max(75.0, needed))));
    }
    result.patients += static_cast<double>(all.n_1 + all.n_0) / n_trials;
  }
  return result;
}

// Each of 30 comparisons is of two independent simulations; at 3.5 standard errors of their difference
// one false alarm is expected in 70 runs of new seeds. A difference of 0.002 in power at 0.32 is seen
// with probability above 0.99.
TEST(ReestimationReference, SizesByConditionalPowerAsRpactDoes) {
  constexpr int k_trials = 400'000;
  std::uint64_t seed = 20261123;
  for (const auto& row : csv_rows("tests/reference/reestimation_rpact.csv")) {
    const auto got =
        simulate_three_stages(k_trials, number(row, "p1"), 0.32, row.at("rates") == "planned", seed++);
    const std::string name = row.at("rates") + " " + row.at("p1");
    const double theirs = number(row, "iterations");
    const auto near = [&](double ours, double reference, const char* what) {
      const double se = std::sqrt(reference * (1 - reference) * (1.0 / k_trials + 1.0 / theirs));
      EXPECT_NEAR(ours, reference, 3.5 * se) << name << " " << what;
    };
    near(got.rejected[0], number(row, "rejected_1"), "at look 1");
    near(got.rejected[1], number(row, "rejected_2"), "at look 2");
    near(got.rejected[2], number(row, "rejected_3"), "at the end");
    near(got.rejected[0] + got.rejected[1] + got.rejected[2], number(row, "power"), "power");
    // Patients are between 150 and 600: a standard deviation of at most 225.
    EXPECT_NEAR(got.patients, number(row, "patients"),
                3.5 * 225 * std::sqrt(1.0 / k_trials + 1.0 / theirs))
        << name;
  }
}

}  // namespace
}  // namespace trialwright
