// Results for the tests of this folder: two scenarios, two sample sizes, two hypotheses, and a third of
// which only rates are known.
#pragma once

#include "trialwright/results.hpp"

namespace trialwright::report {

inline Metric metric(std::string name, std::string hypothesis, double estimate, double mcse,
                     double lower, double upper, std::uint64_t n_trials) {
  Metric made;
  made.metric = std::move(name);
  made.hypothesis = std::move(hypothesis);
  made.estimate = estimate;
  made.mcse = mcse;
  made.lower = lower;
  made.upper = upper;
  made.n_trials = n_trials;
  return made;
}

inline Metric in_arm(Metric made, std::string arm) {
  made.arm = std::move(arm);
  return made;
}

inline Point sample_point(const std::string& scenario, const std::string& patients, double power) {
  constexpr std::uint64_t n = 100000;
  const bool is_null = scenario == "null_truth";
  Point point;
  point.design = "fixed";
  point.scenario = scenario;
  point.sweep = {{"designs.fixed.patients", patients}};
  point.n_trials = n;
  if (is_null) point.null_hypotheses = {"easi50"};
  const double size = patients == "150" ? 150 : 300;
  point.metrics = {
      metric("power", "easi50", power, 0.0012, power - 0.0024, power + 0.0024, n),
      metric("exact_power", "easi50", power + 0.0003, 0, power + 0.0003, power + 0.0003, 0),
      metric("power", "easi90", power / 2, 0.0011, power / 2 - 0.0022, power / 2 + 0.0022, n),
      metric("expected_patients", "", size, 0, size, size, n),
      metric("mean_estimate", "easi50", is_null ? -0.00001 : 0.2523, 0.0003, 0.2517, 0.2529, n),
      metric("bias", "easi50", 0.0001, 0.0003, -0.0005, 0.0007, n),
      metric("coverage", "easi50", 0.9512, 0.0007, 0.9498, 0.9526, n - 7),
      in_arm(metric("event_rate", "easi50", 0.3235, 0.0002, 0.3231, 0.3239, n), "placebo"),
      in_arm(metric("event_rate", "easi50", 0.5758, 0.0002, 0.5754, 0.5762, n), "hcmsc"),
      in_arm(metric("ae_rate", "ae", 0.222, 0.0002, 0.2216, 0.2224, n), "placebo"),
      in_arm(metric("ae_rate", "ae", 0.278, 0.0002, 0.2776, 0.2784, n), "hcmsc"),
      metric("duration_months", "", 23.456, 0.012, 23.432, 23.48, n),
  };
  return point;
}

inline Results sample() {
  Results results;
  results.study = "phase3";
  results.study_hash = "0123456789abcdef";
  results.seed = 20261123;
  results.version = "0.1.0";
  results.points = {sample_point("null_truth", "150", 0.0251),
                    sample_point("null_truth", "300", 0.0249), sample_point("reported", "150", 0.8123),
                    sample_point("reported", "300", 0.9876)};
  results.points[3].n_failed_analyses = 7;
  results.points[3].notes = {"7 trials had an empty stratum; they count as no rejection"};
  Metric stop = metric("stop_probability", "", 0.21, 0.0013, 0.2075, 0.2125, 100000);
  stop.look = 1;
  stop.reason = "efficacy";
  results.points[3].metrics.push_back(stop);
  return results;
}

}  // namespace trialwright::report
