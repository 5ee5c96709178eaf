// Doses chosen by the mean percent change of EASI (study D5), against a second method: stages drawn
// with replacement from a million patients an arm of fixed trials, and the choice made anew.
//
// Probabilities and means agree within 4 standard errors of their difference, that of the million's own
// means included (0.003 for a probability): ten comparisons, false alarms with probability 0.0006 over
// new seeds; the seed is fixed. A merit whose threshold or sign is off moves a probability by 0.1 and
// more, which is found for certain. The familywise error is at most alpha and 3 standard errors: false
// alarm 0.0014; an error of 0.0325 is found with probability 0.999.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "engine/metrics.hpp"
#include "engine/simulate.hpp"
#include "support/studies.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright {
namespace {

constexpr std::size_t k_n_arms = 3;
constexpr int k_arm_size = 40;  // of stage 1
constexpr double k_threshold = 10;
constexpr std::uint64_t k_trials = 20'000;
constexpr int k_redrawn = 200'000;
constexpr double k_cohort_error = 0.003;

std::string sections(const std::string& designs, double effect) {
  return fmt::format(
      "arms: {{high: {{dose_cells_per_kg: 1000000, infusion_weeks: [0, 2, 4]}}}}\n"
      "measures: {{easi: {{course: {{tau_weeks: {{high: 4}}, kumaraswamy: {{arms: {{high: {{a: 0.548402, b: "
      "0.82}}}}}}, responder_mixture: {{arms: {{high: {{responder_fraction: 0.4}}}}}}}}}}}}\n"
      "safety: {{any_event: {{high: 0.28}}, infusion_reaction: {{high: 0.05}}}}\n"
      "endpoints: {{change: {{kind: percent_change, measure: easi, week: 12}}}}\n"
      "estimands: {{change: {{endpoint: change, rescue: treatment_policy, discontinuation: "
      "treatment_policy, dropout: missing}}}}\n"
      "analyses: {{easi50_superiority: {{sides: 1, alpha: 0.025, arm: hcmsc}}}}\n"
      "designs: {}\nscenarios: {{truth: {{effect: {}}}}}\n",
      designs, effect);
}

std::string selection(const std::string& more) {
  return fmt::format(
      "{{seamless: {{kind: treatment_selection, arms: {{placebo: 1, hcmsc: 1, high: 1}}, patients: {}, "
      "primary: easi50_superiority, looks: [{{outcomes: {}}}], selection: {{rule: best, on: change{}}}, "
      "stage_2: {{patients_per_arm: 150}}}}}}",
      k_arm_size * k_n_arms, k_arm_size * k_n_arms, more);
}

engine::PointAccumulator simulate(const trial::TrialPlan& plan, std::uint64_t n_trials) {
  const engine::Work work{&plan, engine::TrueValues(plan.analyses.size()), n_trials, 0, nullptr};
  return engine::simulate({&work, 1}, 2, nullptr).front();
}

// Percent changes of a million patients an arm.
std::array<std::vector<double>, k_n_arms> many_patients(double effect) {
  constexpr std::uint64_t n_trials = 100;
  constexpr int n_patients = 30'000;
  const auto plan = support::plan(sections(
      fmt::format(
          "{{fixed: {{kind: fixed, arms: {{placebo: 1, hcmsc: 1, high: 1}}, patients: {}, "
          "primary: easi50_superiority, randomisation: {{method: permuted_block, block_size: 3}}}}}}",
          n_patients),
      effect));
  const auto& weeks = plan->model->visit_weeks();
  const auto visit =
      static_cast<std::size_t>(std::find(weeks.begin(), weeks.end(), 12) - weeks.begin());
  const auto easi = static_cast<std::size_t>(plan->model->measures()[0].baseline_covariate);
  trial::Workspace workspace;
  workspace.prepare(*plan);
  std::array<std::vector<double>, k_n_arms> changes;
  for (std::uint64_t i = 0; i < n_trials; ++i) {
    // Other trials than those that are simulated.
    trial::simulate_counts(*plan, 10'000'000 + i, workspace);
    const auto& cohort = workspace.cohort;
    for (std::size_t patient = 0; patient < n_patients; ++patient)
      changes[static_cast<std::size_t>(cohort.arm[patient])].push_back(
          100 * (cohort.values[visit][patient] / cohort.covariates[easi][patient] - 1));
  }
  return changes;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double sd_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

// How often stage 1, drawn from them, chooses each dose.
std::array<double, 2> redraw(const std::array<std::vector<double>, k_n_arms>& changes) {
  std::mt19937_64 engine(20261123);
  std::array<int, 2> chosen{};
  for (int i = 0; i < k_redrawn; ++i) {
    std::array<double, k_n_arms> means{};
    for (std::size_t arm = 0; arm < k_n_arms; ++arm) {
      std::uniform_int_distribution<std::size_t> patient(0, changes[arm].size() - 1);
      for (int k = 0; k < k_arm_size; ++k) means[arm] += changes[arm][patient(engine)] / k_arm_size;
    }
    const std::size_t best = means[2] < means[1] ? 1 : 0;
    if (means[0] - means[best + 1] >= k_threshold) ++chosen[best];
  }
  return {static_cast<double>(chosen[0]) / k_redrawn, static_cast<double>(chosen[1]) / k_redrawn};
}

TEST(SelectionByMeans, ChoosesAsOftenAsStagesRedrawnFromAMillionPatients) {
  for (const double effect : {1.0, 0.5}) {
    const auto changes = many_patients(effect);
    const auto expected = redraw(changes);
    const auto plan = support::plan(sections(selection(", at_least: 10"), effect));
    const auto sum = simulate(*plan, k_trials);
    for (std::size_t h = 0; h < 2; ++h) {
      const double seen = static_cast<double>(sum.staged.open[2 + h]) / static_cast<double>(k_trials);
      const double p = expected[h], variance = p * (1 - p);
      const double error = std::sqrt(variance / static_cast<double>(k_trials) + variance / k_redrawn +
                                     k_cohort_error * k_cohort_error);
      std::printf("effect %.1f dose %zu: chosen %.4f, redrawn %.4f (error of the difference %.4f)\n",
                  effect, h + 1, seen, p, error);
      EXPECT_NEAR(seen, p, 4 * error);
    }
    for (std::size_t arm = 0; arm < k_n_arms; ++arm) {
      const double per_million =
          sd_of(changes[arm]) / std::sqrt(static_cast<double>(changes[arm].size()));
      const double per_trials = sd_of(changes[arm]) / std::sqrt(static_cast<double>(k_arm_size) *
                                                                static_cast<double>(k_trials));
      EXPECT_NEAR(sum.staged.first_means[arm].mean(), mean_of(changes[arm]),
                  4 * std::hypot(per_million, per_trials));
      // The error that is told is the one that the patients' spread makes.
      EXPECT_NEAR(sum.staged.first_means[arm].mcse_of_mean() / per_trials, 1, 0.03);
    }
  }
}

TEST(SelectionByMeans, KeepsTheFamilywiseError) {
  const auto plan = support::plan(sections(selection(""), 0));
  const auto sum = simulate(*plan, k_trials);
  const double n = static_cast<double>(k_trials), alpha = 0.025;
  const double error = static_cast<double>(sum.staged.n_error) / n;
  std::printf("familywise error %.4f, naive %.4f\n", error,
              static_cast<double>(sum.staged.n_naive_error) / n);
  EXPECT_EQ(sum.staged.true_nulls, 0b11u);
  EXPECT_LE(error, alpha + 3 * std::sqrt(alpha * (1 - alpha) / n));
}

}  // namespace
}  // namespace trialwright
