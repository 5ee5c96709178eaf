// What single precision does to the rates of events: the chain from a word over the visit's normal to
// the ratio never falls, so the words that respond are those up to a crossing, which is found exactly
// here and counted against the closed form.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "math/elementary.hpp"
#include "math/elementary_float.hpp"
#include "math/normal.hpp"
#include "patient/course_truth.hpp"
#include "rng/batch.hpp"
#include "unit/patient/study.hpp"

namespace trialwright::patient::testing {
namespace {

constexpr double k_bound = 1e-6;  // what the house allows in any event rate
constexpr double k_words = 0x1p32;

// The number of words, from 0 on, for which `is_below` still holds; it may not hold again above.
double n_words(const std::function<bool(float)>& is_below) {
  double none = -1, all = k_words;
  while (all - none > 1) {
    const double middle = std::floor(0.5 * (none + all));
    (is_below(rng::normal_of_word(static_cast<std::uint32_t>(middle))) ? none : all) = middle;
  }
  return all;
}

// The least and the largest rate of ratio(z) <= bound that the words can give: rounding may let the
// ratio fall by a unit from one float to the next, so the floats about the crossing are tried one by
// one.
struct Rates {
  double least, most;
};
Rates rates_of(const std::function<float(float)>& ratio, double bound) {
  float below = -6.5f, above = 6.5f;
  while (std::nextafter(below, above) < above) {
    const float middle = 0.5f * (below + above);
    (ratio(middle) <= bound ? below : above) = middle;
  }
  // No word has a normal so low, or so high.
  if (below == -6.5f) return {0, 0};
  if (above == 6.5f) return {1, 1};
  constexpr int k_around = 2000;
  float z = below, first_above = above, last_below = below;
  for (int i = 0; i < k_around; ++i) z = std::nextafter(z, -10.0f);
  EXPECT_LE(ratio(z), bound);
  for (int i = 0; i < 2 * k_around; ++i, z = std::nextafter(z, 10.0f)) {
    if (ratio(z) <= bound)
      last_below = std::max(last_below, z);
    else
      first_above = std::min(first_above, z);
  }
  EXPECT_GT(ratio(z), bound);
  return {n_words([&](float at) { return at < first_above; }) / k_words,
          n_words([&](float at) { return at <= last_below; }) / k_words};
}

struct Preset {
  std::string file;
  std::vector<std::string> changes;
};

std::vector<Preset> presets() {
  const std::string course = "measures.easi.course.";
  return {{"hcmsc.yaml", {}},
          {"hcmsc.yaml",
           {course + "kumaraswamy.ratio_maximum=1.25",
            course + "kumaraswamy.arms.placebo={a: 1.03546, b: 0.79812}",
            course + "kumaraswamy.arms.hcmsc={a: 0.51797, b: 0.88107}"}},
          {"hcmsc.yaml", {course + "model=responder_mixture"}},
          {"hcmsc_rescue.yaml", {}},
          {"hcmsc_rescue_nri.yaml", {}}};
}

// Largest error over arms, visits and thresholds of one truth, with `shift` log odds taken off every
// patient where the course shifts patients. `timing` tells the exponents.
double largest_error(const CourseTruth& truth, const CourseTruth& timing, const CourseSpec& course,
                     float shift) {
  const TrialTruth trial = truth.draw(rng::key_from_seed(1), 0);
  double largest = 0;
  for (std::size_t arm = 0; arm < course.laws.size(); ++arm)
    for (std::size_t visit = 0; visit < course.visit_weeks.size(); ++visit) {
      const int variant = truth.first_variant(arm) + truth.full_variant(arm);
      const double fixed = truth.shift(trial, arm, truth.full_variant(arm));
      const float taken = truth.shifts_patients() ? shift + static_cast<float>(fixed) : 0.0f;
      const double moved = truth.shifts_patients() ? taken : fixed;
      const auto ratio = [&](float z) {
        float out = 0, work = 0;
        truth.ratios(trial, {visit, &variant, {&z, 1}, {&taken, 1}, {&work, 1}}, {&out, 1});
        return out;
      };
      for (const double bound : {0.9, 0.5, 0.25, 0.1}) {
        const double at = math::pow(bound, 1 / timing.exponent(arm, visit));
        const double exact = math::logistic(log_odds(truth.law(arm), at) + moved);
        const Rates rates = rates_of(ratio, bound);
        const double error = std::max(std::abs(rates.least - exact), std::abs(rates.most - exact));
        EXPECT_LT(error, k_bound) << "arm " << arm << " visit " << visit << " bound " << bound;
        largest = std::max(largest, error);
      }
    }
  return largest;
}

CourseTruth compiled(const Study& study, const Truth& truth) {
  input::Diagnostics faults;
  return {study.spec->course, study.spec->arms, truth, CourseTruth::Variants::full_only, faults, {}};
}

TEST(SinglePrecision, MovesNoResponseRateByAMillionth) {
  double largest = 0;
  for (const auto& preset : presets()) {
    const auto study = library_study(preset.file, preset.changes);
    for (const Truth& truth :
         {Truth{EffectMultiplier{1}}, Truth{EffectMultiplier{0.5}}, Truth{ConstantOddsRatio{2.25}}}) {
      SCOPED_TRACE(preset.file + " " + std::to_string(preset.changes.size()) + " " +
                   std::to_string(truth.index()));
      const auto course = compiled(study, truth);
      ASSERT_FALSE(course.shifts_patients());
      largest = std::max(largest, largest_error(course, course, study.spec->course, 0));
    }
  }
  RecordProperty("largest_error", std::to_string(largest * 1e9) + "e-9");
  EXPECT_LT(largest, 2e-7);
}

TEST(SinglePrecision, MovesNoShiftedResponseRateByAMillionth) {
  double largest = 0;
  for (auto preset : presets()) {
    preset.changes.push_back("measures.easi.baseline_effect=0.1");
    const auto study = library_study(preset.file, preset.changes);
    for (const Truth& truth : {Truth{EffectMultiplier{1}}, Truth{ConstantOddsRatio{2.25}},
                               Truth{LogOddsRatioDraw{std::log(2.25), 0, {}, {}, {}}}}) {
      SCOPED_TRACE(preset.file + " " + std::to_string(preset.changes.size()) + " " +
                   std::to_string(truth.index()));
      const auto course = compiled(study, truth);
      const bool is_drawn = std::holds_alternative<LogOddsRatioDraw>(truth);
      const auto timing = compiled(study, is_drawn ? Truth{ConstantOddsRatio{2.25}} : truth);
      ASSERT_TRUE(course.shifts_patients());
      for (const float shift : {-1.3f, 0.0f, 0.35f, 2.1f})
        largest = std::max(largest, largest_error(course, timing, study.spec->course, shift));
    }
  }
  RecordProperty("largest_error", std::to_string(largest * 1e9) + "e-9");
  EXPECT_LT(largest, 3e-7);
}

// Laws far from any published one, the ratio's spread from 10 percent to many orders of magnitude.
TEST(SinglePrecision, HoldsForSteepAndFlatLaws) {
  double largest = 0;
  for (const char* law : {"{a: 0.05, b: 1}", "{a: 0.1, b: 0.3}", "{a: 0.2, b: 0.05}", "{a: 0.3, b: 5}",
                          "{a: 1, b: 30}", "{a: 3, b: 0.2}", "{a: 4, b: 40}", "{a: 8, b: 8}"})
    for (const char* shifted : {"0", "0.1"}) {
      SCOPED_TRACE(std::string(law) + " " + shifted);
      const std::string arms = "measures.easi.course.kumaraswamy.arms.";
      const auto study = library_study(
          "hcmsc.yaml",
          {arms + "placebo=" + law, std::string("measures.easi.baseline_effect=") + shifted});
      ASSERT_EQ(study.problems, "");
      const auto course = compiled(study, EffectMultiplier{1});
      largest = std::max(largest, largest_error(course, course, study.spec->course, 0));
    }
  RecordProperty("largest_error", std::to_string(largest * 1e9) + "e-9");
  EXPECT_LT(largest, 5e-7);
}

// The visits' normals are sums: their weights in single precision keep the variance and the
// correlations.
TEST(SinglePrecision, KeepsTheVisitsVariancesAndCorrelations) {
  for (const char* kind : {"{kind: exponential, nugget: 0.07, floor: 0.60, decay_weeks: 10}",
                           "{kind: autoregressive, correlation: 0.9, per_weeks: 4}"}) {
    const auto study =
        library_study("hcmsc.yaml", {std::string("measures.easi.visit_correlation=") + kind});
    ASSERT_EQ(study.problems, "");
    const auto& correlation = study.spec->course.correlation;
    for (std::size_t j = 0; j < 8; ++j)
      for (std::size_t k = 0; k <= j; ++k) {
        const auto a = correlation.weights(j), b = correlation.weights(k);
        double product = 0;
        for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
          product += static_cast<double>(a[i]) * b[i];
        EXPECT_NEAR(product, correlation.correlation(j, k), 2e-7) << kind;
        // P(sd Z <= z) - P(Z <= z) is largest at z = 1: half the variance's error times its density.
        if (j == k) {
          EXPECT_LT(0.5 * std::abs(product - 1) * math::normal_pdf(1), 5e-8);
        }
      }
  }
}

// Rescue and dropout: the words that an event needs by each interval, for a patient whose ratio was the
// same at every visit, against the product of the intervals' probabilities in double precision.
TEST(SinglePrecision, MovesNoEventRateByAMillionth) {
  const float weeks[] = {2, 4, 7, 8, 12, 15, 20, 24};
  double largest = 0;
  for (const float ratio : {0.0f, 0.05f, 0.37f, 0.8f, 1.0f, 1.49f})
    for (const double slope : {0.3, 1.0, 2.0, -1.5})
      for (const double rate : {0.0006, 0.0058, 0.06, 0.3}) {
        const double eta = math::log(rate * 2) - slope * 0.8;
        float odds = 0, hazard = 0, before = 0;
        double periods = 0, total = 0;
        for (const float week : weeks) {
          const float gap = week - before;
          before = week;
          periods += gap / 2;
          total += rate * gap * math::exp(slope * (ratio - 0.8));
          odds = odds_grown(odds, static_cast<float>(eta), static_cast<float>(slope), ratio, gap / 2);
          hazard = hazard_left(hazard, static_cast<float>(math::log(rate * gap) - slope * 0.8),
                               static_cast<float>(slope), ratio);
          // Among the 2^23 uniforms, those that odds times reach 1 and those whose exponential is used
          // up.
          const auto share = [&](const std::function<bool(float)>& happens) {
            double none = -1, all = 0x1p23;
            while (all - none > 1) {
              const double middle = std::floor(0.5 * (none + all));
              const float u = (static_cast<float>(middle) + 0.5f) * 0x1p-23f;
              (happens(u) ? all : none) = middle;
            }
            return 1 - all / 0x1p23;
          };
          const double no_rescue =
              math::exp(-periods * math::log1p(math::exp(eta + slope * static_cast<double>(ratio))));
          const double rescue_error =
              std::abs(share([&](float u) { return odds >= (1 - u) / u; }) - (1 - no_rescue));
          const double dropout_error = std::abs(
              share([&](float u) { return -math::log_float(u) + hazard <= 0; }) - -math::expm1(-total));
          EXPECT_LT(rescue_error, k_bound);
          EXPECT_LT(dropout_error, k_bound);
          largest = std::max({largest, rescue_error, dropout_error});
        }
      }
  RecordProperty("largest_error", std::to_string(largest * 1e9) + "e-9");
  EXPECT_LT(largest, 3e-7);
}

}  // namespace
}  // namespace trialwright::patient::testing
