#include "calibrate/rate_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/simulate.hpp"
#include "math/elementary.hpp"
#include "stats/ratio.hpp"
#include "trialwright/error.hpp"

namespace trialwright::calibrate {
namespace {

// Trial numbers that no study's trials reach, nor the true values' (from 2^47).
constexpr std::uint64_t k_first_fit_trial = std::uint64_t{1} << 46;
constexpr std::uint64_t k_first_check_trial = k_first_fit_trial + (std::uint64_t{1} << 45);

constexpr int k_patients_an_arm_a_trial = 1000;
constexpr int k_probe_patients = 10;

input::Node number_node(double value) {
  return input::Node::scalar(fmt::format("{}", value));
}

bool is_valid(scenario::Study& study, const std::string& path, double value) {
  try {
    study.estimand_plan({}, k_probe_patients, {{path, number_node(value)}});
    return true;
  } catch (const Error&) {
    return false;
  }
}

double present_value(const scenario::Study& study, const std::string& path) {
  const input::Node* node = input::find_path(study.root(), path);
  double value = 0;
  const std::string text = node ? node->text : std::string();
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    throw bad_input(
        fmt::format("error: the fitted parameter \"{}\" is \"{}\" (not a number)", path, text));
  return value;
}

ParameterScale scale_of(scenario::Study& study, const std::string& path, double present) {
  const double beyond = present == 0 ? -1e-6 : -std::abs(present);
  const bool may_be_negative = present < 0 || is_valid(study, path, beyond);
  const bool may_exceed_one = present >= 1 || is_valid(study, path, 1.5);
  if (may_be_negative) return ParameterScale::identity;
  if (present == 0 || (!may_exceed_one && present >= 1))
    throw bad_input(
        fmt::format("error: the fitted parameter \"{}\" starts at {} (the edge of its range, from "
                    "where no step is possible)",
                    path, present));
  return may_exceed_one ? ParameterScale::log : ParameterScale::log_odds;
}

double variance_of(const engine::ArmAccumulator& arm, std::uint64_t n_trials) {
  const auto sums = engine::ratio_sums(arm);
  const auto n = static_cast<double>(n_trials);
  const double rate = stats::ratio(sums);
  if (n_trials < 2) return rate * (1 - rate) / sums.y;
  const double error = stats::mcse_of_ratio(sums);
  return error * error * n / (n - 1);
}

}  // namespace

double to_scale(ParameterScale scale, double value) {
  switch (scale) {
    case ParameterScale::identity:
      return value;
    case ParameterScale::log:
      return math::log(value);
    case ParameterScale::log_odds:
      return math::log(value / (1 - value));
  }
  return value;
}

double from_scale(ParameterScale scale, double value) {
  switch (scale) {
    case ParameterScale::identity:
      return value;
    case ParameterScale::log:
      return math::exp(value);
    case ParameterScale::log_odds:
      return 1 / (1 + math::exp(-value));
  }
  return value;
}

double slope_of(ParameterScale scale, double value) {
  const double own = from_scale(scale, value);
  switch (scale) {
    case ParameterScale::identity:
      return 1;
    case ParameterScale::log:
      return own;
    case ParameterScale::log_odds:
      return own * (1 - own);
  }
  return 1;
}

std::vector<Parameter> parameters_of(scenario::Study& study) {
  std::vector<Parameter> parameters;
  for (const auto& path : study.spec().calibration->fitted) {
    const double present = present_value(study, path);
    parameters.push_back({path, present, scale_of(study, path, present)});
  }
  return parameters;
}

RateModel::RateModel(scenario::Study& study, int n_threads, engine::Monitor* monitor)
    : study_(study), n_threads_(n_threads), monitor_(monitor) {
  if (!study.spec().calibration || study.spec().calibration->targets.empty())
    throw bad_input("error: the study has no calibration targets (section \"calibration\")");
  for (const auto& target : study.spec().calibration->targets) {
    const auto found = std::find(estimands_.begin(), estimands_.end(), target.estimand);
    i_estimand_.push_back(static_cast<std::size_t>(found - estimands_.begin()));
    if (found == estimands_.end()) estimands_.push_back(target.estimand);
  }
  const auto plan = study.estimand_plan(estimands_, k_probe_patients, {});
  const std::int64_t capacity = plan->model->capacity() / static_cast<std::int64_t>(plan->arms.size());
  patients_an_arm_a_trial_ =
      static_cast<int>(std::clamp<std::int64_t>(capacity, 1, k_patients_an_arm_a_trial));
  for (std::size_t i = 0; i < i_estimand_.size(); ++i)
    is_exact_ = is_exact_ && plan->estimands[i_estimand_[i]].exact_rate(
                                 *plan->model, study.spec().calibration->targets[i].arm);
}

std::vector<AchievedRate> RateModel::at(const std::vector<Parameter>& parameters, const Vector& values,
                                        std::uint64_t patients_per_arm, RandomNumbers numbers) {
  scenario::SweepSettings settings;
  for (std::size_t i = 0; i < values.size(); ++i)
    settings.emplace_back(parameters[i].path, number_node(values[i]));
  const auto plan = study_.estimand_plan(estimands_, patients_an_arm_a_trial_, settings);
  engine::PointAccumulator sum;
  if (!is_exact_) {
    engine::Work work;
    work.plan = plan.get();
    const auto per_trial = static_cast<std::uint64_t>(patients_an_arm_a_trial_);
    work.n_trials = (patients_per_arm + per_trial - 1) / per_trial;
    work.first_trial = numbers == RandomNumbers::of_fit ? k_first_fit_trial : k_first_check_trial;
    sum = engine::simulate({&work, 1}, n_threads_, monitor_).front();
    if (sum.n_trials < work.n_trials)
      throw Error(ExitStatus::interrupted, "interrupted: the calibration was not finished");
  }

  std::vector<AchievedRate> rates;
  const auto& targets = study_.spec().calibration->targets;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (const auto exact = plan->estimands[i_estimand_[i]].exact_rate(*plan->model, targets[i].arm)) {
      rates.push_back({*exact, 0, true});
      continue;
    }
    const auto place =
        std::find(plan->arms.begin(), plan->arms.end(), targets[i].arm) - plan->arms.begin();
    const auto& arm = sum.arms[i_estimand_[i] * plan->arms.size() + static_cast<std::size_t>(place)];
    if (arm.patients == 0)
      throw bad_input(fmt::format("error: no patient is evaluable for the calibration target \"{}\"",
                                  targets[i].name));
    rates.push_back({static_cast<double>(arm.events) / static_cast<double>(arm.patients),
                     variance_of(arm, sum.n_trials), false});
  }
  return rates;
}

}  // namespace trialwright::calibrate
