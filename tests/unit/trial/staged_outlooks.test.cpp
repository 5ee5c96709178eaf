// Re-estimated trials as counts, whose looks are recalled by table and whose ends are decided many at a
// time: each as the design itself decides it, one by one.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "support/studies.hpp"
#include "trial/count_plan.hpp"
#include "trial/staged_counts.hpp"

namespace trialwright::trial {
namespace {

constexpr std::uint64_t k_trials = 6'000;

struct Planned {
  std::shared_ptr<const TrialPlan> plan;
  std::shared_ptr<const CountPlan> counts;
};

Planned planned(const std::string& sides, const std::string& design, double effect) {
  Planned made;
  made.plan = support::plan(fmt::format(
      "analyses: {{easi50_superiority: {{sides: {}}}}}\ndesigns: {{looks: {{kind: "
      "sample_size_reestimation, arms: {{placebo: 1, hcmsc: 1}}, primary: easi50_superiority, "
      "patients: 300, pause: when_enrolled, {}}}}}\nscenarios: {{truth: {{effect: {}}}}}\n",
      sides, design, effect));
  auto attempt = CountPlan::make(*made.plan);
  EXPECT_EQ(attempt.why_not, "");
  made.counts = attempt.plan;
  return made;
}

using Key = std::tuple<int, int, int, int, int, int, int>;
void add(const TrialEnd& end, std::uint64_t n, std::map<Key, std::uint64_t>& to) {
  to[{end.n_looks, static_cast<int>(end.stop), end.rejected, end.naive_rejected, end.n_analysed,
      end.open_at[1], end.open_at[2]}] += n;
}

// Ends of the first trials, drawn so many at once.
std::map<Key, std::uint64_t> run(const Planned& of, std::size_t at_once,
                                 StagedCountPlan::Workspace& workspace) {
  EndCounts ends;
  for (std::uint64_t from = 0; from < k_trials; from += at_once)
    of.counts->staged()->run(of.plan->key, from, std::min<std::uint64_t>(at_once, k_trials - from),
                             workspace, ends);
  std::map<Key, std::uint64_t> result;
  ends.for_each([&](const TrialEnd& end, std::uint64_t n) { add(end, n, result); });
  return result;
}

std::map<Key, std::uint64_t> one_by_one(const Planned& of) {
  StagedCountPlan::Workspace workspace;
  EndCounts ends;
  StagedOutcome outcome;
  std::map<Key, std::uint64_t> result;
  for (std::uint64_t from = 0; from < k_trials; from += 1000) {
    of.counts->staged()->run(of.plan->key, from, 1000, workspace, ends);
    for (std::size_t row = 0; row < 1000; ++row) {
      of.counts->staged()->looks_of(row, workspace, outcome);
      add(end_of(outcome.state, outcome.stop, outcome.naive_rejected, outcome.n_analysed), 1, result);
    }
  }
  return result;
}

constexpr const char* k_pairs = "randomisation: {method: permuted_block, block_size: 2}, ";
constexpr const char* k_two_looks = "looks: [{outcomes: 150}, {outcomes: 225}], ";
constexpr const char* k_obrien_fleming = "efficacy: {boundary: lan_demets_obrien_fleming}, ";

// Odd sizes, so that a patient of an incomplete block is either arm's; both sides and one; looks that
// stop for efficacy, harm and futility, and looks that stop for nothing; one look before the end.
std::vector<std::string> designs() {
  const std::string stages =
      "reestimation: {resizes: next_stage, rule: conditional_power, power: 0.9, variance: "
      "null_and_alternative, fewest_patients_per_stage: 75, most_patients_per_stage: 225, "
      "most_patients: 600}";
  const std::string zone =
      "reestimation: {rule: promising_zone, from: 0.3, to: 0.9, power: 0.9, effect: observed, "
      "most_patients: 600}";
  return {std::string(k_pairs) + k_two_looks + k_obrien_fleming + stages,
          std::string(k_pairs) + k_two_looks + stages + ", combination: fisher",
          std::string(k_pairs) + k_two_looks + k_obrien_fleming +
              "futility: {rule: conditional_power, below: 0.1}, " + stages,
          "randomisation: {method: permuted_block, block_size: 6}, " + std::string(k_two_looks) +
              k_obrien_fleming + stages + ", combination: conditional_error",
          std::string(k_pairs) + k_two_looks + k_obrien_fleming + zone,
          std::string(k_pairs) + "looks: [{outcomes: 150}], " + zone,
          std::string(k_pairs) + "looks: [{outcomes: 150}], " + k_obrien_fleming + zone,
          std::string(k_pairs) +
              "looks: [{outcomes: 150}], combination: unweighted, reestimation: {rule: promising_zone, "
              "from: 0.5, to: 0.9, power: 0.9, effect: observed, most_patients: 600}"};
}

TEST(StagedOutlooks, EndAsTheDesignDecidesThemOneByOne) {
  StagedCountPlan::Workspace shared;  // so that one plan's recollections are not another's
  for (const auto& design : designs())
    for (const char* sides : {"1, alpha: 0.025", "2, alpha: 0.05"})
      for (const double effect : {-0.6, 0.0, 0.4}) {
        SCOPED_TRACE(design + ", sides: " + sides + fmt::format(", effect: {}", effect));
        const auto of = planned(sides, design, effect);
        const auto expected = one_by_one(of);
        EXPECT_GE(expected.size(), effect < 0 ? 1u : 4u);
        for (const std::size_t at_once : {1024u, 77u}) EXPECT_EQ(run(of, at_once, shared), expected);
        // Once more, all of it recalled.
        EXPECT_EQ(run(of, 1000, shared), expected);
      }
}

}  // namespace
}  // namespace trialwright::trial
