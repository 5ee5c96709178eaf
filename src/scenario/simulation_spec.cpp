#include "scenario/simulation_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "math/normal.hpp"
#include "scenario/study_spec.hpp"

namespace trialwright::scenario {
namespace {

constexpr std::int64_t k_most_trials = 1'000'000'000'000;
constexpr std::int64_t k_default_trials = 10'000;
constexpr std::int64_t k_default_trials_of_means = 1'000'000;
constexpr std::int64_t k_fewest_round_trials = 100;

bool is_mean(PrecisionMetric metric) {
  return metric == PrecisionMetric::mean_estimate || metric == PrecisionMetric::bias ||
         metric == PrecisionMetric::rmse;
}

PrecisionMetric metric_of(const PrecisionTarget& target) {
  return base::find(precision_metric_table(), target.metric)->value;
}

bool is_drawn(const patient::Truth& truth) {
  return !std::holds_alternative<patient::EffectMultiplier>(truth) &&
         !std::holds_alternative<patient::ConstantOddsRatio>(truth);
}

bool tests(const design::DesignSpec& design, int i_analysis) {
  return design.primary == i_analysis || std::find(design.secondary.begin(), design.secondary.end(),
                                                   i_analysis) != design.secondary.end();
}

// A rate is called by what it is a rate of.
void check_rate(input::Reader& precision, PrecisionMetric metric, const StudySpec& spec,
                int i_analysis) {
  if (i_analysis < 0) return;
  const auto& analysis = spec.analyses[static_cast<std::size_t>(i_analysis)];
  if (analysis.estimand < 0) return;
  const bool is_harm = !spec.higher_is_better(analysis.estimand);
  const auto wrong = is_harm ? PrecisionMetric::event_rate : PrecisionMetric::ae_rate;
  if (metric != wrong) return;
  precision.fault("metric",
                  fmt::format("analysis \"{}\" has no {} ({})", analysis.name,
                              base::name_of(precision_metric_table(), metric),
                              is_harm ? "its events are adverse" : "its events are responses"),
                  fmt::format("metric: {}", is_harm ? "ae_rate" : "event_rate"));
}

// Every point must have the metric, or there is nothing to judge it by.
void check_points(input::Reader& precision, PrecisionMetric metric, std::optional<int> hypothesis,
                  const StudySpec& spec) {
  const bool needs_truth = metric == PrecisionMetric::coverage || metric == PrecisionMetric::bias ||
                           metric == PrecisionMetric::rmse;
  for (const auto& scenario : spec.scenarios)
    if (needs_truth && is_drawn(scenario.truth))
      precision.fault("metric",
                      fmt::format("scenario \"{}\" has no {} (every trial draws its own truth)",
                                  scenario.name, base::name_of(precision_metric_table(), metric)),
                      "metric: power (there it is the assurance)");
  std::vector<int> judged;
  for (const auto& design : spec.designs) {
    const int i_analysis = hypothesis.value_or(design.primary);
    if (std::find(judged.begin(), judged.end(), i_analysis) == judged.end())
      judged.push_back(i_analysis);
    if (hypothesis && *hypothesis >= 0 && design.primary >= 0 && !tests(design, *hypothesis))
      precision.fault(
          "hypothesis",
          fmt::format("design \"{}\" does not test \"{}\" (its precision could not be judged)",
                      design.name, spec.analyses[static_cast<std::size_t>(*hypothesis)].name),
          "name it among the design's secondary analyses, or leave out \"hypothesis\": each design is then "
          "judged by its primary");
  }
  for (const int i_analysis : judged) check_rate(precision, metric, spec, i_analysis);
}

void read_bound(input::Reader& precision, PrecisionTarget& target) {
  constexpr input::Bounds k_bounds{0, 0.5, true, true, ""};
  target.mcse = precision.optional_number("mcse", k_bounds);
  target.half_width = precision.optional_number("half_width", k_bounds);
  const bool has_mcse = precision.has("mcse"), has_half_width = precision.has("half_width");
  if (has_mcse && has_half_width)
    precision.fault("half_width",
                    "\"half_width\" is given beside \"mcse\" (one of them says when to stop)");
  if (!has_mcse && !has_half_width)
    precision.fault("", "\"precision\" does not say how precise (it needs mcse or half_width)",
                    "mcse: 0.005");
}

std::optional<PrecisionTarget> read_precision(input::Reader& simulation,
                                              std::optional<std::int64_t> trials,
                                              const StudySpec& spec) {
  auto precision = simulation.optional_map("precision");
  if (!precision) return std::nullopt;
  PrecisionTarget target;
  const auto metric = precision->choice("metric", precision_metric_table(), PrecisionMetric::power);
  target.metric = base::name_of(precision_metric_table(), metric);
  if (!spec.analyses.empty()) {
    std::vector<std::string> names;
    for (const auto& analysis : spec.analyses) names.push_back(analysis.name);
    const auto hypothesis = precision->optional_reference("hypothesis", names, "analysis");
    if (hypothesis && *hypothesis >= 0)
      target.hypothesis = names[static_cast<std::size_t>(*hypothesis)];
    check_points(*precision, metric, hypothesis, spec);
  } else {
    target.hypothesis = precision->text("hypothesis", "");
  }
  read_bound(*precision, target);
  const std::int64_t most = trials.value_or(k_most_trials);
  target.round_trials = static_cast<std::uint64_t>(
      precision->integer("round_trials", std::min(k_fewest_round_trials, most), k_most_trials,
                         std::min(k_default_trials, most)));
  if (trials && target.round_trials > static_cast<std::uint64_t>(*trials))
    precision->fault("round_trials",
                     fmt::format("\"round_trials\" is {} (more than all trials, {}: no round would be "
                                 "judged)",
                                 target.round_trials, *trials));
  return target;
}

std::int64_t default_trials(const PrecisionTarget& target) {
  const auto round = static_cast<double>(target.round_trials);
  const double needed =
      trials_at_worst(target).value_or(static_cast<double>(k_default_trials_of_means));
  const double whole_rounds = std::max(1.0, std::ceil(needed / round)) * round;
  return static_cast<std::int64_t>(std::min(whole_rounds, static_cast<double>(k_most_trials)));
}

}  // namespace

std::span<const base::Named<EngineChoice>> engine_table() {
  static constexpr std::array<base::Named<EngineChoice>, 3> k_table{{
      {"auto", "counts at every point where their law is exact, patients at all others", "",
       EngineChoice::automatic},
      {"patients", "every patient of every trial, as replay makes them", "", EngineChoice::patients},
      {"counts",
       "responders alone, from the exact joint law that the patients would give; an error where there "
       "is none",
       "", EngineChoice::counts},
  }};
  return k_table;
}

std::span<const base::Named<PrecisionMetric>> precision_metric_table() {
  static constexpr std::array<base::Named<PrecisionMetric>, 7> k_table{{
      {"power", "share of trials that reject: power, type I error or assurance, as the scenario has it",
       "", PrecisionMetric::power},
      {"coverage", "share of intervals that hold the true value", "", PrecisionMetric::coverage},
      {"event_rate", "responders of each arm; all arms must be as precise", "",
       PrecisionMetric::event_rate},
      {"ae_rate", "patients with the adverse event of each arm; all arms must be as precise", "",
       PrecisionMetric::ae_rate},
      {"mean_estimate", "mean of the estimates (of a ratio: of its logarithm)", "",
       PrecisionMetric::mean_estimate},
      {"bias",
       "mean of the estimates less the true value, whose own error counts too (see truth_patients)", "",
       PrecisionMetric::bias},
      {"rmse", "root mean square error of the estimates", "", PrecisionMetric::rmse},
  }};
  return k_table;
}

std::optional<double> trials_at_worst(const PrecisionTarget& target) {
  if (is_mean(metric_of(target))) return std::nullopt;
  const double z = math::normal_quantile(0.975);
  const double half_width = target.half_width.value_or(z * target.mcse.value_or(0.5));
  const double quotient = z / (2 * half_width);
  return std::max(1.0, std::ceil(quotient * quotient - z * z));
}

SimulationSpec read_simulation(input::Reader& study, const StudySpec& spec) {
  SimulationSpec read;
  auto simulation = study.map_or_defaults("simulation");
  const auto trials = [&](std::int64_t fallback) {
    return static_cast<std::uint64_t>(simulation.integer("trials", 1, k_most_trials, fallback));
  };
  const bool has_trials = simulation.has("trials") || !simulation.has("precision");
  if (has_trials) read.trials = trials(k_default_trials);
  read.seed = static_cast<std::uint64_t>(
      simulation.integer("seed", 0, std::numeric_limits<std::int64_t>::max(), 1));
  read.engine = simulation.choice("engine", engine_table(), EngineChoice::automatic);
  read.engine_at = simulation.at("engine");
  read.truth_patients = static_cast<std::uint64_t>(simulation.integer(
      "truth_patients", 1 << 10, 1 << 30, static_cast<std::int64_t>(read.truth_patients)));
  read.precision = read_precision(
      simulation, has_trials ? std::optional(static_cast<std::int64_t>(read.trials)) : std::nullopt,
      spec);
  if (!has_trials && read.precision) read.trials = trials(default_trials(*read.precision));
  return read;
}

}  // namespace trialwright::scenario
