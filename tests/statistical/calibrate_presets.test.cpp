// The shipped presets against the published counts that they are calibrated to, as observed: with
// rescue and dropout where the preset has them.
//
// A million patients an arm: standard errors of 0.02 to 0.05 points, so that a preset on its targets is
// within 0.2 points but with a probability below 1e-4 for all of them, and one that is off by 0.35
// points is noticed with a probability above 0.99. Seeds are fixed.
#include <gtest/gtest.h>

#include <cmath>

#include "calibrate/calibrate.hpp"
#include "support/studies.hpp"

namespace trialwright {
namespace {

class CalibratedPreset : public testing::TestWithParam<const char*> {};

TEST_P(CalibratedPreset, ShowsThePublishedRates) {
  auto study = support::study(support::sections(160), GetParam());
  const auto targets = calibrate::check(study, {1'000'000, 2, nullptr});
  ASSERT_EQ(targets.size(), 6u);
  for (const auto& target : targets) {
    EXPECT_LT(std::abs(target.residual), 0.002) << target.name << " " << target.achieved;
    EXPECT_LT(target.mcse, 0.0006) << target.name;
  }
  EXPECT_TRUE(calibrate::is_met(targets));
}

INSTANTIATE_TEST_SUITE_P(Library, CalibratedPreset,
                         testing::Values("library/hcmsc.yaml", "library/hcmsc_rescue.yaml",
                                         "library/hcmsc_rescue_nri.yaml"));

// From the parameters without rescue, a fit through rescue and dropout. Each z is beyond 4 with
// probability 6e-5.
TEST(CalibrateRescue, FindsTheObservedRates) {
  const std::string sections =
      support::sections(160) +
      "measures: {easi: {course: {kumaraswamy: {arms: {placebo: {a: 1.06376, b: 1.05015}, "
      "hcmsc: {a: 0.54864, b: 1.08189}}}}}}\n"
      "safety: {any_event: {placebo: 0.2222222, hcmsc: 0.2777778}}\n";
  auto study = support::study(sections, "library/hcmsc_rescue.yaml");
  const auto calibration = calibrate::fit(study, {60000, 2, nullptr});
  for (const auto& target : calibration.at_fitted) {
    ASSERT_TRUE(target.z) << target.name;
    EXPECT_LT(std::abs(*target.z), 4) << target.name;
  }
  // Rescue lends response, so the course alone must have less of it: DOMAIN section 4 (i).
  EXPECT_NEAR(calibration.parameters[1].fitted, 0.744, 0.06);
  EXPECT_NEAR(calibration.parameters[3].fitted, 0.872, 0.06);
  // Dropout hides events, so more must happen than are reported.
  EXPECT_GT(calibration.parameters[4].fitted, 8.0 / 36);
  EXPECT_GT(calibration.parameters[5].fitted, 10.0 / 36);

  auto again = support::study(sections, "library/hcmsc_rescue.yaml");
  const auto on_one_thread = calibrate::fit(again, {60000, 1, nullptr});
  for (std::size_t i = 0; i < calibration.parameters.size(); ++i) {
    EXPECT_EQ(calibration.parameters[i].fitted, on_one_thread.parameters[i].fitted);
    EXPECT_EQ(calibration.parameters[i].standard_error, on_one_thread.parameters[i].standard_error);
  }
}

}  // namespace
}  // namespace trialwright
