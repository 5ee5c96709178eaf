// Virtual patients a second: enrolment and follow-up of a trial's cohort, from the least that a plan
// can need to everything; and the compiling of a model.
#include <benchmark/benchmark.h>
#include <hwy/highway.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "input/document.hpp"
#include "input/reader.hpp"
#include "patient/course_truth.hpp"
#include "patient/patient_model.hpp"
#include "patient/patient_spec.hpp"
#include "rng/batch.hpp"

namespace {

using namespace trialwright;

// A file of configs/library with YAML text merged over it.
std::shared_ptr<const patient::PatientSpec> read(const std::string& file,
                                                 const std::string& change = "") {
  input::Diagnostics faults;
  const auto folder = std::filesystem::path(TRIALWRIGHT_SOURCE_DIR) / "configs" / "library";
  const auto document =
      input::parse_document("extends: " + file + "\n" + change, "benchmark", folder / "", faults);
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
    ->Arg(30)
    ->Arg(300)
    ->Arg(3000)
    ->Arg(30000);
BENCHMARK_CAPTURE(simulate, week_12_calendar, "hcmsc.yaml", k_calibrated,
                  Extent::one_visit_and_calendar)
    ->Arg(300);
BENCHMARK_CAPTURE(simulate, week_12_odds_ratio, "hcmsc.yaml", k_odds_ratio, Extent::one_visit)
    ->Arg(300);
BENCHMARK_CAPTURE(simulate, week_12_rescue, "hcmsc_rescue.yaml", k_calibrated, Extent::one_visit)
    ->Arg(30)
    ->Arg(300)
    ->Arg(3000)
    ->Arg(30000);
BENCHMARK_CAPTURE(simulate, everything, "hcmsc_rescue.yaml", k_calibrated, Extent::everything)
    ->Arg(72)
    ->Arg(300)
    ->Arg(1000);

// ---- Following a cohort alone, by instruction set ----

constexpr int k_visits = 6;
constexpr int k_patients = 300;

// The instruction sets of this machine that Highway makes code for, the best first.
std::vector<std::int64_t> targets() {
  hwy::SetSupportedTargetsForTest(0);
  std::vector<std::int64_t> result;
  for (const std::int64_t target : {HWY_AVX3, HWY_AVX2, HWY_SSE4})
    if (hwy::SupportedTargets() & target) result.push_back(target);
  return result;
}

void use_target(benchmark::State& state) {
  const auto all = targets();
  const auto i = static_cast<std::size_t>(state.range(0));
  if (i >= all.size()) return state.SkipWithError("this machine has fewer instruction sets");
  hwy::SetSupportedTargetsForTest(all[i]);
  state.SetLabel(hwy::TargetName(all[i]));
}

// Nanoseconds a patient-visit of six visits, however many of them had to be made.
void report(benchmark::State& state) {
  const double visits = static_cast<double>(state.iterations()) * k_patients * k_visits;
  state.counters["ns/patient-visit"] =
      benchmark::Counter(visits * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  hwy::SetSupportedTargetsForTest(0);
}

// What no longitudinal simulation can do without: a word and a normal a visit.
void draws_alone(benchmark::State& state) {
  use_target(state);
  const auto key = rng::key_from_seed(1);
  base::Columns<std::uint32_t> words(k_patients, 4);
  base::Columns<float> normals(k_patients, k_visits);
  std::uint64_t trial = 0;
  for (auto _ : state) {
    for (std::uint32_t block = 0; 4 * block < k_visits; ++block) {
      rng::WordColumns columns{};
      for (std::size_t word = 0; word < 4 && 4 * block + word < k_visits; ++word)
        columns[word] = words[word].data();
      rng::fill_words({key, rng::Purpose::course, trial, 0}, block, k_patients, columns);
      for (std::size_t word = 0; word < 4 && 4 * block + word < k_visits; ++word)
        rng::normals_of_words(words[word], normals[4 * block + word]);
    }
    ++trial;
    benchmark::DoNotOptimize(normals.data());
  }
  report(state);
}
BENCHMARK(draws_alone)->DenseRange(0, 2);

enum class Read { six_visits, week_12 };

void follow(benchmark::State& state, const char* file, const char* change, Read read_visits) {
  use_target(state);
  input::Diagnostics faults;
  const auto spec = read(file, change);
  const patient::PatientModel model(spec, k_calibrated, faults, {});
  patient::Needs needs = needs_of(model, Extent::one_visit);
  for (std::size_t visit = 0; visit < k_visits && read_visits == Read::six_visits; ++visit)
    needs.measure_visits[0][visit] = true;
  const auto key = rng::key_from_seed(1);
  patient::Cohort cohort;
  model.prepare(k_patients, cohort);
  needs.sites = true;
  model.enrol(key, 0, needs, cohort);
  for (int i = 0; i < k_patients; ++i) cohort.arm[static_cast<std::size_t>(i)] = i % 2;
  std::uint64_t trial = 0;
  for (auto _ : state) {
    model.follow(key, trial++, needs, cohort);
    benchmark::DoNotOptimize(cohort.values.data());
  }
  report(state);
}
constexpr const char* k_constant_dropout = "intercurrent_events: {dropout: {rate_per_week: 0.0058}}\n";
constexpr const char* k_site_effects =
    "measures: {easi: {site_effects: {intercept_sd: 0.35, effect_sd: 0.25}}}\n";
BENCHMARK_CAPTURE(follow, six_visits, "hcmsc.yaml", "", Read::six_visits)->DenseRange(0, 2);
BENCHMARK_CAPTURE(follow, constant_dropout, "hcmsc.yaml", k_constant_dropout, Read::week_12)
    ->DenseRange(0, 2);
BENCHMARK_CAPTURE(follow, rescue_and_dropout, "hcmsc_rescue.yaml", "", Read::week_12)->DenseRange(0, 2);
BENCHMARK_CAPTURE(follow, with_sites, "hcmsc_rescue.yaml", k_site_effects, Read::week_12)
    ->DenseRange(0, 2);

void compile_model(benchmark::State& state) {
  const auto spec = read("hcmsc.yaml");
  input::Diagnostics faults;
  for (auto _ : state) {
    const patient::CourseTruth truth(spec->course, spec->arms, patient::EffectMultiplier{0.7},
                                     patient::CourseTruth::Variants::full_only, faults, {});
    benchmark::DoNotOptimize(truth.control_moments());  // the first look makes the tables
  }
}
BENCHMARK(compile_model)->Unit(benchmark::kMillisecond);

void read_spec(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(read("hcmsc.yaml"));
}
BENCHMARK(read_spec)->Unit(benchmark::kMillisecond);

}  // namespace
