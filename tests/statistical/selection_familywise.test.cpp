// Familywise error of treatment selection and of multi-arm multi-stage designs under global and partial
// nulls, a million trials of normal z paths each.
//
// A stage's means of control and arms are drawn as normal and handed over as counts of arms of 2
// million patients, whose rounding moves a z by less than 0.002. The error of each design is at most
// alpha: 3 Monte Carlo standard errors above it are a false alarm with probability at most 0.0014 a
// case (21 cases: 0.03); a design with an error of 0.0260 is caught with probability 0.9997.
// Equalities, at 3.5 standard errors: six of them, 0.003.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "design/design_spec.hpp"
#include "sequential/multi_arm.hpp"

namespace trialwright {
namespace {

using design::Bits;
using design::StopReason;

constexpr int k_n_trials = 1'000'000;
constexpr int k_arm_size = 2'000'000;
constexpr double k_alpha = 0.025;

const analysis::TestSpec k_test{analysis::Method::z_pooled, analysis::Sides::one, k_alpha};

design::DesignSpec three_arms_and_control(int n_stages) {
  design::DesignSpec spec;
  spec.arms = {{0, 1}, {1, 1}, {2, 1}, {3, 1}};
  spec.patients = 4 * k_arm_size * n_stages;
  spec.looks.emplace();
  for (int k = 1; k <= n_stages; ++k) {
    const double patients = 4.0 * k_arm_size * k;
    if (k < std::max(2, n_stages))
      spec.looks->interim.push_back({design::OutcomesKnown{{patients, false}}});
  }
  return spec;
}

// Responders of an arm whose z against an arm without effect is expected to be `drift` a stage.
class Paths {
 public:
  explicit Paths(unsigned seed) : engine_(seed) {}
  int responders(double drift) {
    const double sd = std::sqrt(0.25 * k_arm_size);
    return k_arm_size / 2 +
           static_cast<int>(std::lround(sd * (normal_(engine_) + std::sqrt(2.0) * drift)));
  }

