// What a run answers with: for every design x scenario x sweep point its metrics,
// each with Monte Carlo error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trialwright {

// One number of a point. `lower` and `upper` are its 95% interval: Wilson's for a proportion, the
// normal one for a mean; both equal the estimate where it is exact. A value that does not exist is NaN.
struct Metric {
  std::string metric;       // "power", "expected_patients", "event_rate" ...
  std::string hypothesis;   // what it speaks of; empty where it is about the whole trial
  std::optional<int> look;  // from 1
  std::string reason;       // why a trial stopped; empty where it does not apply
  std::string arm;          // empty where it does not apply
  double estimate = 0;
  double mcse = 0;  // Monte Carlo standard error; 0 where exact
  double lower = 0;
  double upper = 0;
  std::uint64_t n_trials = 0;  // trials it rests on; 0 where it is calculated and not simulated
  std::string scale{};  // "log" where it is the logarithm of a ratio (or an error of one); else empty
};

// The value that a swept scalar takes at a point, as text of the study file.
struct AxisValue {
  std::string path;
  std::string value;
};

struct Point {
  std::string design;
  std::string scenario;
  std::vector<AxisValue> sweep;
  std::uint64_t n_trials = 0;
  std::string engine;  // "patients", or "counts" drawn from their exact joint law; empty where unknown
  std::uint64_t n_failed_analyses = 0;
  std::vector<std::string> null_hypotheses;  // true here: of them `power` is the type I error
  std::vector<Metric> metrics;
  std::vector<std::string> notes;
};

struct Results {
  std::string format = "trialwright-results/1";
  std::string study;
  std::string study_hash;  // 16 hexadecimal digits
  std::uint64_t seed = 0;
  std::string version;       // of the program that simulated
  bool interrupted = false;  // not every trial asked for was simulated
  bool partial = false;      // merged while shards were missing
  std::vector<Point> points;
};

}  // namespace trialwright
