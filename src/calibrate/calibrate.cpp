#include "calibrate/calibrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "calibrate/least_squares.hpp"
#include "calibrate/published.hpp"
#include "trialwright/error.hpp"

namespace trialwright::calibrate {
namespace {

constexpr double k_negligible_residual = 0.002;  // 0.2 points
constexpr double k_errors = 4;
// A target is out of reach where the fit stays this far off it and further than its Monte Carlo error
// says.
constexpr double k_reached = 1e-6;
// A rate that moves less than this for a parameter's e-fold is not moved.
constexpr double k_no_effect = 1e-4;

double rounded(double value) {
  const std::string text = fmt::format("{:.6g}", value);
  double result = value;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

std::vector<TargetFit> compare(const scenario::Study& study,
                               const std::vector<AchievedRate>& achieved) {
  const auto& spec = study.spec();
  std::vector<TargetFit> fits;
  for (std::size_t i = 0; i < achieved.size(); ++i) {
    const auto& target = spec.calibration->targets[i];
    TargetFit fit;
    fit.name = target.name;
    fit.estimand = spec.estimands[static_cast<std::size_t>(target.estimand)].name;
    fit.arm = spec.calibrated->arms()[static_cast<std::size_t>(target.arm)].name;
    fit.events = target.events;
    fit.patients = target.patients;
    fit.target = target.events / target.patients;
    fit.achieved = achieved[i].rate;
    fit.residual = fit.achieved - fit.target;
    fit.mcse = std::sqrt(achieved[i].variance);
    if (fit.mcse > 0) fit.z = fit.residual / fit.mcse;
    fits.push_back(std::move(fit));
  }
  return fits;
}

bool is_reached(const AchievedRate& achieved, double target) {
  return std::abs(achieved.rate - target) <=
         std::max(k_reached, k_errors * std::sqrt(achieved.variance));
}

[[noreturn]] void throw_unreachable(const scenario::CalibrationTarget& target, double nearest) {
  throw bad_input(fmt::format(
      "error: calibration target \"{}\" ({} of {}, a rate of {:.4f}) cannot be reached with the "
      "parameters in calibration.fitted (the nearest rate that they give, with the other targets "
      "met as well as can be, is {:.4f})",
      target.name, target.events, target.patients, target.events / target.patients, nearest));
}

// The target that is furthest off, in the units of what it could be off by chance, where any is.
void check_reached(const scenario::CalibrationSpec& calibration, const Solution& solution) {
  std::size_t worst = 0;
  bool all_reached = true;
  for (std::size_t i = 0; i < calibration.targets.size(); ++i) {
    const auto off = [&](std::size_t k) {
      return std::abs(solution.rates[k].rate -
                      calibration.targets[k].events / calibration.targets[k].patients);
    };
    if (!is_reached(solution.rates[i], calibration.targets[i].events / calibration.targets[i].patients))
      all_reached = false;
    if (off(i) > off(worst)) worst = i;
  }
  if (!all_reached) throw_unreachable(calibration.targets[worst], solution.rates[worst].rate);
}

// Every parameter must move a target, and every target not met must be moved by a parameter.
void check_effects(const scenario::CalibrationSpec& calibration,
                   const std::vector<Parameter>& parameters, const Solution& solution) {
  const Matrix& jacobian = solution.jacobian;
  for (std::size_t i = 0; i < jacobian.size(); ++i) {
    const auto& target = calibration.targets[i];
    const bool is_moved = std::any_of(jacobian[i].begin(), jacobian[i].end(),
                                      [](double slope) { return std::abs(slope) > k_no_effect; });
    const double off = std::abs(solution.rates[i].rate - target.events / target.patients);
    if (!is_moved &&
        off > std::max(k_negligible_residual, k_errors * std::sqrt(solution.rates[i].variance)))
      throw_unreachable(target, solution.rates[i].rate);
  }
  for (std::size_t j = 0; j < parameters.size(); ++j) {
    const bool moves = std::any_of(jacobian.begin(), jacobian.end(),
                                   [&](const Vector& row) { return std::abs(row[j]) > k_no_effect; });
    if (!moves)
      throw bad_input(
          fmt::format("error: the fitted parameter \"{}\" moves none of the calibration targets "
                      "(nothing tells its value)",
                      parameters[j].path));
  }
}

Matrix covariance_of(const Solution& solution, const std::vector<Parameter>& parameters,
                     const Matrix& weights) {
  const auto inverted =
      inverse(product(product(transpose(solution.jacobian), weights), solution.jacobian));
  if (!inverted)
    throw bad_input(
        "error: the calibration targets cannot tell the parameters in calibration.fitted apart "
        "(fit fewer, or give more targets)");
  Matrix covariance = *inverted;
  for (std::size_t i = 0; i < covariance.size(); ++i)
    for (std::size_t j = 0; j < covariance.size(); ++j)
      covariance[i][j] *= slope_of(parameters[i].scale, solution.place[i]) *
                          slope_of(parameters[j].scale, solution.place[j]);
  return covariance;
}

Matrix correlation_of(const Matrix& covariance) {
  Matrix correlation = covariance;
  for (std::size_t i = 0; i < covariance.size(); ++i)
    for (std::size_t j = 0; j < covariance.size(); ++j)
      correlation[i][j] =
          i == j ? 1 : covariance[i][j] / std::sqrt(covariance[i][i] * covariance[j][j]);
  return correlation;
}

// A sequence's item cannot be overridden alone: the nearest enclosing path that can, with all of its
// items.
void set_in_overlay(const scenario::Study& study, const ParameterFit& parameter, input::Node& overlay) {
  std::string path = parameter.path;
  for (auto dot = path.rfind('.'); dot != std::string::npos; dot = path.rfind('.', dot - 1)) {
    const input::Node* parent = input::find_path(study.root(), path.substr(0, dot));
    if (parent && parent->kind == input::Node::Kind::sequence) {
      const std::string list = path.substr(0, dot);
      if (!input::find_path(overlay, list)) input::set_path(overlay, list, *parent);
    }
    if (dot == 0) break;
  }
  input::set_path(overlay, path, input::Node::scalar(fmt::format("{}", parameter.fitted)));
}

}  // namespace

std::vector<TargetFit> check(scenario::Study& study, const Settings& settings) {
  RateModel model(study, settings.n_threads, settings.monitor);
  return compare(study, model.at({}, {}, settings.patients_per_arm, RandomNumbers::of_check));
}

bool is_met(const std::vector<TargetFit>& targets) {
  return std::all_of(targets.begin(), targets.end(), [](const auto& fit) {
    return std::abs(fit.residual) <= std::max(k_negligible_residual, k_errors * fit.mcse);
  });
}

Calibration fit(scenario::Study& study, const Settings& settings) {
  RateModel model(study, settings.n_threads, settings.monitor);
  const auto& spec = *study.spec().calibration;
  if (spec.fitted.empty())
    throw bad_input(
        "error: calibration.fitted names no parameters (there is nothing to fit; --check compares)");
  check_published(study.spec());
  const auto parameters = parameters_of(study);
  const Vector targets = published_rates(spec);
  const Matrix published = published_covariance(study.spec());
  const auto weights = inverse(published);
  if (!weights)
    throw bad_input(
        "error: the calibration targets say the same thing twice (their covariance is singular)");

  Calibration calibration;
  calibration.at_present =
      compare(study, model.at({}, {}, settings.patients_per_arm, RandomNumbers::of_check));
  const Solution solution =
      least_squares({model, parameters, targets, *weights, settings.patients_per_arm});
  check_effects(spec, parameters, solution);
  calibration.degrees_of_freedom = static_cast<int>(targets.size() - parameters.size());
  if (calibration.degrees_of_freedom == 0) check_reached(spec, solution);

  calibration.covariance = covariance_of(solution, parameters, *weights);
  calibration.correlation = correlation_of(calibration.covariance);
  Vector values;
  for (double value : values_at(parameters, solution.place)) values.push_back(rounded(value));
  for (std::size_t i = 0; i < parameters.size(); ++i)
    calibration.parameters.push_back({parameters[i].path, parameters[i].present, values[i],
                                      std::sqrt(calibration.covariance[i][i])});

  auto achieved = model.at(parameters, values, settings.patients_per_arm, RandomNumbers::of_check);
  Vector residuals;
  for (std::size_t i = 0; i < achieved.size(); ++i) {
    achieved[i].variance += solution.rates[i].variance;
    residuals.push_back(achieved[i].rate - targets[i]);
  }
  calibration.at_fitted = compare(study, achieved);
  calibration.lack_of_fit = dot(residuals, product(*weights, residuals));
  return calibration;
}

std::string overlay_yaml(const scenario::Study& study, const Calibration& calibration,
                         const std::string& source) {
  input::Node overlay = input::Node::map();
  for (const auto& parameter : calibration.parameters) set_in_overlay(study, parameter, overlay);
  return "# " + source + "\n" + input::to_yaml(overlay);
}

}  // namespace trialwright::calibrate
