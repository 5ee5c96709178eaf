// The joint law of responses and strata against a second calculation: every baseline by itself, the
// condition's bound found by bisection on the quantile function and the score as patients have it.
#include <gtest/gtest.h>

#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <functional>

#include "math/elementary.hpp"
#include "unit/patient/study.hpp"

namespace trialwright::patient {
namespace {

using namespace testing;

constexpr double k_offset = 0.5, k_noise_sd = 0.35;  // of iga in library/atopic_dermatitis.yaml

// P(iga > the grade with this threshold | easi).
double grade_above(double easi, double threshold) {
  const boost::math::normal_distribution<double> normal;
  return boost::math::cdf(boost::math::complement(
      normal, std::log((threshold + k_offset) / (easi + k_offset)) / k_noise_sd));
}

using Condition = std::function<bool(double baseline, double score)>;

// P(condition | baseline, shift): the largest uniform whose score meets it.
double conditional(const CourseSpec& course, std::size_t arm, double exponent, double baseline,
                   double shift, const Condition& condition) {
  const auto& law = std::get<Kumaraswamy>(course.laws[arm]);
  const auto holds = [&](double u) {
    const double ratio = std::pow(quantile(law, std::log(u / (1 - u)) - shift), exponent);
    return condition(baseline, course.score(baseline, ratio));
  };
  double lowest = 0, highest = 1;
  for (int step = 0; step < 48; ++step) {
    const double middle = 0.5 * (lowest + highest);
    (holds(middle) ? lowest : highest) = middle;
  }
  return lowest;
}

// [severity * 4 + pattern] of two conditions, with severity shifts.
std::vector<double> brute_force(const Study& study, std::size_t arm, std::size_t visit,
                                const Condition& first, const Condition& second,
                                const std::array<double, 2>& shifts) {
  const CourseSpec& course = study.spec->course;
  const auto& marginal =
      study.spec->population->covariates()[static_cast<std::size_t>(course.baseline_covariate)]
          .marginal;
  const double exponent =
      course_exponent(course.visit_weeks[visit], course.tau_weeks[arm], course.reached_week);
  const auto weights = marginal.probabilities();
  std::vector<double> sums(8, 0.0);
  double total = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double x = marginal.points()[i];
    if (x < 16 - 1e-9) continue;  // eligibility: easi from 16, iga from 3
    const double moderate_or_more = grade_above(x, 9), severe = grade_above(x, 30);
    const double levels[] = {moderate_or_more - severe, severe};
    for (std::size_t level = 0; level < 2; ++level) {
      const double a = conditional(course, arm, exponent, x, shifts[level], first);
      const double b = conditional(course, arm, exponent, x, shifts[level], second);
      const double weight = weights[i] * levels[level];
      total += weight;
      sums[level * 4 + 3] += weight * std::min(a, b);
      sums[level * 4 + 1] += weight * (a - std::min(a, b));
      sums[level * 4 + 2] += weight * (b - std::min(a, b));
      sums[level * 4] += weight * (1 - std::max(a, b));
    }
  }
  for (double& sum : sums) sum /= total;
  return sums;
}

bool reduced(double ratio, double baseline, double score) {
  return score <= (ratio + 1e-9) * baseline && baseline > 0;
}

TEST(ResponseLaw, IsTheSumOverEveryBaseline) {
  const auto study = overlaid_study(
      "measures: {easi: {stratum_effects: {severity: {intercept: [0.2, -0.4], effect: [0.3, 0]}}}}\n");
  ASSERT_EQ(study.problems, "");
  const auto model = study.model();
  const int severity[] = {0};
  const std::array<double, 2> shifts[] = {{0.2, -0.4}, {0.5, -0.4}};
  const ResponseCondition easi50{0, 4, 0.5}, easi75{0, 4, 0.25};
  const ResponseCondition low{0, 1, std::nullopt, 7.0}, points{0, 1, 0.8, std::nullopt, 9.5};
  for (int arm = 0; arm < 2; ++arm) {
    const auto a = static_cast<std::size_t>(arm);
    {
      const ResponseCondition conditions[] = {easi50, easi75};
      const auto law = model.response_law(arm, conditions, severity);
      const auto expected = brute_force(
          study, a, 4, [](double x, double y) { return reduced(0.5, x, y); },
          [](double x, double y) { return reduced(0.25, x, y); }, shifts[a]);
      for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(law.probabilities[i], expected[i], 1e-9) << i;
      EXPECT_EQ(law.probabilities[2], 0);  // no EASI75 without EASI50
    }
    {
      // Neither holds the other: at a low baseline 7 points left are the easier, at a high one 9.5
      // down.
      const ResponseCondition conditions[] = {low, points};
      const auto law = model.response_law(arm, conditions, severity);
      const auto expected = brute_force(
          study, a, 1, [](double, double y) { return y <= 7 + 1e-9; },
          [](double x, double y) { return reduced(0.8, x, y) && x - y >= 9.5 - 1e-9; }, shifts[a]);
      for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(law.probabilities[i], expected[i], 1e-9) << i;
      EXPECT_GT(law.probabilities[1], 1e-4);
      EXPECT_GT(law.probabilities[2], 1e-4);
    }
  }
}

TEST(ResponseLaw, MarginalsOfTheJointLaw) {
  const auto model = library_study().model();
  const ResponseCondition conditions[] = {{0, 4, 0.1}, {0, 4, 0.5}, {0, 4, 0.25}};
  const int severity[] = {0};
  const double ratios[] = {0.1, 0.5, 0.25};
  const auto joint = model.response_law(1, conditions, severity);
  ASSERT_EQ(joint.probabilities.size(), 16u);
  double total = 0;
  for (const double p : joint.probabilities) total += p;
  EXPECT_NEAR(total, 1, 1e-14);
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0;
    for (std::size_t i = 0; i < 16; ++i)
      if (i >> c & 1) sum += joint.probabilities[i];
    EXPECT_NEAR(sum, *model.response_probability(1, {0, 4, ratios[c]}), 1e-14);
  }
  // Severity alone, without a course to read: also where rescue leaves no law of the course.
  const auto rescued = library_study("hcmsc_rescue.yaml").model();
  const auto strata = rescued.response_law(1, {}, severity);
  ASSERT_EQ(strata.probabilities.size(), 2u) << strata.why_not;
  double severe = 0;
  for (std::size_t i = 8; i < 16; ++i) severe += joint.probabilities[i];
  EXPECT_NEAR(strata.probabilities[1], severe, 1e-14);
  EXPECT_NE(rescued.response_law(1, conditions, {}).why_not, "");
}

