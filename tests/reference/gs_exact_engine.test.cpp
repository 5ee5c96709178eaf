// Three-look binary designs on the engine of counts against gs_exact_binary.csv (gs_exact_binary.R of
// the reference values: exact forward convolution in R, 12 decimals): exact probabilities, and a
// million trials drawn.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <sstream>

#include "support/csv_rows.hpp"
#include "support/threshold_design.hpp"
#include "trial/count_plan.hpp"

namespace trialwright::trial {
namespace {

// "74/111/148" as numbers; "-Inf" too.
std::vector<double> parts(const std::string& text) {
  std::vector<double> values;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, '/');)
    values.push_back(part == "-Inf" ? -std::numeric_limits<double>::infinity() : std::stod(part));
  return values;
}

using Ends = std::map<std::pair<int, design::StopReason>, double>;

struct Row {
  std::shared_ptr<const TrialPlan> plan;
  std::shared_ptr<const StagedCountPlan> counts;
};

Row row_of(const std::map<std::string, std::string>& row) {
  const auto n = parts(row.at("n_per_arm")), futility = parts(row.at("fut"));
  const auto design = std::make_shared<support::ThresholdDesign>(
      static_cast<int>(2 * n[2]),
      std::vector{std::stod(row.at("b1")), std::stod(row.at("b2")), std::stod(row.at("b3"))},
      std::vector{futility[0], futility[1], -std::numeric_limits<double>::infinity()});
  auto plan = support::staged_plan(
      support::sections(static_cast<int>(2 * n[2]), "{effect: 1}",
                        ", randomisation: {method: permuted_block, block_size: 2}"),
      design, {static_cast<int>(2 * n[0]), static_cast<int>(2 * n[1])});
  // The row's rates in place of the study's.
  auto law = std::get<PlanLaw>(count_law(*plan));
  for (std::size_t arm = 0; arm < 2; ++arm) {
    const bool is_control = plan->arms[arm] == plan->control_arm;
    const double rate = std::stod(row.at(is_control ? "p2" : "p1"));
    const auto [events, patients] = law.arms[arm];
    law.law.stages.front().arms[arm].cells = {{rate, {events, patients}}, {1 - rate, {patients}}};
  }
  auto made = StagedCountPlan::make(*plan, law);
  EXPECT_EQ(made.why_not, "");
  return {std::move(plan), std::move(made.plan)};
}

Ends reference(const std::map<std::string, std::string>& row) {
  using enum design::StopReason;
  Ends ends;
  for (int look = 1; look <= 3; ++look)
    ends[{look, efficacy}] = std::stod(row.at("rej" + std::to_string(look)));
  ends[{1, futility}] = std::stod(row.at("fut1"));
  ends[{2, futility}] = std::stod(row.at("fut2"));
  double rest = 1;
  for (const auto& [end, probability] : ends) rest -= probability;
  ends[{3, completed}] = rest;
  return ends;
}

TEST(GsExactEngine, HasTheExactProbabilities) {
  const auto rows = support::csv_rows("tests/reference/gs_exact_binary.csv");
  ASSERT_GE(rows.size(), 20u);
  for (const auto& row : rows) {
    const auto [plan, counts] = row_of(row);
    ASSERT_TRUE(counts->decides_by_tables());
    Ends ends;
    double power = 0, patients = 0;
    for (const auto& [end, probability] : counts->end_probabilities()) {
      ends[{end.n_looks, end.stop}] += probability;
      power += end.rejected != 0 ? probability : 0;
      patients += end.n_analysed * probability;
    }
    EXPECT_NEAR(power, std::stod(row.at("power")), 2e-11);
    EXPECT_NEAR(patients, std::stod(row.at("EN")), 1e-8);
    for (const auto& [end, probability] : reference(row)) EXPECT_NEAR(ends[end], probability, 2e-11);
  }
}

// Every end of every row within 3.5 Monte Carlo standard errors at a million trials: of some 120
// comparisons, by chance alone one fails in 18 such sets of seeds; the seed is fixed. A difference of
// 0.0025 in a probability near 0.5 is found with probability 0.93.
TEST(GsExactEngine, DrawsThemAtAMillionTrials) {
  constexpr std::uint64_t k_trials = 1'000'000;
  StagedCountPlan::Workspace workspace;
  for (const auto& row : support::csv_rows("tests/reference/gs_exact_binary.csv")) {
    const auto [plan, counts] = row_of(row);
    EndCounts drawn;
    for (std::uint64_t first = 0; first < k_trials; first += 1000)
      counts->run(plan->key, first, 1000, workspace, drawn);
    Ends ends;
    drawn.for_each([&](const TrialEnd& end, std::uint64_t n) {
      ends[{end.n_looks, end.stop}] += static_cast<double>(n) / k_trials;
    });
    for (const auto& [end, p] : reference(row))
      EXPECT_NEAR(ends[end], p, 3.5 * std::sqrt(std::max(p * (1 - p), 1e-9) / k_trials))
          << row.at("n_per_arm") << ' ' << row.at("p1") << ' ' << row.at("fut") << ' ' << end.first;
  }
}

}  // namespace
}  // namespace trialwright::trial
