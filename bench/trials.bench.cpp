// Whole trials, from the first draw to the accumulated result: the rows of the speed table, and what
// they hang on (patients, visits, trials, threads, instruction set). CPU time; `measured` and `floor`
// are nanoseconds of the unit in the label, `ratio` is measured / floor.
//
// Floors, measured on kernels of nothing but the draws and the arithmetic that a trial cannot do
// without (AMD EPYC, Zen 4): a patient-visit (a Philox word, a normal by inversion, the visit
// recursion, a threshold) 1.65 ns with AVX-512, 2.5 ns with AVX2; two binomial counts by alias table
// and a look-up of the rejection region 4 ns a trial. For SSE none was measured.
//
// Where the time of rescue and dropout by the disease's state with site effects goes (300 patients,
// AVX-512, sampled; 3.9 times the floor): Philox words 18%, the ratio's table 12%, odds and hazards of
// rescue and dropout (a logarithm or an exponential each a visit) 16%, normals 10%, sites and the
// calendar that fills them 11%, baseline and strata 10%; the rest are passes of a few per cent each. No
// instruction dominates: 512-bit multiplies, which this machine issues in two halves, and loads and
// stores of columns between the passes. What would lower it: one pass a visit from word to ratio, its
// normal kept in registers; sites of several trials drawn at once, which are most of a trial of 30
// patients.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <hwy/highway.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "engine/point_engine.hpp"
#include "engine/simulate.hpp"
#include "scenario/study.hpp"

namespace {

using namespace trialwright;

constexpr double k_floor_of_counts = 4;
constexpr std::uint64_t k_many = std::uint64_t{1} << 22;  // trials by counts: some 30 ms

double floor_of_patient_visit() {
  const auto targets = hwy::SupportedTargets();
  if ((targets & HWY_AVX3) != 0) return 1.65;
  return (targets & HWY_AVX2) != 0 ? 2.5 : 0;
}

struct Unit {
  const char* name;
  double floor_ns;  // 0: not known
};

// A point ready to be simulated.
struct Point {
  std::shared_ptr<const trial::TrialPlan> plan;
  std::shared_ptr<const trial::CountPlan> counts;
};

// `more` is what the study says beside its patients, arms of n_placebo + n_hcmsc, and engine.
Point point_of(const std::string& library, int n_placebo, int n_hcmsc, const std::string& engine,
               const std::string& more) {
  const int whole = std::gcd(n_placebo, n_hcmsc);
  auto study = scenario::Study::parse(
      fmt::format("schema: 1\nextends: library/{}\n"
                  "designs: {{fixed: {{kind: fixed, arms: {{placebo: {}, hcmsc: {}}}, patients: {}, "
                  "primary: easi50_superiority}}}}\n"
                  "scenarios: {{reported: {{effect: 1}}}}\n"
                  "simulation: {{trials: 1, seed: 1, engine: {}}}\n{}",
                  library, n_placebo / whole, n_hcmsc / whole, n_placebo + n_hcmsc, engine, more),
      "bench", TRIALWRIGHT_SOURCE_DIR "/configs", {});
  auto plan = study.plan({"fixed", "reported", {}});
  auto counts = engine::engine_of(study, *plan).counts;
  return {std::move(plan), std::move(counts)};
}

Point fixed_design(int n_placebo, int n_hcmsc, const std::string& engine) {
  return point_of("hcmsc.yaml", n_placebo, n_hcmsc, engine, "");
}

// The longitudinal trial of the patient path: EASI50 at week 12, the last of n_visits visits.
enum class Course {
  constant_hazard,  // nothing but dropout, at a constant hazard
  state_driven      // rescue and dropout by the disease's state, and effects of the sites
};

Point longitudinal(Course course, int n_patients, int n_visits) {
  std::string visits;
  for (int i = 1; i <= n_visits; ++i)
    visits += fmt::format("{}{}", i == 1 ? "" : ", ", 12.0 * i / n_visits);
  const int n_arm = n_patients / 2;
  if (course == Course::constant_hazard)
    return point_of("hcmsc.yaml", n_arm, n_arm, "patients",
                    fmt::format("measures: {{easi: {{visits_weeks: [{}]}}}}\n"
                                "intercurrent_events: {{dropout: {{rate_per_week: 0.0058}}}}\n",
                                visits));
  return point_of(
      "hcmsc_rescue.yaml", n_arm, n_arm, "patients",
      fmt::format("measures: {{easi: {{visits_weeks: [{}], "
                  "site_effects: {{intercept_sd: 0.35, effect_sd: 0.25, high_placebo_probability: 0.1, "
                  "high_placebo_odds_ratio: 2}}}}}}\n",
                  visits));
}

// The first trials of a point also enrol over the calendar where it is only told; what a long run
// spends is measured beyond them.
constexpr std::uint64_t k_beyond_calendar = trial::k_calendar_trials;

engine::Work work_of(const Point& point, std::uint64_t n_trials, std::uint64_t first_trial) {
  engine::Work work;
  work.plan = point.plan.get();
  work.true_values.assign(point.plan->analyses.size(), 0.25);
  work.n_trials = n_trials;
  work.first_trial = first_trial;
  work.counts = point.counts;
  return work;
}

// Trials of about 30 ms.
std::uint64_t trials_of(int n_patients) {
  return std::clamp<std::uint64_t>(1'000'000 / static_cast<std::uint64_t>(n_patients), 32,
                                   k_beyond_calendar);
}

// Simulates the trials, which hold `n_units` of the unit, on one thread.
void simulate(benchmark::State& state, const Point& point, std::uint64_t n_trials,
              std::uint64_t first_trial, const Unit& unit, double n_units) {
  const auto work = work_of(point, n_trials, first_trial);
  const auto start = std::clock();
  for (auto _ : state) benchmark::DoNotOptimize(engine::simulate({&work, 1}, 1, nullptr));
  const double ns = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC * 1e9 /
                    (static_cast<double>(state.iterations()) * n_units);
  state.counters["measured"] = ns;
  if (unit.floor_ns > 0) {
    state.counters["floor"] = unit.floor_ns;
    state.counters["ratio"] = ns / unit.floor_ns;
  }
  state.SetLabel(std::string("ns a ") + unit.name);
}

// ---- Fixed two-arm binary designs, by counts and by patients.

Point fixed_design(const benchmark::State& state, const std::string& engine) {
  return fixed_design(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), engine);
}