// IGA 0 or 1 with an improvement of 2, and EASI75, by severity: the patient's noise by the midpoint
// rule over 20 000 places, whose steps each leave at most 1 / 20 000 of a score's probability,
// alternating in sign; the sum agrees to 1e-6.
TEST(ResponseLaw, GradesShareTheBaselinesNoise) {
  const auto study = library_study();
  const auto model = study.model();
  const CourseSpec& course = study.spec->course;
  const auto& covariates = study.spec->population->covariates();
  const auto& marginal = covariates[static_cast<std::size_t>(course.baseline_covariate)].marginal;
  const int iga = 1;
  ASSERT_EQ(model.measures()[iga].name, "iga");
  const Grading& grading =
      *covariates[static_cast<std::size_t>(model.measures()[iga].baseline_covariate)].grading;
  const boost::math::normal_distribution<double> normal;
  constexpr int k_places = 20'000;
  std::vector<double> factors;
  for (int i = 0; i < k_places; ++i)
    factors.push_back(std::exp(k_noise_sd * boost::math::quantile(normal, (i + 0.5) / k_places)));
  const auto weights = marginal.probabilities();
  std::vector<double> expected(8, 0.0);
  double total = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double x = marginal.points()[i];
    if (x < 16 - 1e-9) continue;
    // P(score <= k / 10).
    std::vector<double> below;
    for (int k = 0; k < 720; ++k) below.push_back(probability(course.laws[1], (k + 0.5) / 10 / x));
    below.push_back(1);
    const double easi75 = below[static_cast<std::size_t>(std::floor(0.25 * x * 10 + 1e-6))];
    for (const double factor : factors) {
      const int grade = grading.grade(x, factor);
      if (grade < 3) continue;
      const int highest = std::min(1, grade - 2);
      // The highest score whose grade is low enough.
      int k = static_cast<int>(std::floor(
          (grading.shifted_thresholds[static_cast<std::size_t>(highest)] / factor - grading.offset) *
          10));
      const double clear = k < 0 ? 0 : below[static_cast<std::size_t>(std::min(k, 720))];
      const std::size_t at = grade >= 4 ? 4 : 0;
      const double weight = weights[i] / k_places;
      total += weight;
      expected[at + 3] += weight * std::min(clear, easi75);
      expected[at + 1] += weight * (clear - std::min(clear, easi75));
      expected[at + 2] += weight * (easi75 - std::min(clear, easi75));
      expected[at] += weight * (1 - std::max(clear, easi75));
    }
  }
  const ResponseCondition conditions[] = {{iga, 4, std::nullopt, 1.0, 2.0}, {0, 4, 0.25}};
  const int severity[] = {0};
  const auto law = model.response_law(1, conditions, severity);
  ASSERT_EQ(law.probabilities.size(), 8u) << law.why_not;
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(law.probabilities[i], expected[i] / total, 1e-6) << i;
}