 private:
  std::mt19937_64 engine_;
  std::normal_distribution<double> normal_;
};

struct Error {
  double familywise = 0;
  double naive = 0;
  double any = 0;
};

// drifts: of each arm; 0 is a true null.
Error simulate(const design::StagedDesign& design, std::array<double, 3> drifts, unsigned seed) {
  Paths paths(seed);
  Bits nulls = 0;
  for (std::size_t h = 0; h < 3; ++h)
    if (drifts[h] <= 0) nulls |= Bits{1} << h;
  std::vector<analysis::TwoByTwo> tables;
  int n_errors = 0, n_naive = 0, n_any = 0;
  for (int i = 0; i < k_n_trials; ++i) {
    design::TrialState state;
    design.start(state);
    tables.clear();
    design::LookData data;
    int n_enrolled = 0;
    do {
      const int control = paths.responders(0);
      for (std::size_t h = 0; h < 3; ++h) {
        const int active = paths.responders(drifts[h]);
        const bool recruits = (state.open >> h & 1) != 0;
        tables.push_back(recruits ? analysis::TwoByTwo{active, k_arm_size, control, k_arm_size}
                                  : analysis::TwoByTwo{});
      }
      n_enrolled += k_arm_size * std::popcount(state.arms);
      data.i_look = state.n_looks;
      data.is_final = state.n_looks + 1 == design.n_looks();
      data.n_enrolled = n_enrolled;
      data.n_hypotheses = 3;
      data.stages = tables;
    } while (design.decide(data, state, nullptr).stop == StopReason::none);
    n_errors += (state.rejected & nulls) != 0;
    n_any += state.rejected != 0;
    n_naive += (design.naive_rejections(data, state) & nulls) != 0;
  }
  const double n = k_n_trials;
  return {n_errors / n, n_naive / n, n_any / n};
}

constexpr double k_mcse = 0.000156;  // of 0.025

struct Case {
  std::string name;
  design::Intersection intersection;
  sequential::Combination combination;
  std::string rule;
  bool has_efficacy = false;
};

class SelectionFamilywise : public testing::TestWithParam<Case> {};

TEST_P(SelectionFamilywise, IsAtMostAlpha) {
  const Case& given = GetParam();
  const auto spec = three_arms_and_control(1);
  design::SelectionSpec rules;
  rules.rule = base::find<design::SelectionRule>(design::k_selection_rules, given.rule)->value;
  rules.within = 0.0002;
  rules.count = 2;
  rules.second_stage = design::PatientsPerArm{k_arm_size};
  rules.closed_test = {given.intersection, given.combination, std::nullopt};
  if (given.has_efficacy)
    rules.closed_test.efficacy = sequential::BoundarySpec{sequential::Family::pocock, {}, {}, {}, {}};
  rules.stop_when = design::StopWhen::all;
  const auto design = design::make_selection(spec, rules, {k_test});
  const auto global = simulate(*design, {0, 0, 0}, 1);
  EXPECT_LE(global.familywise, k_alpha + 3 * k_mcse);
  // The ordinary test of the arms chosen errs far more often.
  EXPECT_GT(global.naive, k_alpha + 10 * k_mcse);
  EXPECT_LE(simulate(*design, {2, 0, 0}, 2).familywise, k_alpha + 3 * k_mcse);
  EXPECT_LE(simulate(*design, {0, 0.7, 2}, 3).familywise, k_alpha + 3 * k_mcse);
}

INSTANTIATE_TEST_SUITE_P(Designs, SelectionFamilywise,
                         testing::Values(Case{"dunnett", design::Intersection::dunnett,
                                              sequential::Combination::inverse_normal, "best"},
                                         Case{"dunnett_fisher", design::Intersection::dunnett,
                                              sequential::Combination::fisher, "n_best", true},
                                         Case{"simes", design::Intersection::simes,
                                              sequential::Combination::inverse_normal, "near_best",
                                              true},
                                         Case{"bonferroni", design::Intersection::bonferroni,
                                              sequential::Combination::inverse_normal, "n_best"},
                                         Case{"hierarchical", design::Intersection::hierarchical,
                                              sequential::Combination::fisher, "near_best"}),
                         [](const auto& param) { return param.param.name; });

struct Shape {
  sequential::MultiArmShape shape;
  sequential::MultiArmFutility futility;
  design::StopWhen stop_when;
};

class MultiStageFamilywise : public testing::TestWithParam<Shape> {};

TEST_P(MultiStageFamilywise, IsAlphaUnderTheGlobalNull) {
  design::MultiStageSpec rules;
  rules.shape = GetParam().shape;
  rules.futility = GetParam().futility;
  rules.stop_when = GetParam().stop_when;
  rules.information = {1.0 / 3, 2.0 / 3, 1};
  const auto spec = three_arms_and_control(3);
  const auto design = design::make_multi_stage(spec, rules, {k_test});
  const auto global = simulate(*design, {0, 0, 0}, 4);
  EXPECT_NEAR(global.familywise, k_alpha, 3.5 * k_mcse);
  EXPECT_GT(global.naive, k_alpha + 10 * k_mcse);
  EXPECT_LE(simulate(*design, {1.5, 0, 0}, 5).familywise, k_alpha + 3 * k_mcse);
  // Power against the same design by quadrature.
  const std::array<double, 3> drift{1.2, 0.6, 0};
  std::vector<double> final_drift;
  for (const double each : drift) final_drift.push_back(each * std::sqrt(3.0));
  const auto boundary =
      sequential::multi_arm_boundary(rules.shape, rules.futility, k_alpha, 3, 1, rules.information);
  const double power =
      sequential::multi_arm_characteristics(boundary, final_drift, 1, rules.information).any_rejection;
  EXPECT_NEAR(simulate(*design, drift, 6).any, power,
              3.5 * std::sqrt(power * (1 - power) / k_n_trials));
}

INSTANTIATE_TEST_SUITE_P(
    Designs, MultiStageFamilywise,
    testing::Values(Shape{sequential::MultiArmShape::obrien_fleming, sequential::MultiArmFutility::zero,
                          design::StopWhen::any},
                    Shape{sequential::MultiArmShape::pocock, sequential::MultiArmFutility::none,
                          design::StopWhen::all},
                    Shape{sequential::MultiArmShape::triangular,
                          sequential::MultiArmFutility::triangular, design::StopWhen::any}));

}  // namespace
}  // namespace trialwright
