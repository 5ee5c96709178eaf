#include "analysis/analysis_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "input/document.hpp"

namespace trialwright::analysis {
namespace {

using testing::HasSubstr;

struct Answer {
  AnalysisSpec spec;
  std::string told;
  std::string echo;
};

Answer read(std::string_view text, Direction direction = Direction::higher_is_better) {
  input::Diagnostics faults;
  const auto document = input::parse_document(text, "study.yaml", {}, faults);
  input::Node echo;
  Answer answer;
  {
    input::Reader reader(document.root, "", faults, echo);
    answer.spec = read_test(reader, direction);
  }
  answer.told = faults.empty() ? "" : faults.text(document.sources);
  answer.echo = input::to_yaml(echo);
  return answer;
}

TEST(ReadTest, DefaultsAreTheUncorrectedChiSquareAndNewcombe) {
  const auto answer = read("{}\n");
  EXPECT_EQ(answer.told, "");
  EXPECT_EQ(answer.spec.test.method, Method::chi_square);
  EXPECT_EQ(answer.spec.test.sides, Sides::two);
  EXPECT_EQ(answer.spec.test.alpha, 0.05);
  EXPECT_EQ(answer.spec.effect, EffectMeasure::risk_difference);
  EXPECT_EQ(answer.spec.interval, IntervalMethod::newcombe);
  EXPECT_EQ(answer.spec.confidence_level, 0.95);
  EXPECT_THAT(answer.echo, HasSubstr("interval: newcombe"));
}

TEST(ReadTest, OneSidedLevelsGiveTwoSidedIntervalsOfTwiceAlpha) {
  const auto answer = read("method: boschloo\nsides: 1\nalpha: 0.025\neffect: odds_ratio\n");
  EXPECT_EQ(answer.told, "");
  EXPECT_EQ(answer.spec.test.method, Method::boschloo);
  EXPECT_EQ(answer.spec.interval, IntervalMethod::wald);
  EXPECT_DOUBLE_EQ(answer.spec.confidence_level, 0.95);
}

TEST(ReadTest, MarginOfASafetyAnalysis) {
  const auto answer = read(
      "method: farrington_manning\nsides: 1\nalpha: 0.025\nmargin: 0.15\ninterval: "
      "miettinen_nurminen\n",
      Direction::lower_is_better);
  EXPECT_EQ(answer.told, "");
  EXPECT_EQ(answer.spec.test.margin, 0.15);
  EXPECT_EQ(answer.spec.test.direction, Direction::lower_is_better);
  EXPECT_EQ(answer.spec.interval, IntervalMethod::miettinen_nurminen);
}

TEST(ReadTest, CmhTakesWaldByDefault) {
  const auto cmh = read("method: cmh\n").spec;
  EXPECT_EQ(cmh.interval, IntervalMethod::wald);
  const std::vector<TwoByTwo> strata{{4, 10, 2, 10}, {9, 20, 6, 30}};
  EXPECT_EQ(make_estimator(cmh)(strata).lower,
            estimate(EffectMeasure::risk_difference, IntervalMethod::wald, 0.95, strata).lower);
  EXPECT_THAT(read("method: cmh\ninterval: newcombe\n").told, HasSubstr("study.yaml:2:11: error: "));
}

TEST(ReadTest, CombinationsThatDoNotExistAreFaults) {
  EXPECT_THAT(read("method: fisher\nsides: 1\nmargin: 0.1\n").told,
              AllOf(HasSubstr("study.yaml:3:9: error: fisher takes no margin"),
                    HasSubstr("farrington_manning")));
  EXPECT_THAT(read("method: z_unpooled\nmargin: 0.1\n").told, HasSubstr("sides: 1"));
  EXPECT_THAT(read("effect: odds_ratio\ninterval: newcombe\n").told, HasSubstr("risk difference only"));
  EXPECT_THAT(read("alpha: 0\n").told, HasSubstr("study.yaml:1:8"));
  EXPECT_THAT(read("sides: 3\n").told, HasSubstr("study.yaml:1:8"));
  EXPECT_THAT(read("method: bosch\n").told, HasSubstr("boschloo"));
  EXPECT_THAT(read("methd: fisher\n").told, HasSubstr("method"));
}

}  // namespace
}  // namespace trialwright::analysis
