// Sample size: the smallest number of patients whose power, or assurance, reaches a target.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/block_pool.hpp"
#include "exact/sample_size.hpp"
#include "scenario/study.hpp"
#include "stats/interval.hpp"

namespace trialwright::search {

enum class SizeMethod {
  exact_where_possible,  // by enumeration where power has an exact value, else by simulation
  simulated,             // by simulation always
};

struct SizeQuestion {
  scenario::PointSpec point;  // without a setting of the design's number of patients
  std::string hypothesis;     // an analysis of the study; empty: the design's primary one
  double target = 0.9;        // of power, in (0, 1)
  int minimum = 2;      // no size below is answered; the least the design allows where that is more
  int maximum = 20000;  // no size above is tried; the sites' capacity where that is less
  std::uint64_t max_trials = 100000;  // simulated at any one size
  SizeMethod method = SizeMethod::exact_where_possible;
};

// The power at one size; mcse 0 and an empty interval where it is exact, else Wilson's 95% interval.
struct PowerAtSize {
  int patients = 0;
  std::vector<int> arm_patients;  // planned, by arm of the design
  double power = 0;
  double mcse = 0;
  stats::Interval interval{0, 0};
  std::uint64_t n_trials = 0;  // 0: exact
};

enum class SizeOutcome {
  found,
  minimum_suffices,  // the least size allowed reaches the target already
  not_reached,       // the largest size allowed does not reach it
};

struct SizeAnswer {
  std::string hypothesis;
  bool is_exact = false;
  bool is_assurance = false;  // every trial draws its truth
  std::string why_simulated;  // empty where exact
  // Two-sided, and treatment is worse: most rejections are for harm.
  bool shows_harm = false;
  SizeOutcome outcome = SizeOutcome::found;
  std::vector<std::string> arms;  // of the design
  // The smallest size found; at minimum_suffices and not_reached the size at that end.
  PowerAtSize smallest;
  // Sizes about it, in order: enumerated, or simulated with the same trial numbers.
  std::vector<PowerAtSize> neighbours;

  // Exact alone. The smallest size from which power stays at or above the target, where one was found,
  // and the normal approximation's size with its exact power (patients 0: there is none); sizes were
  // scanned to scanned_to.
  PowerAtSize sustained;
  PowerAtSize approximate;
  int scanned_to = 0;

  // Simulated alone: the 95% interval of the size, in whole allocation units, and the real-valued size
  // at which the fitted power curve meets the target, with its standard error.
  int lower = 0;
  int upper = 0;
  double root = 0;
  double root_standard_error = 0;
  PowerAtSize highest;  // of all sizes simulated, where the target is not reached
};

// The plan of the question's hypothesis as the design's only analysis, with the design's own number of
// patients. Throws bad_input for a hypothesis that does not exist.
std::shared_ptr<const trial::TrialPlan> plan_of(scenario::Study& study, const SizeQuestion& question);

// The answer to one question; depends on the study (its seed included) and the question alone, never on
// the threads. Sizes are whole allocation units: multiples of the sum of the reduced allocation ratio.
//
// Exact, where the plan's power is: exact::smallest_sample_size under random allocation. Where arm
// sizes are drawn, every size from 2 points of power below the target to 2 points above it (from the
// smallest on, where the answer is at most 200 patients), unless that would take minutes.
//
// Simulated: retrospective approximation (Pasupathy & Schmeiser 2009, "Root finding via DARTS", ACM
// TOMACS 19(4)) on common random numbers: every size is simulated with trials 0, 1, 2 …, whose patients
// are the same ones at every size. A pilot brackets the size by secant steps on the probit scale. Then
// rounds of three sizes about the estimate, each with more trials than the last, are fitted by weighted
// least squares of probit(power) on sqrt(patients), under which the normal approximation is a straight
// line; the covariance of the sizes' powers, counted from the trials that they share, gives the
// standard error of the fitted curve's crossing by the delta method. The straight line
// smooths a saw-tooth, where there is one, which may be worth a unit or two. Rounds end when the 95%
// interval's half-width is at most 2 patients an arm or 1%, or the trials are spent; at last the size
// and its neighbours are simulated with twice the trials and everything at these trials is fitted
// again. Throws bad_input for a hypothesis or bounds that do not exist, Error (interrupted) after a
// stop.
SizeAnswer find_size(scenario::Study& study, const SizeQuestion& question, int n_threads,
                     engine::Monitor* monitor);

}  // namespace trialwright::search
