// Two million patients an arm from each preset against the rates they are calibrated to, and the exact
// probabilities against simulation (DOMAIN sections 3 and 8(d)). Seeds are fixed. A bound of 3.5
// standard errors is passed by a right program with probability 0.9995 each.
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "unit/patient/study.hpp"

namespace trialwright::patient::testing {
namespace {

constexpr int k_cohort = 10000;
constexpr int k_patients = 2000000;

struct Response {
  double easi50 = 0, easi75 = 0, easi90 = 0;  // shares, of the score on its grid
  double mean_change = 0, sd_change = 0;      // of the ratio's percent change, in points
};

Response respond(const PatientModel& model, int arm, std::size_t visit) {
  Needs needs = needs_of(model, 0, visit);
  needs.covariates.assign(model.covariates().size(), false);
  Cohort cohort;
  Response sum;
  double squares = 0;
  for (int trial = 0; trial < k_patients / k_cohort; ++trial) {
    simulate(model, k_cohort, static_cast<std::uint64_t>(trial), needs, arm, cohort);
    for (std::size_t i = 0; i < k_cohort; ++i) {
      const double baseline = cohort.covariates[0][i], score = cohort.values[visit][i];
      sum.easi50 += score <= 0.50 * baseline + 1e-9;
      sum.easi75 += score <= 0.25 * baseline + 1e-9;
      sum.easi90 += score <= 0.10 * baseline + 1e-9;
      const double change = 100 * (cohort.unrescued_ratio[visit][i] - 1);
      sum.mean_change += change;
      squares += change * change;
    }
  }
  const double mean = sum.mean_change / k_patients;
  return {sum.easi50 / k_patients, sum.easi75 / k_patients, sum.easi90 / k_patients, mean,
          std::sqrt(squares / k_patients - mean * mean)};
}

struct Preset {
  std::string name;
  std::vector<std::string> changes;
  // By arm: EASI75 in percent, mean and SD of the percent change, as the table of DOMAIN
  // section 3 prints them.
  std::array<double, 2> easi75, mean_change, sd_change;
};

const std::string k_course = "measures.easi.course.";

std::vector<Preset> presets() {
  return {
      {"kumaraswamy_1_5", {}, {15.6, 39.8}, {-24.4, -50.0}, {42.5, 43.6}},
      {"kumaraswamy_1_25",
       {k_course + "kumaraswamy.ratio_maximum=1.25",
        k_course + "kumaraswamy.arms.placebo={a: 1.03546, b: 0.79812}",
        k_course + "kumaraswamy.arms.hcmsc={a: 0.51797, b: 0.88107}"},
       {15.4, 39.5},
       {-29.4, -52.8},
       {36.8, 39.1}},
      {"responder_mixture",
       {k_course + "model=responder_mixture"},
       {12.8, 42.1},
       {-35.9, -55.6},
       {31.7, 36.0}},
  };
}

TEST(PatientPresets, ReproducePublishedRatesAndTheirTable) {
  constexpr std::array<double, 2> k_easi50{11.0 / 34, 19.0 / 33}, k_easi90{2.0 / 34, 8.0 / 33};
  for (const auto& preset : presets()) {
    SCOPED_TRACE(preset.name);
    const auto study = library_study("hcmsc.yaml", preset.changes);
    ASSERT_EQ(study.problems, "");
    const auto model = study.model();
    for (int arm = 0; arm < 2; ++arm) {
      SCOPED_TRACE(arm);
      const auto a = static_cast<std::size_t>(arm);
      const auto response = respond(model, arm, visit_at(model, 12));
      // The score's grid moves the laws' own rates by up to 0.1 points; a standard error is 0.035.
      EXPECT_NEAR(response.easi50, k_easi50[a], 0.002);
      EXPECT_NEAR(response.easi90, k_easi90[a], 0.002);
      EXPECT_NEAR(100 * response.easi75, preset.easi75[a], 0.2);
      // Printed to 0.1; a standard error is 0.03.
      EXPECT_NEAR(response.mean_change, preset.mean_change[a], 0.15);
      EXPECT_NEAR(response.sd_change, preset.sd_change[a], 0.15);
    }
  }
}

// The exact probability against simulation, over laws, arms, visits, thresholds and
// truths: 42 comparisons.
TEST(PatientPresets, ExactProbabilityIsWhatSimulationGives) {
  struct Case {
    Truth truth;
    std::vector<std::string> changes;
  };
  const std::vector<Case> cases{{EffectMultiplier{1}, {}},
                                {EffectMultiplier{0.7}, {k_course + "model=responder_mixture"}},
                                {ConstantOddsRatio{1.925}, {"population.eligibility.easi.minimum=18"}}};
  for (const auto& example : cases) {
    const auto study = library_study("hcmsc.yaml", example.changes);
    ASSERT_EQ(study.problems, "");
    const auto model = study.model(example.truth);
    for (int arm = 0; arm < 2; ++arm)
      for (const double week : {2.0, 12.0}) {
        const auto visit = visit_at(model, week);
        const auto response = respond(model, arm, visit);
        for (const auto& [ratio, share] :
             {std::pair{0.50, response.easi50}, {0.25, response.easi75}, {0.10, response.easi90}}) {
          const auto exact = model.response_probability(arm, {0, static_cast<int>(visit), ratio});
          ASSERT_TRUE(exact.has_value());
          const double error = std::sqrt(*exact * (1 - *exact) / k_patients);
          EXPECT_NEAR(share, *exact, 3.5 * error)
              << "arm " << arm << " week " << week << " ratio " << ratio;
        }
      }
  }
}

// At effect 0 the active arm is the control; at an odds ratio the odds of every ratio differ by it.
TEST(PatientPresets, NullAndOddsRatioTruths) {
  const auto study = library_study();
  const auto null = study.model(EffectMultiplier{0});
  EXPECT_TRUE(null.is_null());
  const auto visit = visit_at(null, 12);
  EXPECT_EQ(*null.response_probability(0, {0, static_cast<int>(visit), 0.5}),
            *null.response_probability(1, {0, static_cast<int>(visit), 0.5}));
  const auto shifted = study.model(ConstantOddsRatio{2.25});
  const auto placebo = respond(shifted, 0, visit), active = respond(shifted, 1, visit);
  // DOMAIN section 3, PO-scaled rates at 2.25: .518 / .293 / .123.
  EXPECT_NEAR(active.easi50, 0.518, 0.002);
  EXPECT_NEAR(active.easi75, 0.293, 0.002);
  EXPECT_NEAR(active.easi90, 0.123, 0.002);
  EXPECT_NEAR(placebo.easi50, 0.3235, 0.002);
}

// Correlation of the normal scores of two visits' ratios. A standard error is below 0.001.
void expect_visit_correlations(const std::string& kind,
                               const std::function<double(double)>& correlation) {
  const auto study = library_study("hcmsc.yaml", {"measures.easi.visit_correlation=" + kind});
  ASSERT_EQ(study.problems, "");
  const auto model = study.model();
  const auto& weeks = model.visit_weeks();
  const auto& course = study.spec->course;
  constexpr int k_n = 1000000;
  Cohort cohort;
  Needs needs = needs_of(model, 0, 0);
  needs.measure_visits[0].assign(weeks.size(), true);
  needs.covariates.assign(model.covariates().size(), false);
  std::vector<double> sums(weeks.size() * weeks.size());
  for (int trial = 0; trial < k_n / k_cohort; ++trial) {
    simulate(model, k_cohort, static_cast<std::uint64_t>(trial), needs, 0, cohort);
    for (std::size_t i = 0; i < k_cohort; ++i) {
      std::vector<double> z;
      for (std::size_t visit = 0; visit < weeks.size(); ++visit) {
        const double exponent = course_exponent(weeks[visit], course.tau_weeks[0], course.reached_week);
        const double ratio = math::pow(cohort.unrescued_ratio[visit][i], 1 / exponent);
        z.push_back(math::normal_quantile(probability(course.laws[0], ratio)));
      }
      for (std::size_t j = 0; j < z.size(); ++j)
        for (std::size_t k = 0; k <= j; ++k) sums[j * z.size() + k] += z[j] * z[k];
    }
  }
  for (std::size_t j = 0; j < weeks.size(); ++j)
    for (std::size_t k = 0; k <= j; ++k) {
      const double expected = j == k ? 1 : correlation(weeks[j] - weeks[k]);
      EXPECT_NEAR(sums[j * weeks.size() + k] / k_n, expected, 0.01)
          << kind << " weeks " << weeks[k] << ", " << weeks[j];
    }
}

TEST(PatientPresets, VisitCorrelationExponential) {
  expect_visit_correlations("{kind: exponential, nugget: 0.07, floor: 0.60, decay_weeks: 10}",
                            [](double d) { return 0.93 * (0.60 + 0.40 * std::exp(-d / 10)); });
}
TEST(PatientPresets, VisitCorrelationCompoundSymmetry) {
  expect_visit_correlations("{kind: compound_symmetry, correlation: 0.75}",
                            [](double) { return 0.75; });
}
TEST(PatientPresets, VisitCorrelationAutoregressive) {
  expect_visit_correlations("{kind: autoregressive, correlation: 0.9, per_weeks: 4}",
                            [](double d) { return std::pow(0.9, d / 4); });
}

// Correlations of changes at week 12 over both arms (DOMAIN section 2: BSA .85, NRS .50, DLQI .42 with
// the response, NRS with DLQI .55) and the share of IGA 0/1 with a drop of 2 (27.4% against 7.9%). The
// scores' limits and grids weaken the stated correlations of the shifted scores by up to 0.03.
TEST(PatientPresets, LinkedMeasuresFollow) {
  const auto model = library_study().model();
  const auto visit = visit_at(model, 12);
  const std::size_t n_visits = model.visit_weeks().size();
  Needs needs = all_needs(model);
  Cohort cohort;
  std::vector<std::vector<double>> change(4);
  std::array<double, 2> iga{};
  constexpr int k_trials = 40;
  for (int trial = 0; trial < k_trials; ++trial) {
    simulate(model, k_cohort, static_cast<std::uint64_t>(trial), needs, -1, cohort);
    const auto baseline = [&](std::size_t measure) {
      return cohort.covariates[static_cast<std::size_t>(model.measures()[measure].baseline_covariate)];
    };
    for (std::size_t i = 0; i < k_cohort; ++i) {
      const double grade = cohort.values[n_visits + visit][i];
      iga[i % 2] += grade <= 1 && baseline(1)[i] - grade >= 2;
      change[0].push_back(cohort.values[visit][i] - baseline(0)[i]);
      for (std::size_t measure = 2; measure < 5; ++measure)
        change[measure - 1].push_back(cohort.values[measure * n_visits + visit][i] -
                                      baseline(measure)[i]);
    }
  }
  const auto correlation = [&](std::size_t a, std::size_t b) {
    const auto n = static_cast<double>(change[a].size());
    double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (std::size_t i = 0; i < change[a].size(); ++i) {
      x += change[a][i], y += change[b][i];
      xx += change[a][i] * change[a][i], yy += change[b][i] * change[b][i],
          xy += change[a][i] * change[b][i];
    }
    return (xy - x * y / n) / std::sqrt((xx - x * x / n) * (yy - y * y / n));
  };
  const double n = k_cohort / 2.0 * k_trials;
  EXPECT_NEAR(iga[0] / n, 0.079, 0.003);
  EXPECT_NEAR(iga[1] / n, 0.274, 0.004);
  EXPECT_NEAR(correlation(0, 1), 0.85, 0.01);
  EXPECT_NEAR(correlation(2, 3), 0.55, 0.03);
}

}  // namespace
}  // namespace trialwright::patient::testing
