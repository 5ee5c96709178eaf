// Trials with looks drawn as counts and decided, on one core: nanoseconds a trial and trials per
// second.
//
// Floor of three looks: what counts.bench.cpp's three_looks takes for the draws, and a byte read from a
// table of each look. The first k_inference_trials of a point, which are told again for estimates and
// adjusted inference, are apart.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>

#include "scenario/study.hpp"
#include "trial/count_plan.hpp"

namespace {

using namespace trialwright;

struct Drawn {
  std::shared_ptr<const trial::TrialPlan> plan;
  std::shared_ptr<const trial::CountPlan> counts;
  std::string why_not;
};

constexpr const char* k_two_arms = "arms: {placebo: 1, hcmsc: 1}, primary: easi50_superiority";
constexpr const char* k_three_doses =
    "arms: {hcmsc_high: {dose_cells_per_kg: 1000000, infusion_weeks: [0, 2, 4]}}\n"
    "measures: {easi: {course: {tau_weeks: {hcmsc_high: 4}, kumaraswamy: {arms: {hcmsc_high: {a: 0.548402, "
    "b: 1.07968}}}, responder_mixture: {arms: {hcmsc_high: {responder_fraction: 0.4202}}}}}}\n"
    "safety: {any_event: {hcmsc_high: 0.27}, infusion_reaction: {hcmsc_high: 0.05}}\n";

Drawn drawn(const std::string& design, const std::string& more = "") {
  auto study = scenario::Study::parse(
      fmt::format("schema: 1\nextends: library/hcmsc.yaml\n"
                  "analyses: {{easi50_superiority: {{sides: 1, alpha: 0.025}}}}\n"
                  "designs: {{looks: {{{}}}}}\nscenarios: {{truth: {{effect: 0.6}}}}\n"
                  "simulation: {{trials: 1, seed: 1}}\n{}",
                  design, more),
      "bench", TRIALWRIGHT_SOURCE_DIR "/configs", {});
  auto plan = study.plan(study.points().front());
  auto counts = trial::CountPlan::make(*plan);
  return {std::move(plan), std::move(counts.plan), std::move(counts.why_not)};
}

void run(benchmark::State& state, const Drawn& drawn) {
  if (!drawn.counts) return state.SkipWithError(drawn.why_not.c_str());
  const auto& counts = *drawn.counts->staged();
  trial::StagedCountPlan::Workspace workspace;
  trial::EndCounts ends;
  std::uint64_t first = trial::k_inference_trials;
  constexpr std::size_t k_trials = trial::StagedCountPlan::k_most_trials;
  for (auto _ : state) {
    counts.run(drawn.plan->key, first, k_trials, workspace, ends);
    first += k_trials;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(k_trials));
}

void three_looks(benchmark::State& state) {
  run(state, drawn(fmt::format("kind: group_sequential, {}, patients: {}, looks: [{{outcomes: {}}}, "
                               "{{outcomes: {}}}], efficacy: {{boundary: lan_demets_obrien_fleming}}",
                               k_two_arms, 3 * state.range(0), state.range(0), 2 * state.range(0))));
}
BENCHMARK(three_looks)->Arg(100)->Arg(1000);

void promising_zone(benchmark::State& state) {
  run(state, drawn(fmt::format(
                 "kind: sample_size_reestimation, {}, patients: 300, looks: [{{outcomes: 150}}], "
                 "randomisation: {{method: permuted_block, block_size: 2}}, reestimation: {{rule: "
                 "promising_zone, from: 0.3, to: 0.9, power: 0.9, effect: observed, most_patients: "
                 "600}}, combination: inverse_normal",
                 k_two_arms)));
}
BENCHMARK(promising_zone);

void selection(benchmark::State& state, const std::string& intersection) {
  run(state,
      drawn(fmt::format("kind: treatment_selection, arms: {{placebo: 1, hcmsc: 1, hcmsc_high: 1}}, "
                        "primary: easi50_superiority, patients: 150, looks: [{{outcomes: 150}}], "
                        "selection: {{rule: best}}, stage_2: {{patients_per_arm: 50}}, "
                        "intersection: {}, combination: inverse_normal",
                        intersection),
            k_three_doses));
}
BENCHMARK_CAPTURE(selection, simes, "simes");
BENCHMARK_CAPTURE(selection, dunnett, "dunnett");

}  // namespace
