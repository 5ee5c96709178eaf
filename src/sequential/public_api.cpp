#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sequential/boundary.hpp"
#include "trialwright/boundaries.hpp"

namespace trialwright {

namespace {

using sequential::Boundary;

constexpr double k_usual_beta = 0.1;
constexpr double k_largest_drift = 100;
constexpr double k_largest_overrun = 2;

sequential::BoundarySpec spec_of(const BoundaryFamily& asked, const char* what) {
  const std::span<const base::Named<sequential::Family>> table(sequential::k_families);
  const auto* row = base::find(table, asked.name);
  if (row == nullptr) {
    std::vector<std::string_view> names;
    for (const auto& candidate : table) names.push_back(candidate.name);
    const auto near = base::closest(asked.name, names);
    throw bad_input(fmt::format("{} \"{}\" is not known (one of {} is needed){}", what, asked.name,
                                fmt::join(names, ", "),
                                near.empty() ? "" : fmt::format(" - did you mean {}?", near)));
  }
  sequential::BoundarySpec spec;
  spec.family = row->value;
  spec.parameter = asked.parameter;
  for (const auto& point : asked.spending) spec.spending.push_back({point.information, point.share});
  spec.z = asked.z;
  spec.alpha_spent = asked.error_spent;
  return spec;
}

void refuse(const char* what, const std::optional<std::string>& problem) {
  if (problem) throw bad_input(fmt::format("{}: {}", what, *problem));
}

void check_fractions(const std::vector<double>& information) {
  refuse("information", sequential::check_information(information));
  if (information.size() > 1 && information[information.size() - 2] >= 1)
    refuse("information",
           fmt::format("an interim look at {} (fractions below 1 are needed before the last look)",
                       information[information.size() - 2]));
  if (!(information.back() >= 1 && information.back() <= k_largest_overrun))
    refuse("information",
           fmt::format("a last look at {} (1, or up to {} of an over-running trial, is needed)",
                       information.back(), k_largest_overrun));
}

Boundary boundary_of(const BoundaryQuestion& question) {
  check_fractions(question.information);
  const auto n_looks = static_cast<int>(question.information.size());
  const auto efficacy = spec_of(question.efficacy, "efficacy boundary");
  refuse("efficacy boundary", sequential::check(efficacy, question.alpha, n_looks));
  if (!question.futility)
    return sequential::efficacy_boundary(efficacy, question.alpha, question.information);
  if (question.drift)
    refuse("drift", "given together with futility (which solves for the drift of power 1 - beta)");
  const sequential::FutilitySpec futility{spec_of(*question.futility, "futility boundary"),
                                          question.beta.value_or(k_usual_beta)};
  refuse("futility boundary", sequential::check(futility, question.alpha, n_looks));
  const auto binding = question.binding == FutilityBinding::binding ? sequential::Binding::binding
                                                                    : sequential::Binding::non_binding;
  return sequential::boundary_with_futility(efficacy, question.alpha, futility, binding,
                                            question.information);
}

std::optional<double> drift_of(const BoundaryQuestion& question, const Boundary& boundary) {
  if (question.futility) return boundary.drift;
  if (question.drift) {
    if (question.beta) refuse("beta", "given together with a drift (one of them is needed)");
    if (!(std::abs(*question.drift) <= k_largest_drift))
      refuse("drift", fmt::format("{} (from -{} to {} is needed)", *question.drift, k_largest_drift,
                                  k_largest_drift));
    return question.drift;
  }
  if (!question.beta) return std::nullopt;
  if (!(*question.beta >= 1e-6 && *question.beta <= 0.5 && *question.beta < 1 - question.alpha))
    refuse("beta",
           fmt::format("{} (from 1e-6 to 0.5, and below 1 - alpha, is needed)", *question.beta));
  return sequential::drift_for_power(boundary, 1 - *question.beta);
}

}  // namespace

BoundaryAnswer sequential_boundaries(const BoundaryQuestion& question) {
  const Boundary boundary = boundary_of(question);
  BoundaryAnswer answer;
  answer.drift = drift_of(question, boundary);
  const auto null = sequential::crossing_probabilities(boundary, 0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> none(boundary.information.size(), nan);
  const auto under_drift = answer.drift ? sequential::crossing_probabilities(boundary, *answer.drift)
                                        : sequential::CrossingProbabilities{none, none, none};
  for (std::size_t k = 0; k < boundary.information.size(); ++k)
    answer.looks.push_back({boundary.information[k], boundary.alpha_spent[k], boundary.efficacy_z[k],
                            boundary.futility_z[k], null.efficacy[k], null.futility[k],
                            under_drift.efficacy[k], under_drift.futility[k]});
  const auto perform = [&](double drift, const sequential::CrossingProbabilities& crossing) {
    answer.performance.push_back({drift, sequential::power(crossing),
                                  sequential::expected_information(boundary.information, crossing)});
  };
  perform(0, null);
  if (!answer.drift) return answer;
  perform(*answer.drift / 2, sequential::crossing_probabilities(boundary, *answer.drift / 2));
  perform(*answer.drift, under_drift);
  answer.power = sequential::power(under_drift);
  if (*answer.drift > 0 && *answer.power < 1)
    answer.inflation_factor =
        sequential::inflation_factor(*answer.drift, question.alpha, *answer.power);
  return answer;
}

}  // namespace trialwright
