#include "scenario/simulation_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/studies.hpp"

namespace trialwright::scenario {
namespace {

using testing::HasSubstr;
using testing::Not;

Study study(const std::string& simulation, const std::vector<std::string>& assignments = {},
            const std::string& more = "") {
  return Study::parse("schema: 1\nextends: library/hcmsc.yaml\n" +
                          support::sections(60, "{effect: 1}", ", secondary: [ae_noninferiority]") +
                          "simulation: " + simulation + "\n" + more,
                      "study", TRIALWRIGHT_SOURCE_DIR "/configs", assignments);
}

TEST(Simulation, WithoutPrecisionRunsAllTrials) {
  const auto plain = study("{}");
  EXPECT_EQ(plain.spec().simulation.trials, 10'000u);
  EXPECT_EQ(plain.spec().simulation.truth_patients, std::uint64_t{1} << 19);
  EXPECT_FALSE(plain.spec().simulation.precision);
  EXPECT_THAT(plain.resolved_yaml(), HasSubstr("truth_patients: 524288"));
  EXPECT_THAT(plain.resolved_yaml(), Not(HasSubstr("precision")));
}

TEST(Simulation, PrecisionIsReadAndWrittenOut) {
  const auto short_form = study("{trials: 50000, precision: {mcse: 0.004}}");
  EXPECT_EQ(short_form.spec().simulation.precision,
            (PrecisionTarget{"power", "", 0.004, std::nullopt, 10'000}));
  const auto long_form = study(
      "{trials: 50000, truth_patients: 2048, precision: {metric: ae_rate, hypothesis: "
      "ae_noninferiority, half_width: 0.01, round_trials: 500}}");
  EXPECT_EQ(long_form.spec().simulation.precision,
            (PrecisionTarget{"ae_rate", "ae_noninferiority", std::nullopt, 0.01, 500}));
  EXPECT_EQ(long_form.spec().simulation.truth_patients, 2048u);
  for (const auto* one : {&short_form, &long_form}) {
    const auto again = Study::parse(one->resolved_yaml(), "study", ".", {});
    EXPECT_EQ(again.resolved_yaml(), one->resolved_yaml());
    EXPECT_EQ(again.spec().simulation.precision, one->spec().simulation.precision);
    EXPECT_EQ(again.spec().simulation.trials, 50'000u);
  }
}

TEST(Simulation, PrecisionCanBeSetAndSwitchedOff) {
  const std::string section = "{trials: 50000, precision: {mcse: 0.004}}";
  EXPECT_EQ(study(section, {"simulation.precision.mcse=0.01"}).spec().simulation.precision->mcse, 0.01);
  EXPECT_FALSE(study(section, {"simulation.precision=null"}).spec().simulation.precision);
  const auto set = study("{}", {"simulation.precision={metric: coverage, half_width: 0.01}"});
  EXPECT_EQ(set.spec().simulation.precision->metric, "coverage");
}

// Those of the worst proportion, in whole rounds; of a mean, whose spread nobody knows, a million.
TEST(Simulation, WithoutTrialsAPrecisionTargetHasThoseItNeedsAtWorst) {
  const auto trials = [](const std::string& precision) {
    return study("{precision: " + precision + "}").spec().simulation.trials;
  };
  EXPECT_EQ(trials("{mcse: 0.01}"), 10'000u);                       // 2,497 are needed
  EXPECT_EQ(trials("{mcse: 0.001}"), 250'000u);                     // 249,997
  EXPECT_EQ(trials("{mcse: 0.001, round_trials: 777}"), 250'194u);  // 322 rounds
  EXPECT_EQ(trials("{half_width: 0.001}"), 970'000u);               // 960,361
  EXPECT_EQ(trials("{metric: rmse, mcse: 0.001}"), 1'000'000u);
  EXPECT_EQ(trials("{mcse: 0.00000001}"), 1'000'000'000'000u);
  EXPECT_EQ(study("{precision: {mcse: 0.001}}", {"simulation.trials=500"}).spec().simulation.trials,
            500u);
}

TEST(Simulation, RoundsAreNoLongerThanFewTrials) {
  const auto few = study("{trials: 60, precision: {mcse: 0.01}}");
  EXPECT_EQ(few.spec().simulation.precision->round_trials, 60u);
  EXPECT_EQ(Study::parse(few.resolved_yaml(), "study", ".", {}).resolved_yaml(), few.resolved_yaml());
}

TEST(Simulation, ThePatientsOfTheTruthMakeAnotherStudyAndPrecisionDoesNot) {
  const auto plain = study("{trials: 10}");
  std::set<std::uint64_t> of_trials{plain.hash_with_trials()};
  for (const auto& other :
       {study("{trials: 1000}"), study("{trials: 1000, precision: {mcse: 0.01}}"),
        study("{trials: 1000, precision: {mcse: 0.02}}"),
        study("{trials: 1000, precision: {metric: coverage, mcse: 0.02, round_trials: 200}}")}) {
    EXPECT_EQ(other.hash(), plain.hash());
    EXPECT_TRUE(of_trials.insert(other.hash_with_trials()).second);
  }
  const auto with_outputs = study("{trials: 10}", {}, "outputs: {trials: true}\n");
  EXPECT_EQ(with_outputs.hash(), plain.hash());
  EXPECT_EQ(with_outputs.hash_with_trials(), plain.hash_with_trials());
  EXPECT_NE(study("{trials: 10, truth_patients: 4096}").hash(), plain.hash());
  EXPECT_NE(study("{trials: 10, engine: patients}").hash(), plain.hash());
}

TEST(Simulation, EveryMetricOfTheTableCanBeAskedFor) {
  for (const auto& row : precision_metric_table()) {
    const bool is_harm = row.value == PrecisionMetric::ae_rate;
    const auto one = study("{precision: {metric: " + std::string(row.name) + ", hypothesis: " +
                           (is_harm ? "ae_noninferiority" : "easi50_superiority") + ", mcse: 0.01}}");
    EXPECT_EQ(one.spec().simulation.precision->metric, row.name);
    EXPECT_FALSE(row.help.empty());
  }
}

}  // namespace
}  // namespace trialwright::scenario
