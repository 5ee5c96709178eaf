// A trial's outcome as text, to the bit, and trials made one by one.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "trial/simulate_trial.hpp"

namespace trialwright::property {

// What a trial decides; without its calendar, which later trials do not have where nobody reads it.
inline std::string decisions_of(const trial::Workspace& workspace) {
  std::string text;
  for (const auto& count : workspace.outcome.counts)
    text += fmt::format("{}/{} ", count.events, count.patients);
  for (const auto& one : workspace.outcome.analyses) {
    const auto& table = one.table;
    const auto& estimate = one.estimate;
    text += fmt::format("| {} {} {} {} {} {} ", one.rejected, one.failed, table.responders_1, table.n_1,
                        table.responders_0, table.n_0);
    if (estimate.defined)
      text += fmt::format("{:a} {:a} {:a} {:a} ", estimate.value, estimate.standard_error,
                          estimate.lower, estimate.upper);
  }
  for (const auto& tables : workspace.strata)
    for (const auto& table : tables)
      text +=
          fmt::format("; {}/{} {}/{} ", table.responders_1, table.n_1, table.responders_0, table.n_0);
  return text;
}

inline std::string calendar_of(const trial::Workspace& workspace) {
  const auto& outcome = workspace.outcome;
  return fmt::format("{} {} {:a} {:a}", outcome.has_calendar, outcome.n_screened,
                     outcome.enrolment_months, outcome.duration_months);
}

}  // namespace trialwright::property
