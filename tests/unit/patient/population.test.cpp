// Covariates, copula, eligibility and strata.
#include "patient/population.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "math/normal.hpp"
#include "unit/patient/study.hpp"

namespace trialwright::patient::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Marginal, BaselineEasiHasTheMomentsOfItsGamma) {
  const auto study = library_study();
  ASSERT_EQ(study.problems, "");
  const auto& easi = study.spec->population->covariates()[0].marginal;
  const auto weights = easi.probabilities();
  const auto points = easi.points();
  ASSERT_EQ(weights.size(), points.size());
  EXPECT_EQ(points.front(), 16.0);
  EXPECT_EQ(points.back(), 72.0);
  double total = 0, mean = 0, square = 0, median = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (total < 0.5) median = points[i];
    total += weights[i];
    mean += weights[i] * points[i];
    square += weights[i] * points[i] * points[i];
  }
  EXPECT_NEAR(total, 1, 1e-12);
  // DOMAIN section 2: mean 28.4, SD 11.1, median 25.2.
  EXPECT_NEAR(mean, 28.4, 0.06);
  EXPECT_NEAR(std::sqrt(square - mean * mean), 11.1, 0.06);
  EXPECT_NEAR(median, 25.2, 0.06);
  // Exponential closed form of a gamma of shape 1: P(value <= 16.0) = P(x < .05).
  const Marginal exponential(
      {Distribution::shifted_gamma, 16, 10, 1, -INFINITY, 72, Outside::cap, 0.1});
  EXPECT_NEAR(exponential.probabilities().front(), 1 - std::exp(-0.005), 1e-11);
  EXPECT_NEAR(exponential.probabilities().back(), std::exp(-5.595), 1e-11);
}

TEST(Marginal, ValuesFollowTheQuantileFunction) {
  const Marginal truncated({Distribution::normal, 48, 21.6, 1, 10, 100, Outside::truncate, 1});
  const double lo = math::normal_cdf((10 - 48) / 21.6), hi = math::normal_cdf((100 - 48) / 21.6);
  for (float z = -4; z <= 4; z += 0.0317f) {
    const double exact = 48 + 21.6 * math::normal_quantile(lo + (hi - lo) * math::normal_cdf(z));
    EXPECT_LE(std::abs(truncated.value(z) - exact), 0.5 + 1e-9) << z;
  }
  EXPECT_EQ(truncated.value(-9), 10);
  EXPECT_EQ(truncated.value(9), 100);
  const Marginal capped({Distribution::normal, 7.1, 1.9, 1, 0, 10, Outside::cap, 1});
  EXPECT_NEAR(capped.probabilities().back(), 1 - math::normal_cdf((9.5 - 7.1) / 1.9), 1e-12);
  const Marginal continuous(
      {Distribution::shifted_gamma, 0, 2, 1, -INFINITY, INFINITY, Outside::cap, 0});
  for (const float z : {-3.0f, 0.0f, 2.5f})
    EXPECT_NEAR(continuous.value(z), -2 * std::log(math::normal_survival(z)), 1e-8);
  const Marginal wide(
      {Distribution::lognormal, std::log(2000), 0.9, 1, -INFINITY, INFINITY, Outside::cap, 1});
  EXPECT_TRUE(wide.points().empty());
  EXPECT_EQ(wide.value(0), 2000);
}

TEST(Grid, GivesTheDecimalsThemselves) {
  const Grid tenth(0.1);
  EXPECT_EQ(tenth.round(0.30000000000000004), 0.3);
  for (int k = 0; k <= 720; ++k)
    EXPECT_EQ(tenth.round(k * 0.1), std::stod(std::to_string(k / 10) + "." + std::to_string(k % 10)));
  EXPECT_EQ(Grid(2).round(5.1), 6);
  EXPECT_EQ(Grid(0).round(5.123), 5.123);
}

TEST(Grading, CountsThresholdsAndKnowsItsProbability) {
  const Grading grading{0, 0.5, 0.35, {0.8, 3.7, 9.5, 30.5}};
  EXPECT_EQ(grading.grade(0, 1), 0);
  EXPECT_EQ(grading.grade(20, 1), 3);
  EXPECT_EQ(grading.grade(30.1, 1), 4);
  EXPECT_NEAR(grading.probability(30, 4, 9), 0.5, 1e-15);
  EXPECT_NEAR(grading.probability(20, 0, 3) + grading.probability(20, 4, 4), 1, 1e-15);
  EXPECT_NEAR(grading.probability(16, 3, 4), math::normal_cdf(std::log(16.5 / 9.5) / 0.35), 1e-14);
}

