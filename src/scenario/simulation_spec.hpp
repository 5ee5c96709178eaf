// The section `simulation`: how many trials, until when, drawn how, by which seed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/named_table.hpp"
#include "input/reader.hpp"

namespace trialwright::scenario {

struct StudySpec;

// What a run draws: every patient, or the counts alone that its analyses read.
enum class EngineChoice { automatic, patients, counts };
std::span<const base::Named<EngineChoice>> engine_table();

// What a precision target may be of: every metric with a Monte Carlo error that more trials make
// smaller.
enum class PrecisionMetric { power, coverage, event_rate, ae_rate, mean_estimate, bias, rmse };
std::span<const base::Named<PrecisionMetric>> precision_metric_table();

// When a point's simulation may stop before all trials: its metric's MCSE, or half the width of its 95%
// interval, is at most this. Judged after rounds of a fixed number of trials. What stops by its own
// estimate is biased a little, in the order of 1/n: the MCSE of a proportion is smaller where the
// estimate is farther from 1/2, so that runs stop sooner there.
struct PrecisionTarget {
  std::string metric = "power";  // of precision_metric_table(); power is assurance, too
  std::string hypothesis;        // empty: each design's primary
  std::optional<double> mcse;
  std::optional<double> half_width;  // one of the two
  std::uint64_t round_trials = 10000;

  friend bool operator==(const PrecisionTarget&, const PrecisionTarget&) = default;
};

// Trials after which a proportion has the precision asked for whatever it is: those that it needs at
// 1/2, by the width of Wilson's interval there, z / sqrt(n + z^2) for half of it. Of a rate (events
// over patients) the same number, which is more than enough as long as a trial has one patient an arm.
// Nothing of a mean, whose spread no study tells.
std::optional<double> trials_at_worst(const PrecisionTarget& target);

struct SimulationSpec {
  std::uint64_t trials = 10000;  // a point; with a precision target, at most
  std::uint64_t seed = 1;
  EngineChoice engine = EngineChoice::automatic;
  input::Position engine_at;  // where the study says so
  // Patients simulated for each true value that has no closed form; never a function of `trials`, so
  // that more trials are more of the same.
  std::uint64_t truth_patients = 1 << 19;
  std::optional<PrecisionTarget> precision;
};

// Reads `simulation: {trials, seed, engine, truth_patients, precision: {metric, hypothesis, mcse |
// half_width, round_trials}}`. Without `trials`, a precision target has as many as a proportion needs
// at worst (of a mean, a million). `spec` holds the sections before it, or none where the patients are
// faulty.
SimulationSpec read_simulation(input::Reader& study, const StudySpec& spec);

}  // namespace trialwright::scenario
