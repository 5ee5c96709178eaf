#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>

#include "design/boundary_reader.hpp"
#include "design/design_spec.hpp"
#include "design/group_sequential.hpp"

namespace trialwright::design {

namespace {

using analysis::Sides;

SidedBoundary read_sided(input::Reader& reader, double usual_alpha, double most, int n_looks) {
  SidedBoundary side;
  side.alpha = reader.number("alpha", {0, 0.5, true, true, "a probability"}, usual_alpha);
  if (side.alpha > most * (1 + 1e-12))
    reader.fault("alpha", fmt::format("\"alpha\" is {} (the analysis has {:.12g} for this side)",
                                      side.alpha, most));
  side.boundary = read_boundary(reader, side.alpha, n_looks);
  return side;
}

bool needs_plan(const GroupSequentialSpec& rules) {
  const auto hangs_on_it = [](const SidedBoundary& side) {
    return !sequential::is_spending(side.boundary.family);
  };
  if (hangs_on_it(rules.efficacy) || (rules.harm && hangs_on_it(*rules.harm))) return true;
  if (!rules.futility) return false;
  switch (rules.futility->rule) {
    case FutilityRule::beta_spending:
    case FutilityRule::conditional_power:
    case FutilityRule::predictive_power:
      return true;
    case FutilityRule::z:
    case FutilityRule::effect:
      break;
  }
  return false;
}

std::vector<double> read_planned_information(input::Reader& reader, const DesignSpec& spec,
                                             const GroupSequentialSpec& rules) {
  std::vector<double> information;
  const auto& looks = spec.looks->interim;
  for (const auto& look : looks)
    if (const auto* rule = std::get_if<OutcomesKnown>(&look.rule))
      information.push_back(static_cast<double>(rule->patients.of(spec.patients)) / spec.patients);
  const std::size_t faults_before = reader.faults().size();
  if (information.size() < looks.size()) {
    const std::size_t n = looks.size();
    information.clear();
    if (reader.has("planned_information") || needs_plan(rules)) {
      information = reader.numbers("planned_information", {0, 1, true, true, "a fraction"}, n);
    } else {
      for (std::size_t k = 1; k <= n; ++k)
        information.push_back(static_cast<double>(k) / static_cast<double>(n + 1));
    }
  }
  information.push_back(1);
  // Looks that do not increase have been told of.
  const bool ascends = std::adjacent_find(information.begin(), information.end(),
                                          std::greater_equal<>()) == information.end();
  const bool is_sound = reader.faults().size() == faults_before && looks.size() < k_most_looks;
  if (is_sound && (ascends || reader.has("planned_information")))
    if (auto problem = sequential::check_information(information))
      reader.fault(reader.has("planned_information") ? "planned_information" : "looks", *problem);
  return information;
}

// Looks at all patients are the end.
void check_looks(input::Reader& reader, const DesignSpec& spec) {
  for (const auto& look : spec.looks->interim)
    if (const auto* rule = std::get_if<OutcomesKnown>(&look.rule))
      if (rule->patients.of(spec.patients) == spec.patients)
        reader.fault("looks",
                     fmt::format("a look at all {} outcomes (that is the last one)", spec.patients),
                     "only looks before the end are listed");
}

}  // namespace

GroupSequentialSpec read_group_sequential(input::Reader& reader, const DesignSpec& spec,
                                          const StudyNames& names) {
  GroupSequentialSpec rules;
  const std::size_t faults_before = reader.faults().size();
  const analysis::TestSpec test = names.test_of(spec.primary);
  const bool two_sided = test.sides == Sides::two;
  const int n_looks = std::min(spec.looks->n_looks(), k_most_looks);
  check_looks(reader, spec);
  const bool looks_are_known = reader.faults().size() == faults_before && !spec.looks->interim.empty();
  if (spec.arms.size() > 2)
    reader.fault("arms", fmt::format("{} arms (group_sequential compares two)", spec.arms.size()),
                 "kind: multi_arm_multi_stage, or treatment_selection");

  {
    auto efficacy = reader.map_or_defaults("efficacy");
    rules.efficacy =
        read_sided(efficacy, two_sided ? 0.5 * test.alpha : test.alpha, test.alpha, n_looks);
  }
  const double harm_alpha = two_sided ? std::max(test.alpha - rules.efficacy.alpha, 0.0) : test.alpha;
  if (auto harm = reader.optional_map("harm")) {
    rules.harm = read_sided(*harm, harm_alpha, two_sided ? harm_alpha : 0.5, n_looks);
  } else if (two_sided && harm_alpha > 0) {
    rules.harm = SidedBoundary{rules.efficacy.boundary, harm_alpha};
  }
  const auto other = std::find_if(spec.arms.begin(), spec.arms.end(),
                                  [&](const auto& share) { return share.arm != names.control_arm; });
  const int treatment = other == spec.arms.end() ? names.control_arm : other->arm;
  if (auto futility = reader.optional_map("futility"))
    rules.futility = read_futility(
        *futility, {names.arms, treatment, names.control_arm, rules.efficacy.alpha, n_looks});
  double ratio_1 = 0, ratio = 0;
  for (const auto& share : spec.arms) {
    ratio += share.ratio;
    if (share.arm == treatment) ratio_1 += share.ratio;
  }
  if (ratio > 0) rules.treatment_share = ratio_1 / ratio;
  if (looks_are_known) rules.planned_information = read_planned_information(reader, spec, rules);
  return rules;
}

}  // namespace trialwright::design