// The baseline's latent normal by the midpoint rule over its probability: 4e5 places, whose error is
// below 1e-6 (each of the 560 points' intervals is met to one place).
TEST(ResponseLaw, BaselineEffectsAreIntegrated) {
  const auto study = overlaid_study("measures: {easi: {baseline_effect: -0.5}}\n");
  ASSERT_EQ(study.problems, "");
  const auto model = study.model();
  const auto& population = *study.spec->population;
  const CourseSpec& course = study.spec->course;
  const auto& marginal =
      population.covariates()[static_cast<std::size_t>(course.baseline_covariate)].marginal;
  const auto& law = std::get<Kumaraswamy>(course.laws[1]);
  const boost::math::normal_distribution<double> normal;
  constexpr int k_places = 400'000;
  double responders = 0, total = 0;
  for (int i = 0; i < k_places; ++i) {
    const double z = boost::math::quantile(normal, (i + 0.5) / k_places);
    const double x = marginal.value(z), weight = grade_above(x, 9);
    const double boundary = (std::floor(0.5 * x * 10 + 1e-6) + 0.5) / 10 / x;
    const double log_odds_there = log_odds(RatioLaw{law}, boundary) - 0.5 * z;
    responders += weight / (1 + std::exp(-log_odds_there));
    total += weight;
  }
  EXPECT_NEAR(*model.response_probability(1, {0, 4, 0.5}), responders / total, 1e-6);
  EXPECT_GT(
      std::abs(*library_study().model().response_probability(1, {0, 4, 0.5}) - responders / total),
      0.001);
}

TEST(DropoutLaw, IsTheProductOfTheIntervals) {
  const auto model =
      overlaid_study(
          "intercurrent_events: {dropout: {rate_per_week: 0.02, weeks_before_visit: 0.5, "
          "arm_log_hazard: {placebo: 0.5}}}\n")
          .model();
  const auto law = *model.dropout_law(0);
  const double rate = 0.02 * std::exp(0.5);
  EXPECT_NEAR(law.staying(12), std::exp(-12 * rate), 1e-15);  // visits at 2, 4, 6, 8, 12
  EXPECT_NEAR(law.staying(11.5), std::exp(-12 * rate), 1e-15);
  EXPECT_NEAR(law.staying(11.4), std::exp(-8 * rate), 1e-15);
  EXPECT_NEAR(law.staying(1), 1, 1e-15);
  EXPECT_NEAR(law.staying(k_never), std::exp(-24 * rate), 1e-15);
  EXPECT_TRUE(library_study().model().dropout_law(0)->weeks.empty());
  EXPECT_FALSE(overlaid_study("intercurrent_events: {dropout: {rate_per_week: 0.02, log_slope: 1}}\n")
                   .model()
                   .dropout_law(0));
}

// An event is seen if it comes before the patient leaves.
TEST(DropoutLaw, HidesAdverseEvents) {
  const auto without = library_study().model();
  const auto with = overlaid_study("intercurrent_events: {dropout: {rate_per_week: 0.05}}\n").model();
  EXPECT_EQ(*with.staying_adverse_event_probability(1, 24), *without.adverse_event_probability(1, 24));
  const double weeks[] = {2, 4, 6, 8, 12, 16, 20, 24};
  double seen = 0, before = 0;
  for (const double week : weeks) {
    const double leaves = std::exp(-0.05 * before) - std::exp(-0.05 * week);
    seen += leaves * *without.adverse_event_probability(1, std::min(13.0, week - 0.5));
    before = week;
  }
  seen += std::exp(-0.05 * 24) * *without.adverse_event_probability(1, 13);
  EXPECT_NEAR(*with.adverse_event_probability(1, 13), seen, 1e-12);
}

}  // namespace
}  // namespace trialwright::patient