TEST(Population, EverybodyIsEligibleAndInAStratum) {
  const auto study = library_study(
      "hcmsc.yaml", {"population.eligibility={easi: {minimum: 20, maximum: 40}, iga: {minimum: 3}}"});
  ASSERT_EQ(study.problems, "");
  const auto model = study.model();
  Cohort cohort;
  simulate(model, 2000, 3, all_needs(model), -1, cohort);
  const auto iga = static_cast<std::size_t>(study.spec->population->index_of("iga"));
  for (std::size_t i = 0; i < 2000; ++i) {
    EXPECT_GE(cohort.covariates[0][i], 20);
    EXPECT_LE(cohort.covariates[0][i], 40);
    EXPECT_GE(cohort.covariates[iga][i], 3);
    EXPECT_EQ(cohort.strata[0][i], cohort.covariates[iga][i] >= 4 ? 1 : 0);
  }
  const auto& factors = model.factors();
  ASSERT_EQ(factors.size(), 3u);
  EXPECT_EQ(factors[0].levels, (std::vector<std::string>{"iga < 4", "iga >= 4"}));
  EXPECT_EQ(factors[1].levels, (std::vector<std::string>{"korea"}));
  EXPECT_EQ(factors[2].levels[14], "korea 15");
}

// Latent correlation 0.75 of two normals left as they are.
TEST(Population, CopulaHasItsCorrelation) {
  const auto study = library_study(
      "hcmsc.yaml", {"population.covariates.age={distribution: normal, mean: 0, sd: 1}",
                     "population.covariates.weight_kg={distribution: normal, mean: 0, sd: 1}",
                     "population.correlation={age: {weight_kg: -0.6}}"});
  ASSERT_EQ(study.problems, "");
  const auto model = study.model();
  Cohort cohort;
  simulate(model, 100000, 0, all_needs(model), 0, cohort);
  const auto x = cohort.covariates[4], y = cohort.covariates[5];
  const double product = std::inner_product(x.begin(), x.end(), y.begin(), 0.0) / 100000;
  EXPECT_NEAR(product, -0.6, 3.5 * std::sqrt((1 + 0.36) / 100000));
}

TEST(Population, RefusesWhatCannotBe) {
  const auto problems = [](const std::string& change) {
    return library_study("hcmsc.yaml", {change}).problems;
  };
  EXPECT_THAT(problems("population.correlation={easi: {bsa: 0.9, dlqi: 0.9}, bsa: {dlqi: -0.9}}"),
              AllOf(HasSubstr("not positive definite"), HasSubstr("bsa-dlqi"), HasSubstr("easi-bsa")));
  EXPECT_THAT(problems("population.correlation={easi: {bssa: 0.9}}"), HasSubstr("bsa"));
  EXPECT_THAT(problems("population.correlation={iga: {bsa: 0.1}}"),
              HasSubstr("not a covariate that can be correlated"));
  EXPECT_THAT(problems("population.eligibility.easi.minimum=80"),
              HasSubstr("fewer than 1 candidate in 1000"));
  EXPECT_THAT(problems("population.strata.severity.cuts=[5]"),
              HasSubstr("no patient can be in the stratum \"iga >= 5\""));
  EXPECT_THAT(problems("population.strata.severity.of=igaa"), HasSubstr("did you mean \"iga\""));
  EXPECT_THAT(problems("population.strata.severity.cuts=[4, 3]"), HasSubstr("increase"));
  EXPECT_THAT(problems("population.covariates.bsa={distribution: normal, mean: 48, sd: 2, minimum: 90, "
                       "maximum: 100, outside: truncate, grid: 1}"),
              HasSubstr("hardly any"));
  EXPECT_THAT(problems("population.covariates.bsa.minimum=10.5"),
              HasSubstr("not a multiple of the grid"));
  EXPECT_THAT(problems("population.covariates.bsa.sd=-1"), Not(IsEmpty()));
  EXPECT_THAT(problems("population.covariates.iga.of=iga"), HasSubstr("not itself graded"));
  EXPECT_THAT(problems("population.eligibility.eesi={minimum: 3}"), HasSubstr("did you mean \"easi\""));
}

}  // namespace
}  // namespace trialwright::patient::testing
