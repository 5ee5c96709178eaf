#include "design/withdrawal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "design/design_spec.hpp"

namespace trialwright::design {
namespace {

constexpr input::Bounds k_rate{0.0, 10.0, false, false, "a rate per week"};
constexpr input::Bounds k_weeks{0.0, 1000.0, true, false, "weeks"};
constexpr input::Bounds k_alpha{0.0, 0.5, true, true, "a level"};
constexpr std::int64_t k_largest_ratio = 100;

void read_responders(input::Reader& reader, const DesignSpec& spec, const StudyNames& names,
                     WithdrawalSpec& rules) {
  input::Reader responders = reader.map("responders");
  rules.responders = names.estimands.read_events(responders, "estimand");
  rules.from = responders.references("arms", names.arms, "arm");
  for (const int arm : rules.from)
    if (!spec.arms.empty() && !spec.has_arm(arm))
      responders.fault("arms",
                       fmt::format("the design has no arm \"{}\" (its responders would be none)",
                                   names.arms[static_cast<std::size_t>(arm)]));
  if (!rules.from.empty()) return;
  for (const auto& share : spec.arms)
    if (share.arm != names.control_arm) rules.from.push_back(share.arm);
}

void read_arms(input::Reader& maintenance, WithdrawalSpec& rules) {
  int n_controls = 0;
  for (auto& [name, arm] : maintenance.named("arms")) {
    if (arm.boolean("control", false)) {
      rules.control = static_cast<int>(rules.arms.size());
      ++n_controls;
    }
    MaintenanceArm read;
    read.name = name;
    read.ratio = static_cast<int>(arm.integer("ratio", 1, k_largest_ratio, 1));
    read.loss_per_week = arm.number("loss_per_week", k_rate);
    read.flare_per_week = arm.number("flare_per_week", k_rate, 0);
    read.recapture_per_week = arm.number("recapture_per_week", k_rate, 0);
    if (read.recapture_per_week > 0 && read.flare_per_week == 0)
      arm.fault("recapture_per_week",
                "flares are to be treated where there are none (flare_per_week is 0)",
                "give flare_per_week, the rate of flares after loss of response");
    rules.arms.push_back(std::move(read));
  }
  if (rules.arms.size() < 2)
    maintenance.fault("arms", "responders are randomised to fewer than two arms (nothing to compare)");
  else if (n_controls != 1)
    maintenance.fault(
        "arms",
        fmt::format("{} maintenance arms are the control (one is, with which the others are "
                    "compared)",
                    n_controls),
        "write control: true in the arm that treatment is withdrawn in");
}

}  // namespace

WithdrawalSpec read_withdrawal(input::Reader& reader, const DesignSpec& spec, const StudyNames& names) {
  WithdrawalSpec rules;
  read_responders(reader, spec, names, rules);
  input::Reader maintenance = reader.map("maintenance");
  rules.until_week = maintenance.number("until_week", k_weeks);
  rules.visit_every_weeks = maintenance.number("visit_every_weeks", k_weeks, 4);
  rules.dropout_per_week = maintenance.number("dropout_per_week", k_rate, 0);
  read_arms(maintenance, rules);
  for (auto& [name, analysis] : maintenance.named("analyses")) {
    MaintenanceAnalysis read;
    read.name = name;
    read.outcome = analysis.choice<MaintenanceOutcome>("outcome", k_maintenance_outcomes);
    read.sides = analysis.integer("sides", 1, 2, 2) == 1 ? analysis::Sides::one : analysis::Sides::two;
    read.alpha = analysis.number("alpha", k_alpha, 0.05);
    rules.analyses.push_back(std::move(read));
    const auto& names_taken = names.analyses;
    if (std::find(names_taken.begin(), names_taken.end(), name) != names_taken.end())
      analysis.fault("outcome",
                     fmt::format("the study has an analysis \"{}\" already (results tell them by "
                                 "name)",
                                 name));
  }
  if (rules.analyses.empty())
    maintenance.fault("analyses", "the maintenance phase has no analyses (nothing would be tested)",
                      "kept: {outcome: response_kept}");
  return rules;
}

}  // namespace trialwright::design
