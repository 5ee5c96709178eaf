// Virtual patients a second: enrolment and follow-up of a trial's cohort, from the least that a plan
// can need to everything; and the compiling of a model.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <stdexcept>

#include "input/document.hpp"
#include "input/reader.hpp"
#include "patient/patient_model.hpp"

namespace {

using namespace trialwright;

std::shared_ptr<const patient::PatientSpec> read(const char* file) {
  input::Diagnostics faults;
  const auto path = std::filesystem::path(TRIALWRIGHT_SOURCE_DIR) / "configs" / "library" / file;
  const auto document = input::read_document(path, faults);
  input::Node resolved;
  input::Reader reader(document.root, "", faults, resolved);
  for (const char* other : {"schema", "endpoints", "estimands", "analyses", "calibration"})
    reader.raw(other);
  auto spec = patient::read_patient(reader);
  if (!faults.empty()) throw std::runtime_error(faults.faults().front().problem);
  return spec;
}

patient::PatientModel compile(const char* file, const patient::Truth& truth) {
  input::Diagnostics faults;
  return {read(file), truth, faults, {}};
}

enum class Extent { one_visit, one_visit_and_calendar, everything };

patient::Needs needs_of(const patient::PatientModel& model, Extent extent) {
  const bool all = extent == Extent::everything;
  patient::Needs needs;
  needs.measure_visits.assign(model.measures().size(),
                              std::vector<bool>(model.visit_weeks().size(), all));
  needs.measure_visits[0][4] = true;  // week 12
  needs.adverse_events = all;
  needs.calendar = needs.sites = extent != Extent::one_visit;
  if (!all) needs.covariates.assign(model.covariates().size(), false);
  return needs;
}

// Items are patients.
void simulate(benchmark::State& state, const char* file, const patient::Truth& truth, Extent extent) {
  const auto model = compile(file, truth);
  const auto needs = needs_of(model, extent);
  const auto n = static_cast<int>(state.range(0));
  const auto key = rng::key_from_seed(1);
  patient::Cohort cohort;
  model.prepare(n, cohort);
  std::uint64_t trial = 0;
  for (auto _ : state) {
    model.enrol(key, trial, needs, cohort);
    for (int i = 0; i < n; ++i) cohort.arm[static_cast<std::size_t>(i)] = i % 2;
    model.follow(key, trial++, needs, cohort);
    benchmark::DoNotOptimize(cohort.values.data());
  }
  state.SetItemsProcessed(state.iterations() * n);
}

constexpr patient::EffectMultiplier k_calibrated{1};
constexpr patient::ConstantOddsRatio k_odds_ratio{1.925};

BENCHMARK_CAPTURE(simulate, week_12, "hcmsc.yaml", k_calibrated, Extent::one_visit)
    ->Arg(72)
    ->Arg(300)
    ->Arg(1000);
BENCHMARK_CAPTURE(simulate, week_12_calendar, "hcmsc.yaml", k_calibrated,
                  Extent::one_visit_and_calendar)
    ->Arg(300);
BENCHMARK_CAPTURE(simulate, week_12_odds_ratio, "hcmsc.yaml", k_odds_ratio, Extent::one_visit)
    ->Arg(300);
BENCHMARK_CAPTURE(simulate, week_12_rescue, "hcmsc_rescue.yaml", k_calibrated, Extent::one_visit)
    ->Arg(300);
BENCHMARK_CAPTURE(simulate, everything, "hcmsc_rescue.yaml", k_calibrated, Extent::everything)
    ->Arg(72)
    ->Arg(300)
    ->Arg(1000);

void compile_model(benchmark::State& state) {
  const auto spec = read("hcmsc.yaml");
  input::Diagnostics faults;
  for (auto _ : state)
    benchmark::DoNotOptimize(patient::PatientModel(spec, patient::EffectMultiplier{0.7}, faults, {}));
}
BENCHMARK(compile_model)->Unit(benchmark::kMillisecond);

void read_spec(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(read("hcmsc.yaml"));
}
BENCHMARK(read_spec)->Unit(benchmark::kMillisecond);

}  // namespace
