// The observed rates of a study's calibration targets as a function of its fitted parameters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calibrate/small_matrix.hpp"
#include "engine/block_pool.hpp"
#include "scenario/study.hpp"

namespace trialwright::calibrate {

// The range of a parameter, and the scale on which it is unbounded.
enum class ParameterScale {
  identity,  // any number
  log,       // above 0
  log_odds,  // between 0 and 1
};

double to_scale(ParameterScale scale, double value);
double from_scale(ParameterScale scale, double value);
// d from_scale / d value.
double slope_of(ParameterScale scale, double value);

struct Parameter {
  std::string path;
  double present = 0;  // as the study has it
  ParameterScale scale = ParameterScale::identity;
};

// The fitted parameters of a study, each with the scale that its valid range asks for, found by trying
// values beyond 0 and 1. Throws bad_input where a present value is no number or lies on its range's
// edge.
std::vector<Parameter> parameters_of(scenario::Study& study);

// A rate that was reached: exact (variance 0) or simulated.
struct AchievedRate {
  double rate = 0;
  double variance = 0;
  bool is_exact = false;
};

// Which random numbers: those that the fit may use again and again, or fresh ones to check it with.
enum class RandomNumbers { of_fit, of_check };

class RateModel {
 public:
  // Throws bad_input where the study has no calibration.
  RateModel(scenario::Study& study, int n_threads, engine::Monitor* monitor);

  // The rate of every target at these values of the parameters (on their own scale; none: the study's),
  // from about patients_per_arm patients where it is not exact. The same random numbers give a function
  // of the values that is as smooth as counts can be. Throws bad_input where the values make the study
  // faulty.
  std::vector<AchievedRate> at(const std::vector<Parameter>& parameters, const Vector& values,
                               std::uint64_t patients_per_arm, RandomNumbers numbers);

  // Are all rates exact, whatever the values?
  bool is_exact() const { return is_exact_; }

 private:
  scenario::Study& study_;
  int n_threads_;
  engine::Monitor* monitor_;
  std::vector<int> estimands_;           // of the targets, each once
  std::vector<std::size_t> i_estimand_;  // [i_target] into estimands_
  int patients_an_arm_a_trial_ = 1000;
  bool is_exact_ = true;
};

}  // namespace trialwright::calibrate