void counts_of_fixed(benchmark::State& state, const Point& point, std::uint64_t n_trials,
                     std::uint64_t first_trial) {
  simulate(state, point, n_trials, first_trial, {"trial", k_floor_of_counts},
           static_cast<double>(n_trials));
}

void fixed_counts(benchmark::State& state) {
  counts_of_fixed(state, fixed_design(state, "counts"), k_many, k_beyond_calendar);
}
BENCHMARK(fixed_counts)->Args({34, 33})->Args({150, 150})->MeasureProcessCPUTime();

void fixed_patients(benchmark::State& state) {
  const auto n_patients = static_cast<int>(state.range(0) + state.range(1));
  const auto n_trials = trials_of(n_patients);
  simulate(state, fixed_design(state, "patients"), n_trials, k_beyond_calendar,
           {"trial", n_patients * floor_of_patient_visit()}, static_cast<double>(n_trials));
}
BENCHMARK(fixed_patients)->Args({34, 33})->Args({150, 150})->MeasureProcessCPUTime();

// Whole points from their first trial, their tables made already.
void counts_by_trials(benchmark::State& state) {
  counts_of_fixed(state, fixed_design(150, 150, "counts"), static_cast<std::uint64_t>(state.range(0)),
                  0);
}
BENCHMARK(counts_by_trials)
    ->RangeMultiplier(10)
    ->Range(1'000, 1'000'000'000)
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

// ---- The patient path, 300 patients and 6 visits unless said otherwise.

void patient_path(benchmark::State& state, Course course, int n_patients, int n_visits,
                  std::uint64_t first_trial) {
  const auto n_trials = trials_of(n_patients);
  simulate(state, longitudinal(course, n_patients, n_visits), n_trials, first_trial,
           {"patient-visit", floor_of_patient_visit()},
           static_cast<double>(n_trials) * n_patients * n_visits);
}

void by_patients(benchmark::State& state, Course course) {
  patient_path(state, course, static_cast<int>(state.range(0)), 6, k_beyond_calendar);
}
BENCHMARK_CAPTURE(by_patients, constant_hazard, Course::constant_hazard)
    ->ArgsProduct({{30, 100, 300, 1000, 3000, 10'000, 30'000}})
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(by_patients, state_driven, Course::state_driven)
    ->ArgsProduct({{30, 100, 300, 1000, 3000, 10'000, 30'000}})
    ->MeasureProcessCPUTime();

// The first trials of a point, which enrol over the calendar.
void with_calendar(benchmark::State& state, Course course) {
  patient_path(state, course, 300, 6, 0);
}
BENCHMARK_CAPTURE(with_calendar, constant_hazard, Course::constant_hazard)->MeasureProcessCPUTime();

void by_visits(benchmark::State& state, Course course) {
  patient_path(state, course, 300, static_cast<int>(state.range(0)), k_beyond_calendar);
}
BENCHMARK_CAPTURE(by_visits, constant_hazard, Course::constant_hazard)
    ->ArgsProduct({{1, 2, 4, 6, 12, 20}})
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(by_visits, state_driven, Course::state_driven)
    ->ArgsProduct({{1, 2, 4, 6, 12, 20}})
    ->MeasureProcessCPUTime();

