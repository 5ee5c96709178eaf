#include "sequential/boundary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "math/normal.hpp"

namespace trialwright::sequential {
namespace {

using testing::HasSubstr;

constexpr double k_infinity = std::numeric_limits<double>::infinity();

BoundarySpec of(Family family, std::optional<double> parameter = std::nullopt) {
  BoundarySpec spec;
  spec.family = family;
  spec.parameter = parameter;
  return spec;
}

std::vector<BoundarySpec> every_family(int n_looks) {
  BoundarySpec pieces = of(Family::piecewise);
  pieces.spending = {{0.4, 0}, {0.7, 0.3}, {1, 1}};
  BoundarySpec user = of(Family::user);
  for (int k = 1; k <= n_looks; ++k)
    user.alpha_spent.push_back(k == n_looks ? 0.025 : 0.02 * k / n_looks);
  return {of(Family::obrien_fleming),
          of(Family::pocock),
          of(Family::wang_tsiatis, 0.1),
          of(Family::haybittle_peto),
          of(Family::haybittle_peto, 3.5),
          of(Family::lan_demets_obrien_fleming),
          of(Family::lan_demets_pocock),
          of(Family::hwang_shih_decani, -4),
          of(Family::hwang_shih_decani, 0),
          of(Family::kim_demets, 1.5),
          pieces,
          user};
}

std::vector<double> equal_looks(int n) {
  std::vector<double> information;
  for (int k = 1; k <= n; ++k) information.push_back(static_cast<double>(k) / n);
  return information;
}

TEST(Spending, IsWhatThePublishedFormulasSay) {
  const double alpha = 0.025, t = 0.3;
  EXPECT_NEAR(spent(of(Family::lan_demets_obrien_fleming), alpha, t),
              std::erfc(2.241402727604947 / std::sqrt(t) / std::sqrt(2.0)), 1e-16);
  EXPECT_NEAR(spent(of(Family::lan_demets_pocock), alpha, t),
              alpha * std::log(1 + (std::exp(1.0) - 1) * t), 1e-16);
  EXPECT_NEAR(spent(of(Family::hwang_shih_decani, -4), alpha, t),
              alpha * (1 - std::exp(4 * t)) / (1 - std::exp(4.0)), 1e-16);
  EXPECT_DOUBLE_EQ(spent(of(Family::hwang_shih_decani, 0), alpha, t), alpha * t);
  EXPECT_NEAR(spent(of(Family::kim_demets, 2), alpha, t), alpha * t * t, 1e-16);
  BoundarySpec pieces = of(Family::piecewise);
  pieces.spending = {{0.2, 0.1}, {0.6, 0.5}, {1, 1}};
  EXPECT_NEAR(spent(pieces, alpha, 0.1), alpha * 0.05, 1e-16);
  EXPECT_NEAR(spent(pieces, alpha, 0.3), alpha * 0.2, 1e-16);
  EXPECT_NEAR(spent(pieces, alpha, 0.9), alpha * 0.875, 1e-16);
  for (const auto& spec : every_family(3)) {
    if (!is_spending(spec.family)) continue;
    EXPECT_EQ(spent(spec, alpha, 1), alpha);
    EXPECT_EQ(spent(spec, alpha, 1.2), alpha);
    EXPECT_EQ(spent(spec, alpha, 0), 0);
  }
}

// Jennison & Turnbull 2000, tables 2.1 (Pocock) and 2.3 (O'Brien & Fleming), two-sided alpha 0.05.
TEST(TwoSidedBoundary, AgreesWithPublishedConstants) {
  const std::vector<std::pair<int, double>> pocock{{2, 2.178}, {3, 2.289},  {4, 2.361},
                                                   {5, 2.413}, {10, 2.555}, {20, 2.672}};
  const std::vector<std::pair<int, double>> obrien_fleming{{2, 1.977}, {3, 2.004},  {4, 2.024},
                                                           {5, 2.040}, {10, 2.087}, {20, 2.126}};
  for (const auto& [family, table] :
       {std::pair{Family::pocock, pocock}, std::pair{Family::obrien_fleming, obrien_fleming}})
    for (const auto& [n_looks, constant] : table) {
      const auto boundary =
          two_sided_boundary(of(family), 0.025, of(family), 0.025, equal_looks(n_looks));
      EXPECT_NEAR(boundary.efficacy_z.back(), constant, 0.0005) << n_looks;
      EXPECT_NEAR(boundary.harm_z.back(), -constant, 0.0005) << n_looks;
    }
}

TEST(TwoSidedBoundary, SpendsEachSidesAlphaWhateverTheFamilies) {
  const std::vector<double> information{0.3, 0.55, 1};
  for (const auto& upper : every_family(3))
    for (const auto& lower : {of(Family::obrien_fleming), of(Family::lan_demets_pocock)}) {
      const auto boundary = two_sided_boundary(upper, 0.025, lower, 0.1, information);
      const auto crossing = crossing_probabilities(boundary, 0);
      EXPECT_NEAR(power(crossing), 0.025, 1e-13);
      EXPECT_NEAR(std::accumulate(crossing.harm.begin(), crossing.harm.end(), 0.0), 0.1, 1e-13);
    }
}

TEST(EfficacyBoundary, EveryFamilySpendsAlphaAtAnyLooks) {
  for (const auto& information :
       {std::vector<double>{1}, std::vector<double>{0.2, 1}, std::vector<double>{0.5, 0.51, 0.9, 1},
        equal_looks(20), std::vector<double>{0.3, 0.8, 1.15}, std::vector<double>{0.3, 0.8}})
    for (const auto& spec : every_family(static_cast<int>(information.size()))) {
      const auto boundary = efficacy_boundary(spec, 0.025, information);
      const auto crossing =
          crossing_probabilities(boundary.information, boundary.efficacy_z, boundary.futility_z, 0);
      EXPECT_NEAR(power(crossing), 0.025, 1e-13);
      EXPECT_NEAR(boundary.alpha_spent.back(), 0.025, 1e-13);
      if (information.size() == 1) {
        EXPECT_NEAR(boundary.efficacy_z[0], 1.959963984540054, 1e-12);
      }
    }
}

TEST(EfficacyBoundary, UserValuesStand) {
  BoundarySpec spec = of(Family::user);
  spec.z = {2.5, 2.1};
  const auto boundary = efficacy_boundary(spec, 0.025, std::vector<double>{0.5, 1});
  EXPECT_EQ(boundary.efficacy_z, spec.z);
  EXPECT_NEAR(boundary.alpha_spent[0], math::normal_survival(2.5), 1e-15);
  EXPECT_EQ(
      efficacy_boundary(of(Family::haybittle_peto), 0.025, std::vector<double>{0.5, 1}).efficacy_z[0],
      3);
}

TEST(EfficacyBoundary, HaybittlePetoEndsWhereAlphaDoes) {
  const auto boundary = efficacy_boundary(of(Family::haybittle_peto, 2), 0.025, equal_looks(4));
  EXPECT_EQ(boundary.efficacy_z[0], 2);
  EXPECT_GT(boundary.efficacy_z[1], 2);
  EXPECT_EQ(boundary.efficacy_z[3], k_infinity);
  EXPECT_NEAR(boundary.alpha_spent.back(), 0.025, 1e-13);
}

TEST(EfficacyBoundary, BindingFutilityGivesBackAlpha) {
  const std::vector<double> information{0.4, 0.7, 1}, futility{0, 0.8, -k_infinity};
  for (const auto& spec : every_family(3)) {
    const auto alone = efficacy_boundary(spec, 0.025, information);
    const auto binding = efficacy_boundary(spec, 0.025, information, futility);
    EXPECT_LT(binding.efficacy_z.back(), alone.efficacy_z.back());
    EXPECT_NEAR(power(crossing_probabilities(binding, 0)), 0.025, 1e-13);
  }
}

TEST(BoundaryWithFutility, SpendsAlphaAndBetaOfEveryFamily) {
  const std::vector<double> information{0.25, 0.6, 0.85, 1};
  for (const auto& efficacy : every_family(4))
    for (const auto& spending : every_family(4)) {
      FutilitySpec futility{spending, 0.15};
      if (spending.family == Family::user) {
        futility.spending.alpha_spent = {0.01, 0.05, 0.05, 0.15};
      } else if (!is_spending(spending.family)) {
        continue;
      }
      for (const Binding binding : {Binding::binding, Binding::non_binding}) {
        const auto boundary = boundary_with_futility(efficacy, 0.025, futility, binding, information);
        const auto at_drift = crossing_probabilities(boundary, boundary.drift);
        EXPECT_NEAR(power(at_drift), 0.85, 1e-12);
        EXPECT_EQ(boundary.efficacy_z.back(), boundary.futility_z.back());
        EXPECT_NEAR(drift_for_power(boundary, 0.85), boundary.drift, 1e-10);
        double beta_spent = 0;
        for (std::size_t k = 0; k < information.size(); ++k) {
          beta_spent += at_drift.futility[k];
          const double wanted = spending.family == Family::user ? futility.spending.alpha_spent[k]
                                                                : spent(spending, 0.15, information[k]);
          EXPECT_NEAR(beta_spent, wanted, 1e-12);
        }
        const double alpha = power(crossing_probabilities(
            boundary.information, boundary.efficacy_z,
            binding == Binding::binding ? boundary.futility_z : std::vector<double>{}, 0));
        EXPECT_NEAR(alpha, 0.025, 1e-12);
      }
    }
}

TEST(CrossingProbabilities, HarmStandsBelowFutility) {
  const std::vector<double> information{0.5, 1};
  auto boundary = efficacy_boundary(of(Family::lan_demets_obrien_fleming), 0.025, information);
  const double interim_z = boundary.efficacy_z[0];
  for (std::size_t k = 0; k < 2; ++k) boundary.harm_z[k] = -boundary.efficacy_z[k];
  boundary.futility_z = {0.2, boundary.efficacy_z[1]};
  const auto crossing = crossing_probabilities(boundary, 0.5);
  const double mean = 0.5 * std::sqrt(0.5);
  EXPECT_NEAR(crossing.harm[0], math::normal_cdf(-interim_z - mean), 1e-15);
  EXPECT_NEAR(crossing.futility[0], math::normal_cdf(0.2 - mean) - math::normal_cdf(-interim_z - mean),
              1e-15);
  double sum = 0;
  for (std::size_t k = 0; k < 2; ++k)
    sum += crossing.efficacy[k] + crossing.futility[k] + crossing.harm[k];
  EXPECT_NEAR(sum, 1, 1e-13);
  const double stops = crossing.efficacy[0] + crossing.futility[0] + crossing.harm[0];
  EXPECT_NEAR(expected_information(information, crossing), 1 - 0.5 * stops, 1e-13);
}

TEST(CheckBoundary, TellsWhatIsWrong) {
  const auto said = [](const std::optional<std::string>& problem) {
    return problem.value_or("nothing");
  };
  EXPECT_EQ(said(check(of(Family::pocock), 0.025, 5)), "nothing");
  for (const auto& spec : every_family(4)) EXPECT_EQ(said(check(spec, 0.025, 4)), "nothing");
  EXPECT_THAT(said(check(of(Family::pocock), 0, 5)), HasSubstr("alpha 0"));
  EXPECT_THAT(said(check(of(Family::pocock), 0.6, 5)), HasSubstr("alpha 0.6"));
  EXPECT_THAT(said(check(of(Family::pocock), 0.025, 21)), HasSubstr("21 looks"));
  EXPECT_THAT(said(check(of(Family::pocock, 1), 0.025, 2)), HasSubstr("takes none"));
  EXPECT_THAT(said(check(of(Family::kim_demets), 0.025, 2)), HasSubstr("without a parameter"));
  EXPECT_THAT(said(check(of(Family::kim_demets, -1), 0.025, 2)), HasSubstr("from 0.01 to 50"));
  EXPECT_THAT(said(check(of(Family::haybittle_peto), 0.001, 2)), HasSubstr("spend all"));
  EXPECT_THAT(said(check(of(Family::piecewise), 0.025, 2)), HasSubstr("information 1 and share 1"));
  BoundarySpec user = of(Family::user);
  EXPECT_THAT(said(check(user, 0.025, 2)), HasSubstr("one is needed"));
  user.z = {2, 2};
  EXPECT_THAT(said(check(user, 0.025, 3)), HasSubstr("2 values"));
  user.z[1] = std::nan("");
  EXPECT_THAT(said(check(user, 0.025, 2)), HasSubstr("critical value nan"));
  user.z = {};
  user.alpha_spent = {0.02, 0.01, 0.025};
  EXPECT_THAT(said(check(user, 0.025, 3)), HasSubstr("never falling"));
  user.alpha_spent = {0.02, 0.021};
  EXPECT_THAT(said(check(user, 0.025, 2)), HasSubstr("last look"));
  EXPECT_THAT(said(check(FutilitySpec{of(Family::pocock), 0.1}, 0.025, 2)), HasSubstr("spends"));
  EXPECT_THAT(said(check(FutilitySpec{of(Family::kim_demets, 2), 0.0}, 0.025, 2)), HasSubstr("beta 0"));
  EXPECT_THAT(said(check_information(std::vector<double>{0.5, 0.5})), HasSubstr("has to grow"));
  EXPECT_THAT(said(check_information(std::vector<double>{0.0, 1.0})), HasSubstr("above 0"));
  EXPECT_THAT(said(check_information(std::vector<double>{})), HasSubstr("0 looks"));
}

}  // namespace
}  // namespace trialwright::sequential
