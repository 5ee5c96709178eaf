// Leaving out moves nothing: a trial of what its plan reads alone, of everything that can be made, and
// of anything between, is the same trial to the bit.
#include <gtest/gtest.h>

#include "property/outcome_text.hpp"
#include "property/whole_studies.hpp"

namespace trialwright::property {
namespace {

class LeavingOut : public testing::TestWithParam<WholeStudy> {};

// The plan's needs and one thing more.
std::vector<patient::Needs> one_more(const trial::TrialPlan& plan) {
  std::vector<patient::Needs> all(5, plan.needs);
  all[0].intercurrent_events = true;
  all[1].adverse_events = true;
  all[2].calendar = true;
  all[3].sites = true;
  all[4].covariates.clear();
  for (std::size_t measure = 0; measure < plan.needs.measure_visits.size(); ++measure) {
    all.push_back(plan.needs);
    auto& visits = all.back().measure_visits[measure];
    visits.assign(visits.size(), true);
  }
  return all;
}

// What both have made of the measures that the plan reads.
void expect_same_values(const trial::TrialPlan& plan, const patient::Cohort& some,
                        const patient::Cohort& whole) {
  const auto& visits = plan.needs.measure_visits;
  for (std::size_t measure = 0; measure < visits.size(); ++measure)
    for (std::size_t visit = 0; visit < visits[measure].size(); ++visit) {
      if (!visits[measure][visit]) continue;
      const std::size_t column = measure * visits[measure].size() + visit;
      const auto a = some.values[column], b = whole.values[column];
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin())) << "measure " << measure;
    }
}

TEST_P(LeavingOut, MovesNothing) {
  auto study = read(GetParam(), 10);
  for (const auto& plan : study.plans(study.points())) {
    trial::Workspace some, whole;
    some.prepare(*plan);
    whole.prepare(*plan);
    const auto every_need = trial::every_need(*plan->model);
    const auto between = one_more(*plan);
    for (std::uint64_t trial = 0; trial < 20; ++trial) {
      trial::simulate_trial(*plan, trial, every_need, whole);
      const std::string decisions = decisions_of(whole), calendar = calendar_of(whole);
      trial::simulate_trial(*plan, trial, plan->needs, some);
      ASSERT_EQ(decisions_of(some), decisions) << "trial " << trial;
      expect_same_values(*plan, some.cohort, whole.cohort);
      if (some.outcome.has_calendar) {
        EXPECT_EQ(calendar_of(some), calendar);
      }
      trial::simulate_trial(*plan, trial, some);
      ASSERT_EQ(decisions_of(some), decisions) << "trial " << trial;
      EXPECT_EQ(calendar_of(some), calendar);
      for (std::size_t i = 0; i < between.size(); ++i) {
        trial::simulate_trial(*plan, trial, between[i], some);
        ASSERT_EQ(decisions_of(some), decisions) << "trial " << trial << " with one thing more: " << i;
        expect_same_values(*plan, some.cohort, whole.cohort);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Studies, LeavingOut, testing::ValuesIn(whole_studies()), name_of);

}  // namespace
}  // namespace trialwright::property