// ---- By instruction set.

// Kernels run for `target` and what it builds upon alone, while this lives.
class Forced {
 public:
  explicit Forced(std::int64_t target) {
    hwy::SetSupportedTargetsForTest(hwy::SupportedTargets() & ~(target - 1));
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  ~Forced() {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().DeInit();
  }
  Forced(const Forced&) = delete;
  Forced& operator=(const Forced&) = delete;
};

void by_instruction_set(benchmark::State& state, Course course, std::int64_t target) {
  if ((hwy::SupportedTargets() & target) == 0) {
    state.SkipWithError("not on this processor");
    return;
  }
  const Forced forced(target);
  patient_path(state, course, 300, 6, k_beyond_calendar);
}

void counts_by_instruction_set(benchmark::State& state, std::int64_t target) {
  if ((hwy::SupportedTargets() & target) == 0) {
    state.SkipWithError("not on this processor");
    return;
  }
  const Forced forced(target);
  counts_of_fixed(state, fixed_design(150, 150, "counts"), k_many, k_beyond_calendar);
}

struct InstructionSet {
  const char* name;
  std::int64_t target;
};
constexpr InstructionSet k_instruction_sets[] = {
    {"none", HWY_EMU128}, {"sse4", HWY_SSE4}, {"avx2", HWY_AVX2}, {"avx512", HWY_AVX3}};

const bool k_instruction_sets_registered = [] {
  for (const auto& [name, target] : k_instruction_sets) {
    const auto set = target;
    benchmark::RegisterBenchmark(
        fmt::format("by_instruction_set/constant_hazard/{}", name).c_str(),
        [set](benchmark::State& state) { by_instruction_set(state, Course::constant_hazard, set); })
        ->MeasureProcessCPUTime();
    benchmark::RegisterBenchmark(
        fmt::format("by_instruction_set/state_driven/{}", name).c_str(),
        [set](benchmark::State& state) { by_instruction_set(state, Course::state_driven, set); })
        ->MeasureProcessCPUTime();
    benchmark::RegisterBenchmark(
        fmt::format("by_instruction_set/counts/{}", name).c_str(),
        [set](benchmark::State& state) { counts_by_instruction_set(state, set); })
        ->MeasureProcessCPUTime();
  }
  return true;
}();

// ---- By threads; wall time, and how many times faster than one thread.

void threads(benchmark::State& state, std::span<const engine::Work> work, double n_patients) {
  static double seconds_of_one = 0;
  const auto n_threads = static_cast<int>(state.range(0));
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) benchmark::DoNotOptimize(engine::simulate(work, n_threads, nullptr));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
      static_cast<double>(state.iterations());
  if (n_threads == 1) seconds_of_one = seconds;
  if (seconds_of_one > 0) state.counters["times_one_thread"] = seconds_of_one / seconds;
  state.counters["patients/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * n_patients, benchmark::Counter::kIsRate);
}

void one_point_by_threads(benchmark::State& state) {
  const auto point = longitudinal(Course::state_driven, 300, 6);
  const auto work = work_of(point, 50'000, k_beyond_calendar);
  threads(state, {&work, 1}, 300.0 * 50'000);
}

void sweep_of_300_points_by_threads(benchmark::State& state) {
  std::vector<engine::Work> work;
  double n_patients = 0;
  std::vector<Point> points;
  for (const int n : {60, 120, 300}) points.push_back(longitudinal(Course::state_driven, n, 6));
  for (std::uint64_t i = 0; i < 300; ++i) {
    work.push_back(work_of(points[i % points.size()], 200, k_beyond_calendar + 200 * i));
    n_patients += 200.0 * points[i % points.size()].plan->n_patients;
  }
  threads(state, work, n_patients);
}

void up_to_all_threads(benchmark::internal::Benchmark* one) {
  const int n = engine::available_threads();
  for (int i = 1; i < n; i *= 2) one->Arg(i);
  one->Arg(n)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(one_point_by_threads)->Apply(up_to_all_threads);
BENCHMARK(sweep_of_300_points_by_threads)->Apply(up_to_all_threads);

// ---- From the study's text to a plan ready to run.

void start_up(benchmark::State& state, const std::string& engine) {
  for (auto _ : state) benchmark::DoNotOptimize(fixed_design(150, 150, engine));
}
BENCHMARK_CAPTURE(start_up, counts, std::string("counts"))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(start_up, patients, std::string("patients"))->Unit(benchmark::kMillisecond);

}  // namespace
