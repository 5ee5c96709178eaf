#include "calibrate/published.hpp"

#include <fmt/format.h>

#include <optional>

#include "trialwright/error.hpp"

namespace trialwright::calibrate {
namespace {

using scenario::CalibrationTarget;

double rate_of(const CalibrationTarget& target) {
  return target.events / target.patients;
}

const endpoint::ResponderSpec* reduction_of(const scenario::StudySpec& spec,
                                            const estimand::EstimandSpec& estimand) {
  const auto* responder = std::get_if<endpoint::ResponderSpec>(
      &spec.endpoints[static_cast<std::size_t>(estimand.endpoint)].definition);
  return responder && responder->reduction && !responder->at_most && !responder->improvement ? responder
                                                                                             : nullptr;
}

// Does every patient with target `deep` have target `shallow` too?
bool is_nested(const scenario::StudySpec& spec, const CalibrationTarget& deep,
               const CalibrationTarget& shallow) {
  if (deep.arm != shallow.arm || deep.patients != shallow.patients) return false;
  const auto& of_deep = spec.estimands[static_cast<std::size_t>(deep.estimand)];
  const auto& of_shallow = spec.estimands[static_cast<std::size_t>(shallow.estimand)];
  if (of_deep.rescue != of_shallow.rescue || of_deep.discontinuation != of_shallow.discontinuation ||
      of_deep.dropout != of_shallow.dropout || of_deep.population != of_shallow.population)
    return false;
  const auto* deeper = reduction_of(spec, of_deep);
  const auto* shallower = reduction_of(spec, of_shallow);
  return deeper && shallower && deeper->measure == shallower->measure &&
         deeper->visit == shallower->visit && *deeper->reduction > *shallower->reduction;
}

}  // namespace

Vector published_rates(const scenario::CalibrationSpec& calibration) {
  Vector rates;
  for (const auto& target : calibration.targets) rates.push_back(rate_of(target));
  return rates;
}

Matrix published_covariance(const scenario::StudySpec& spec) {
  const auto& targets = spec.calibration->targets;
  Matrix covariance = zeros(targets.size(), targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    covariance[i][i] = rate_of(targets[i]) * (1 - rate_of(targets[i])) / targets[i].patients;
    for (std::size_t j = 0; j < targets.size(); ++j) {
      if (!is_nested(spec, targets[i], targets[j])) continue;
      covariance[i][j] = rate_of(targets[i]) * (1 - rate_of(targets[j])) / targets[i].patients;
      covariance[j][i] = covariance[i][j];
    }
  }
  return covariance;
}

void check_published(const scenario::StudySpec& spec) {
  const auto& targets = spec.calibration->targets;
  for (const auto& target : targets)
    if (target.events == 0 || target.events == target.patients)
      throw bad_input(fmt::format(
          "error: calibration target \"{}\" is {} of {} (no parameter gives a rate of exactly {})",
          target.name, target.events, target.patients, rate_of(target)));
  for (const auto& deep : targets)
    for (const auto& shallow : targets)
      if (is_nested(spec, deep, shallow) && deep.events >= shallow.events)
        throw bad_input(fmt::format(
            "error: calibration target \"{}\" is {} of {}, and \"{}\" {} of {} (the deeper response "
            "must be the "
            "rarer one; no parameter can reach both)",
            deep.name, deep.events, deep.patients, shallow.name, shallow.events, shallow.patients));
}

}  // namespace trialwright::calibrate
