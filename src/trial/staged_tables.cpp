#include "trial/staged_tables.hpp"

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"

namespace trialwright::trial {
namespace {

std::size_t stratum_of(const PlannedAnalysis& analysis, const Workspace& workspace,
                       std::size_t patient) {
  int stratum = 0;
  for (const int factor : analysis.strata) {
    const auto i_factor = static_cast<std::size_t>(factor);
    stratum = stratum * workspace.n_levels[i_factor] + workspace.cohort.strata[i_factor][patient];
  }
  return static_cast<std::size_t>(stratum);
}

}  // namespace

int n_strata(const PlannedAnalysis& analysis, const Workspace& workspace) {
  int n = 1;
  for (const int factor : analysis.strata) n *= workspace.n_levels[static_cast<std::size_t>(factor)];
  return analysis.borrowing ? n + 1 : n;
}

void tabulate(const PlannedAnalysis& analysis, const Workspace& workspace, Places places,
              std::span<analysis::TwoByTwo> tables) {
  TRIALWRIGHT_EXPECT(tables.size() == static_cast<std::size_t>(n_strata(analysis, workspace)));
  std::fill(tables.begin(), tables.end(), analysis::TwoByTwo{});
  const auto& cohort = workspace.cohort;
  const auto& values = workspace.values[static_cast<std::size_t>(analysis.i_estimand)];
  for (int place = places.first; place < places.end; ++place) {
    const auto i = static_cast<std::size_t>(workspace.staged.patients[static_cast<std::size_t>(place)]);
    if (values[i] < 0) continue;
    const bool is_active = cohort.arm[i] == analysis.arm_1;
    if (!is_active && cohort.arm[i] != analysis.arm_0) continue;
    const auto& group = analysis.subgroup;
    const bool is_outside =
        group && cohort.strata[static_cast<std::size_t>(group->factor)][i] != group->level;
    if (is_outside && !analysis.borrowing) continue;
    auto& table = is_outside ? tables.back() : tables[stratum_of(analysis, workspace, i)];
    (is_active ? table.n_1 : table.n_0) += 1;
    (is_active ? table.responders_1 : table.responders_0) += values[i] > 0 ? 1 : 0;
  }
}

design::Rate rate(const Workspace& workspace, int i_estimand, int arm, Places places) {
  const auto& values = workspace.values[static_cast<std::size_t>(i_estimand)];
  design::Rate rate;
  for (int place = places.first; place < places.end; ++place) {
    const auto i = static_cast<std::size_t>(workspace.staged.patients[static_cast<std::size_t>(place)]);
    if (workspace.cohort.arm[i] != arm || values[i] < 0) continue;
    ++rate.patients;
    rate.events += values[i] > 0 ? 1 : 0;
  }
  return rate;
}

ArmMean merit_mean(const Workspace& workspace, int arm, Places places) {
  ArmMean mean;
  double sum = 0;
  for (int place = places.first; place < places.end; ++place) {
    const auto i = static_cast<std::size_t>(workspace.staged.patients[static_cast<std::size_t>(place)]);
    const double value = workspace.staged.merit_values[i];
    if (workspace.cohort.arm[i] != arm || std::isnan(value)) continue;
    ++mean.patients;
    sum += value;
  }
  if (mean.patients > 0) mean.value = sum / mean.patients;
  return mean;
}

}  // namespace trialwright::trial
