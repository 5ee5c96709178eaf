#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "math/normal.hpp"
#include "sequential/boundary.hpp"

namespace trialwright::sequential {
namespace {

using Look = RunningBoundary::Look;

constexpr double k_alpha = 0.025;
constexpr double k_infinity = std::numeric_limits<double>::infinity();

std::vector<BoundarySpec> every_family() {
  return {{Family::obrien_fleming, {}, {}, {}, {}},
          {Family::pocock, {}, {}, {}, {}},
          {Family::wang_tsiatis, 0.2, {}, {}, {}},
          {Family::haybittle_peto, {}, {}, {}, {}},
          {Family::lan_demets_obrien_fleming, {}, {}, {}, {}},
          {Family::lan_demets_pocock, {}, {}, {}, {}},
          {Family::hwang_shih_decani, -4, {}, {}, {}},
          {Family::kim_demets, 2, {}, {}, {}},
          {Family::piecewise, {}, {{0.5, 0.2}, {1, 1}}, {}, {}},
          {Family::user, {}, {}, {}, {0.005, 0.012, 0.025}}};
}

// Follows a trial with looks at this information, the last of them final.
RunningBoundary::Path follow(const RunningBoundary& boundary, const std::vector<double>& information) {
  RunningBoundary::Path path;
  boundary.start(path);
  for (std::size_t k = 0; k < information.size(); ++k)
    boundary.next(path, information[k], k + 1 == information.size() ? Look::final : Look::interim);
  return path;
}

double type_1_error(const RunningBoundary::Path& path) {
  return power(crossing_probabilities(path.information, path.efficacy_z, path.futility_z, 0));
}

TEST(RunningBoundary, IsThePlannedOneAtThePlannedInformation) {
  const std::vector<double> planned{0.4, 0.75, 1};
  for (const auto& spec : every_family()) {
    const auto path = follow(RunningBoundary(spec, k_alpha, planned), planned);
    const auto wanted = efficacy_boundary(spec, k_alpha, planned);
    for (std::size_t k = 0; k < planned.size(); ++k)
      EXPECT_NEAR(path.efficacy_z[k], wanted.efficacy_z[k], 1e-11);
  }
}

TEST(RunningBoundary, TheFinalLookExhaustsAlphaHoweverTheLooksFall) {
  for (const auto& spec : every_family()) {
    const RunningBoundary boundary(spec, k_alpha, {0.4, 0.75, 1});
    for (const auto& information :
         {std::vector<double>{0.31, 0.8, 0.93}, std::vector<double>{0.5, 0.7, 1.2},
          std::vector<double>{0.9}, std::vector<double>{0.2, 0.3, 0.5, 0.7, 0.9, 1},
          std::vector<double>{0.75, 0.7501, 0.76, 1}}) {
      const auto path = follow(boundary, information);
      EXPECT_EQ(path.information, information);
      EXPECT_NEAR(type_1_error(path), k_alpha, 1e-12);
    }
  }
}

TEST(RunningBoundary, SpendsAtTheInformationReallyThere) {
  const BoundarySpec spec{Family::lan_demets_obrien_fleming, {}, {}, {}, {}};
  const auto path = follow(RunningBoundary(spec, k_alpha, {0.5, 1}), {0.37, 0.61, 1});
  const auto wanted = efficacy_boundary(spec, k_alpha, std::vector<double>{0.37, 0.61, 1});
  EXPECT_EQ(path.efficacy_z, wanted.efficacy_z);
}

TEST(RunningBoundary, InformationThatDoesNotGrowSpendsNothing) {
  const RunningBoundary boundary({Family::kim_demets, 1, {}, {}, {}}, k_alpha, {0.5, 1});
  RunningBoundary::Path path;
  boundary.start(path);
  EXPECT_EQ(boundary.next(path, 0, Look::interim), k_infinity);
  const double first = boundary.next(path, 0.5, Look::interim);
  for (const double information : {0.5, 0.3, 0.0, -1.0})
    EXPECT_EQ(boundary.next(path, information, Look::interim), k_infinity);
  EXPECT_EQ(path.information.size(), 1u);
  EXPECT_NEAR(path.spent, k_alpha / 2, 1e-15);
  // The final look on the same data: the critical value of one look at all of alpha.
  EXPECT_LT(boundary.next(path, 0.5, Look::final), first);
  EXPECT_NEAR(path.efficacy_z.back(), 1.959963984540054, 1e-12);
  boundary.start(path);
  EXPECT_EQ(boundary.next(path, 0, Look::final), k_infinity);
}

TEST(RunningBoundary, NothingIsLeftAfterALookAtFullInformation) {
  const RunningBoundary boundary({Family::kim_demets, 1, {}, {}, {}}, k_alpha, {0.5, 1});
  const auto path = follow(boundary, {0.5, 1.0, 1.3});
  EXPECT_EQ(path.efficacy_z.back(), k_infinity);
  EXPECT_NEAR(type_1_error(path), k_alpha, 1e-13);
}

TEST(RunningBoundary, BetaSpendingFollowsTheInformationUnderThePlannedDrift) {
  const std::vector<double> planned{0.3, 0.6, 1};
  const FutilitySpec futility{{Family::hwang_shih_decani, -2, {}, {}, {}}, 0.1};
  for (const auto& spec : every_family())
    for (const Binding binding : {Binding::binding, Binding::non_binding}) {
      const RunningBoundary boundary(spec, k_alpha, planned, futility, binding);
      const auto as_planned = follow(boundary, planned);
      for (std::size_t k = 0; k < planned.size(); ++k) {
        EXPECT_NEAR(as_planned.efficacy_z[k], boundary.planned().efficacy_z[k], 1e-10);
        EXPECT_NEAR(as_planned.futility_z[k], boundary.planned().futility_z[k], 1e-10);
      }
      EXPECT_NEAR(as_planned.beta_spent, 0.1, 1e-11);
      const auto path = follow(boundary, {0.4, 0.55, 1.1});
      const auto at_drift = crossing_probabilities(path.information, path.efficacy_z, path.futility_z,
                                                   boundary.planned().drift);
      EXPECT_NEAR(at_drift.futility[0], spent(futility.spending, 0.1, 0.4), 1e-13);
      EXPECT_NEAR(at_drift.futility[0] + at_drift.futility[1], spent(futility.spending, 0.1, 0.55),
                  1e-13);
      EXPECT_EQ(path.futility_z.back(), path.efficacy_z.back());
      const double heeding = type_1_error(path);
      const double ignoring = power(crossing_probabilities(path.information, path.efficacy_z, {}, 0));
      EXPECT_NEAR(binding == Binding::binding ? heeding : ignoring, k_alpha, 1e-12);
    }
}

TEST(RunningBoundary, HeedsABindingBoundByAnotherRule) {
  const BoundarySpec spec{Family::lan_demets_pocock, {}, {}, {}, {}};
  const RunningBoundary boundary(spec, k_alpha, {0.5, 1});
  RunningBoundary::Path path;
  boundary.start(path);
  boundary.next(path, 0.5, Look::interim);
  boundary.heed(path, 0.3);
  boundary.next(path, 1, Look::final);
  const std::vector<double> futility{0.3, -k_infinity};
  EXPECT_EQ(path.efficacy_z,
            efficacy_boundary(spec, k_alpha, std::vector<double>{0.5, 1}, futility).efficacy_z);
}

TEST(RunningBoundary, AUsedPathGivesTheSameBits) {
  const RunningBoundary boundary({Family::pocock, {}, {}, {}, {}}, k_alpha, {0.5, 1});
  const auto fresh = follow(boundary, {0.4, 0.8, 1.05});
  auto used = follow(boundary, {0.1, 0.2, 0.3, 0.4, 1});
  boundary.start(used);
  for (const double information : {0.4, 0.8}) boundary.next(used, information, Look::interim);
  boundary.next(used, 1.05, Look::final);
  EXPECT_EQ(used.efficacy_z, fresh.efficacy_z);
  EXPECT_EQ(used.spent, fresh.spent);
}

}  // namespace
}  // namespace trialwright::sequential
