// Tables that truths share: which do, that sharing and waiting for them moves no bit.
#include "patient/course_tables.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <thread>
#include <vector>

#include "patient/course_truth.hpp"
#include "unit/patient/study.hpp"

namespace trialwright::patient::testing {
namespace {

CourseRecipe recipe(double multiplier = 0.7) {
  const RatioLaw control = Kumaraswamy{1.06, 1.05, 1.5}, active = Kumaraswamy{0.55, 1.08, 1.5};
  CourseRecipe recipe;
  recipe.laws = {{control, control, 0}, {control, active, multiplier}};
  recipe.law = {0, 1};
  recipe.shifts = {0, 0};
  recipe.visits = {{{0.6, 0.5}, false}, {{1, 1}, false}};
  return recipe;
}

TEST(CourseTables, AreSharedWhereAllThatTheyFollowFromIsTheSame) {
  CourseTableCache cache;
  const auto tables = cache.get(recipe());
  EXPECT_EQ(cache.get(recipe()), tables);
  const std::array<std::function<void(CourseRecipe&)>, 8> changes{
      [](CourseRecipe& r) { r.laws[1].multiplier = 0.71; },
      [](CourseRecipe& r) { std::get<Kumaraswamy>(r.laws[0].control).a += 1e-15; },
      [](CourseRecipe& r) { r.law[1] = 0; },
      [](CourseRecipe& r) { r.shifts[1] = 0.1; },
      [](CourseRecipe& r) { r.visits[0].exponents[1] = 0.6; },
      [](CourseRecipe& r) { r.visits[0].is_raised = true; },
      [](CourseRecipe& r) { r.shifts_patients = true; },
      [](CourseRecipe& r) { r.draws_laws = true; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto changed = recipe();
    changes[i](changed);
    EXPECT_NE(cache.get(changed), tables) << i;
  }
  EXPECT_EQ(cache.get(recipe()), tables);
}

TEST(CourseTables, ThatHaveNotBeenAskedForOfLateAreMadeAnew) {
  CourseTableCache cache;
  const std::weak_ptr<const CourseTables> first = cache.get(recipe(0.5));
  for (int i = 1; i <= 100; ++i) cache.get(recipe(0.5 + i / 1000.0));
  EXPECT_TRUE(first.expired());
  EXPECT_EQ(cache.get(recipe(0.6)), cache.get(recipe(0.6)));
}

TEST(CourseTables, AreMadeOnceHoweverManyThreadsAskFirst) {
  const CourseTables tables(recipe());
  std::array<const void*, 8> seen{};
  std::vector<std::thread> threads;
  for (auto& place : seen) threads.emplace_back([&] { place = &tables.visit(1); });
  for (auto& thread : threads) thread.join();
  for (const void* place : seen) EXPECT_EQ(place, &tables.visit(1));
}

// Patients of models that share their tables, and of models alone, are the same bits.
TEST(CourseTables, MoveNoPatientByBeingShared) {
  const auto study = library_study("hcmsc_rescue.yaml");
  const auto other = overlaid_study("intercurrent_events: {rescue: {log_odds_per_2_weeks: -1}}\n",
                                    "hcmsc_rescue.yaml");
  CourseTableCache cache;
  input::Diagnostics faults;
  for (const Truth& truth : {Truth{EffectMultiplier{0.7}}, Truth{ConstantOddsRatio{2}},
                             Truth{EffectMultiplier{0}}, Truth{LogOddsRatioDraw{1, 0.5, {}, {}, {}}}}) {
    PatientModel(study.spec, truth, faults, {}, &cache);
    const PatientModel shared(other.spec, truth, faults, {}, &cache);
    const auto alone = other.model(truth);
    Cohort a, b;
    simulate(shared, 500, 3, all_needs(shared), 1, a);
    simulate(alone, 500, 3, all_needs(alone), 1, b);
    for (std::size_t visit = 0; visit < alone.visit_weeks().size(); ++visit)
      for (std::size_t i = 0; i < 500; ++i)
        ASSERT_EQ(a.observed_ratio[visit][i], b.observed_ratio[visit][i]);
  }
  EXPECT_TRUE(faults.empty());
}

}  // namespace
}  // namespace trialwright::patient::testing
