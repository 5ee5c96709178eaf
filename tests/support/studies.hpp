// Small studies for tests, made from the shipped library.
#pragma once

#include <memory>
#include <string>

#include "scenario/study.hpp"

namespace trialwright::support {

// A study that extends a library file (relative to configs/), with further sections as text.
inline scenario::Study study(const std::string& sections,
                             const std::string& library = "library/hcmsc.yaml") {
  return scenario::Study::parse("schema: 1\nextends: " + library + "\n" + sections, "study",
                                TRIALWRIGHT_SOURCE_DIR "/configs", {});
}

// One fixed design of the shipped patients under one scenario.
inline std::string sections(int n_patients, const std::string& scenario = "{effect: 1}",
                            const std::string& of_design = "") {
  return "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: " +
         std::to_string(n_patients) + ", primary: easi50_superiority" + of_design +
         "}}\nscenarios: {truth: " + scenario + "}\n";
}

inline std::shared_ptr<const trial::TrialPlan> plan(const std::string& all_sections,
                                                    const std::string& library = "library/hcmsc.yaml") {
  auto made = study(all_sections, library);
  return made.plan(made.points().front());
}

}  // namespace trialwright::support
