#include <gtest/gtest.h>

#include "trialwright/error.hpp"
#include "trialwright/exact.hpp"

namespace trialwright {
namespace {

// exact_power_binary.csv: pooledZ_1s and fisher_2s of 33 + 34 at .58, .32.
TEST(ExactApi, AnswersAsTheReference) {
  ExactQuestion asked{"z_pooled", 33, 34, 0.58, 0.32, 0.025, ExactSides::one};
  const double pooled = exact_power(asked);
  asked.test = "chi_square";
  EXPECT_EQ(exact_power(asked), pooled);
  const auto answer = exact_operating_characteristics(asked);
  EXPECT_EQ(answer.power, pooled);
  EXPECT_NEAR(answer.size, 0.0280, 5e-5);
  EXPECT_GT(answer.n_rejecting, 0);
}

TEST(ExactApi, RefusesWhatCannotBeEnumerated) {
  const ExactQuestion good{"fisher", 10, 10, 0.5, 0.2, 0.025, ExactSides::one};
  const auto refused = [](const ExactQuestion& asked, const std::string& part) {
    try {
      exact_power(asked);
    } catch (const Error& error) {
      return error.status() == ExitStatus::bad_input &&
             std::string(error.what()).find(part) != std::string::npos;
    }
    return false;
  };
  auto asked = good;
  asked.test = "boschlo";
  EXPECT_TRUE(refused(asked, "did you mean boschloo?"));
  asked = good;
  asked.test = "cmh";
  EXPECT_TRUE(refused(asked, "cmh"));
  asked = good;
  asked.n_control = 0;
  EXPECT_TRUE(refused(asked, "0 patients"));
  asked = good;
  asked.p_treatment = 58;
  EXPECT_TRUE(refused(asked, "58"));
  asked = good;
  asked.alpha = 0.0;
  EXPECT_TRUE(refused(asked, "alpha"));
}

}  // namespace
}  // namespace trialwright
