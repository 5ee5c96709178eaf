// Inference after sequential trials: that p-values are uniform under the theta that they test, by
// integrals over everything a trial may end with, and what the limits must satisfy. Values of rpact are
// in tests/reference/gs_inference.test.cpp.
#include "sequential/inference.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "math/normal.hpp"
#include "math/quadrature.hpp"
#include "sequential/combination.hpp"
#include "sequential/recursion.hpp"

namespace trialwright::sequential {
namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

struct Design {
  const char* name;
  std::vector<double> information, efficacy_z, futility_z;
};

const std::vector<Design>& designs() {
  static const std::vector<Design> all{
      {"efficacy", {50, 75, 100}, {2.963, 2.359, 2.014}, {}},
      {"efficacy and futility", {20, 55, 100}, {3.2, 2.4, 2.0}, {-0.5, 0.7, 2.0}},
      {"futility alone at first", {30, 60, 100}, {k_infinity, 2.3, 2.0}, {0.0, -k_infinity, 2.0}},
      {"five looks",
       {20, 40, 60, 80, 100},
       {2.413, 2.413, 2.413, 2.413, 2.413},
       {-1, -0.5, 0, 0.5, 2.413}},
      {"one look", {80}, {1.96}, {}}};
  return all;
}

SequentialResult result_of(const Design& design, std::size_t n_looks, double z) {
  const auto futility = std::span(design.futility_z);
  return {std::span(design.information).first(n_looks), std::span(design.efficacy_z).first(n_looks),
          futility.empty() ? futility : futility.first(n_looks), z};
}

// E g(result) of trials of this design under theta, by panels over z at each look where the trial may
// end.
template <class G>
double expectation(const Design& design, double theta, G&& g) {
  const math::GaussLegendre rule(24);
  Recursion process(theta);
  const std::size_t n_looks = design.information.size();
  double total = 0;
  for (std::size_t k = 0; k < n_looks; ++k) {
    process.look(design.information[k]);
    const double mean = theta * std::sqrt(design.information[k]);
    const bool last = k + 1 == n_looks;
    const double futility = design.futility_z.empty() ? -k_infinity : design.futility_z[k];
    const double efficacy = design.efficacy_z[k];
    const auto over = [&](double lo, double hi) {
      if (!(lo < hi)) return;
      total += rule.integrate(
          [&](double z) { return process.density(z) * g(result_of(design, k + 1, z)); }, lo, hi, 12);
    };
    if (last) {
      over(mean - 9, mean + 9);
    } else {
      over(std::max(efficacy, mean - 9), mean + 9);
      over(mean - 9, std::min(futility, mean + 9));
      process.go_on(futility, efficacy);
    }
  }
  return total;
}

TEST(StagewisePValue, UniformUnderItsTheta) {
  for (const Design& design : designs()) {
    for (const double theta : {-0.1, 0.0, 0.15, 0.3}) {
      SCOPED_TRACE(std::string(design.name) + ", theta " + std::to_string(theta));
      for (const int power : {0, 1, 2, 3}) {
        const double moment = expectation(design, theta, [&](const SequentialResult& result) {
          return std::pow(stagewise_p_value(result, theta), power);
        });
        EXPECT_NEAR(moment, 1.0 / (power + 1), 1e-9) << power;
      }
    }
  }
}

// Along the ordering the lower limit passes theta once, so that the limits' coverage is the p-value's.
TEST(SequentialEstimate, LimitsAreWhereThePValueReachesItsLevels) {
  for (const Design& design : designs()) {
    for (std::size_t n_looks = 1; n_looks <= design.information.size(); ++n_looks) {
      for (const double z : {-6.0, -1.3, 0.0, 0.9, 2.2, 3.4, 7.5}) {
        const auto result = result_of(design, n_looks, z);
        const auto estimate = sequential_estimate(result, 0.9);
        SCOPED_TRACE(std::string(design.name) + ' ' + std::to_string(n_looks) + ' ' +
                     std::to_string(z));
        EXPECT_NEAR(stagewise_p_value(result, estimate.median_unbiased), 0.5, 1e-7);
        EXPECT_NEAR(stagewise_p_value(result, estimate.lower), 0.05, 1e-7);
        EXPECT_NEAR(stagewise_p_value(result, estimate.upper), 0.95, 1e-7);
        EXPECT_NEAR(estimate.p_value / stagewise_p_value(result, 0), 1.0, 1e-7);
        EXPECT_LT(estimate.lower, estimate.median_unbiased);
        EXPECT_LT(estimate.median_unbiased, estimate.upper);
      }
    }
  }
}

TEST(SequentialEstimate, OneLookIsTheOrdinaryInterval) {
  const auto estimate = sequential_estimate(result_of(designs().back(), 1, 2.5), 0.95);
  const double scale = std::sqrt(80.0), margin = math::normal_quantile(0.975);
  EXPECT_NEAR(estimate.p_value, math::normal_survival(2.5), 1e-15);
  EXPECT_NEAR(estimate.median_unbiased * scale, 2.5, 1e-12);
  EXPECT_NEAR(estimate.lower * scale, 2.5 - margin, 1e-9);
  EXPECT_NEAR(estimate.upper * scale, 2.5 + margin, 1e-9);
  EXPECT_NEAR(estimate.repeated_lower * scale, 2.5 - 1.96, 1e-12);
}

// Integration of the combined process at every theta, which shares no tilting with the other.
TEST(SequentialEstimate, AgreesWithTheCombinationOfEqualWeights) {
  const Design& design = designs()[1];
  for (const double z : {-2.0, 0.4, 1.8, 2.9}) {
    const std::vector<double> weights{std::sqrt(20.0), std::sqrt(35.0), std::sqrt(45.0)};
    const std::vector<double> stage_information{20, 35, 45};
    std::vector<double> stage_z{z * std::sqrt(0.2), z * std::sqrt(0.35), z * std::sqrt(0.45)};
    const auto one = sequential_estimate(result_of(design, 3, z), 0.95);
    const auto other = combination_estimate(
        {stage_z, stage_information, weights, design.efficacy_z, design.futility_z}, 0.95);
    EXPECT_NEAR(one.p_value, other.p_value, 1e-10);
    EXPECT_NEAR(one.unadjusted, other.unadjusted, 1e-14);
    EXPECT_NEAR(one.median_unbiased, other.median_unbiased, 1e-8);
    EXPECT_NEAR(one.lower, other.lower, 1e-8);
    EXPECT_NEAR(one.upper, other.upper, 1e-8);
    EXPECT_NEAR(one.repeated_lower, other.repeated_lower, 1e-14);
  }
}

TEST(SequentialEstimate, LooksWithoutNewInformationCountForNothing) {
  const std::vector<double> efficacy{3, 2.5, 2.5, 2.0};
  const std::vector<double> information{40, 70, 100}, fewer{3, 2.5, 2.0};
  const std::vector<double> with_shrunk{40, 70, 65, 100};
  const auto one = sequential_estimate({with_shrunk, efficacy, {}, 2.2}, 0.95);
  const auto other = sequential_estimate({information, fewer, {}, 2.2}, 0.95);
  EXPECT_EQ(one.p_value, other.p_value);
  EXPECT_EQ(one.lower, other.lower);
  // A last look that adds nothing to the one before stands in its place.
  const std::vector<double> stuck{40, 70, 70}, first{40, 70}, bounds{3, 2.5};
  EXPECT_EQ(stagewise_p_value({stuck, fewer, {}, 2.2}), stagewise_p_value({first, bounds, {}, 2.2}));
}

TEST(SequentialEstimate, NoInformation) {
  const std::vector<double> information{0}, efficacy{3};
  const auto estimate = sequential_estimate({information, efficacy, {}, 0.0}, 0.95);
  EXPECT_EQ(estimate.p_value, 1);
  EXPECT_EQ(estimate.median_unbiased, 0);
  EXPECT_EQ(estimate.lower, -k_infinity);
  EXPECT_EQ(estimate.repeated_upper, k_infinity);
}

// A two-stage trial whose second stage depends on the first in a way no one planned, ended for efficacy
// above 2.8 and for futility below 0.1: E g(stages so far) under theta.
double information_2(double z_1) {
  return 30 + 100 * math::normal_cdf(4 - 2 * z_1);
}

template <class G>
double adaptive_expectation(double theta, G&& g) {
  constexpr double k_information_1 = 50, k_futility = 0.1, k_efficacy = 2.8;
  const math::GaussLegendre rule(20);
  const double mean_1 = theta * std::sqrt(k_information_1);
  const auto first = [&](double z_1) {
    return math::normal_pdf(z_1 - mean_1) * g(std::vector{z_1}, std::vector{k_information_1});
  };
  double total = rule.integrate(first, mean_1 - 9, k_futility, 12) +
                 rule.integrate(first, k_efficacy, mean_1 + 9, 12);
  total += rule.integrate(
      [&](double z_1) {
        const double information = information_2(z_1), mean_2 = theta * std::sqrt(information);
        return math::normal_pdf(z_1 - mean_1) *
               rule.integrate(
                   [&](double z_2) {
                     return math::normal_pdf(z_2 - mean_2) *
                            g(std::vector{z_1, z_2}, std::vector{k_information_1, information});
                   },
                   mean_2 - 9, mean_2 + 9, 6);
      },
      k_futility, k_efficacy, 4);
  return total;
}

TEST(CombinationEstimate, PValueIsUniformWhateverTheSecondStage) {
  const std::vector<double> weights{0.8, 0.6}, efficacy{2.8, 1.98}, futility{0.1, 1.98};
  for (const int power : {0, 1, 2, 3}) {
    const double moment = adaptive_expectation(0.0, [&](const auto& z, const auto& information) {
      return std::pow(combination_estimate({z, information, weights, efficacy, futility}, 0.95).p_value,
                      power);
    });
    EXPECT_NEAR(moment, 1.0 / (power + 1), 1e-7) << power;
  }
}

// Under theta: shifted data and bounds are the trial under 0, so that p(theta) is uniform; here by the
// share of trials that the lower limit leaves above. 25,000 trials: false alarms 3e-5 (4 standard
// deviations, 0.004); a limit that leaves 0.033 is found in 98 of 100 runs.
TEST(CombinationEstimate, LimitsCoverWhateverTheSecondStage) {
  const std::vector<double> weights{0.8, 0.6}, efficacy{2.8, 1.98}, futility{0.1, 1.98};
  constexpr double k_theta = 0.25;
  constexpr int k_n_trials = 25000;
  std::uint64_t state = 20;
  const auto normal = [&] {  // Steele, Lea & Flood 2014, SplitMix64
    std::uint64_t word = state += 0x9E3779B97F4A7C15u;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
    return math::normal_quantile((static_cast<double>((word ^ (word >> 31)) >> 11) + 0.5) * 0x1p-53);
  };
  int n_above = 0, n_below = 0, n_repeated_above = 0, n_over = 0;
  for (int trial = 0; trial < k_n_trials; ++trial) {
    std::vector<double> z{normal() + k_theta * std::sqrt(50.0)}, information{50};
    if (z[0] > futility[0] && z[0] < efficacy[0]) {
      information.push_back(information_2(z[0]));
      z.push_back(normal() + k_theta * std::sqrt(information[1]));
    }
    const auto estimate = combination_estimate({z, information, weights, efficacy, futility}, 0.95);
    n_above += estimate.lower > k_theta;
    n_below += estimate.upper < k_theta;
    n_over += estimate.median_unbiased > k_theta;
    n_repeated_above += estimate.repeated_lower > k_theta;
  }
  EXPECT_NEAR(n_above / double{k_n_trials}, 0.025, 0.004);
  EXPECT_NEAR(n_below / double{k_n_trials}, 0.025, 0.004);
  EXPECT_NEAR(n_over / double{k_n_trials}, 0.5, 0.0127);
  // Alpha of these bounds, 0.0256 (no futility counted), at most.
  EXPECT_LT(n_repeated_above / double{k_n_trials}, 0.0256 + 0.004);
}

TEST(FisherEstimate, PValueIsUniformWhateverTheSecondStage) {
  const double alpha_1 = math::normal_survival(2.8), alpha_0 = math::normal_survival(0.1);
  const double c = fisher_critical_value(0.025, alpha_1, alpha_0);
  for (const int power : {1, 2, 3}) {
    const double moment = adaptive_expectation(0.0, [&](const auto& z, const auto& information) {
      return std::pow(fisher_estimate({z, information, alpha_1, alpha_0, c}, 0.95).p_value, power);
    });
    EXPECT_NEAR(moment, 1.0 / (power + 1), 1e-6) << power;
  }
}

TEST(FisherEstimate, RejectsWhereThePValueAndTheRepeatedLimitDo) {
  const double alpha_1 = 0.01, alpha_0 = 0.5, c = fisher_critical_value(0.025, alpha_1, alpha_0);
  const std::vector<double> information{50, 80};
  int n_rejected = 0;
  for (double z_1 = 0.05; z_1 < 2.3; z_1 += 0.2) {
    for (double z_2 = -1; z_2 < 4; z_2 += 0.25) {
      const std::vector<double> z{z_1, z_2};
      const bool rejected = math::normal_survival(z_1) * math::normal_survival(z_2) <= c;
      const auto estimate = fisher_estimate({z, information, alpha_1, alpha_0, c}, 0.95);
      EXPECT_EQ(estimate.p_value <= 0.025, rejected);
      EXPECT_EQ(estimate.repeated_lower >= 0, rejected);
      EXPECT_EQ(estimate.lower >= 0, rejected);
      EXPECT_LT(estimate.median_unbiased, estimate.upper);
      n_rejected += rejected;
    }
  }
  EXPECT_GT(n_rejected, 20);
}

}  // namespace
}  // namespace trialwright::sequential
