// Studies for the patient tests: a library file with changes, read as far as its patients go, and
// cohorts of it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "input/document.hpp"
#include "input/reader.hpp"
#include "patient/patient_model.hpp"
#include "patient/patient_spec.hpp"

namespace trialwright::patient::testing {

inline std::filesystem::path library(const std::string& name) {
  return std::filesystem::path(TRIALWRIGHT_SOURCE_DIR) / "configs" / "library" / name;
}

// A study read as far as its patients; `problems` holds the faults' texts, one a line.
struct Study {
  std::shared_ptr<const PatientSpec> spec;
  std::string problems;

  PatientModel model(const Truth& truth = EffectMultiplier{1}) const {
    input::Diagnostics faults;
    PatientModel result(spec, truth, faults, {});
    EXPECT_TRUE(faults.empty()) << faults.faults().front().problem;
    return result;
  }
  // What a truth is refused with.
  std::string refusal(const Truth& truth) const {
    input::Diagnostics faults;
    PatientModel result(spec, truth, faults, {});
    return faults.empty() ? "" : faults.faults().front().problem + " | " + faults.faults().front().hint;
  }
};

inline Study read_study(input::Document& document, input::Diagnostics& faults) {
  Study study;
  input::Node resolved;
  if (faults.empty()) {
    input::Reader reader(document.root, "", faults, resolved);
    study.spec = read_patient(reader);
    for (const char* other : {"schema", "endpoints", "estimands", "analyses", "calibration"})
      reader.raw(other);
  }
  for (const auto& fault : faults.faults()) study.problems += fault.problem + " | " + fault.hint + "\n";
  return study;
}

// A file of configs/library with `--set` changes.
inline Study library_study(const std::string& file = "hcmsc.yaml",
                           const std::vector<std::string>& changes = {}) {
  input::Diagnostics faults;
  auto document = input::read_document(library(file), faults);
  for (const auto& change : changes) input::apply_set(document, change, faults);
  return read_study(document, faults);
}

// A file of configs/library with YAML text merged over it.
inline Study overlaid_study(const std::string& text, const std::string& file = "hcmsc.yaml") {
  input::Diagnostics faults;
  auto document = input::parse_document("extends: " + file + "\n" + text, "test", library(""), faults);
  return read_study(document, faults);
}

// Everything.
inline Needs all_needs(const PatientModel& model) {
  Needs needs;
  needs.measure_visits.assign(model.measures().size(),
                              std::vector<bool>(model.visit_weeks().size(), true));
  return needs;
}
// One measure at one visit and nothing else.
inline Needs needs_of(const PatientModel& model, std::size_t measure, std::size_t visit) {
  Needs needs;
  needs.measure_visits.assign(model.measures().size(),
                              std::vector<bool>(model.visit_weeks().size(), false));
  needs.measure_visits[measure][visit] = true;
  needs.intercurrent_events = needs.adverse_events = needs.calendar = needs.sites = false;
  return needs;
}

// One trial whose patients alternate between the arms (arm < 0) or are all on one.
inline void simulate(const PatientModel& model, int n_patients, std::uint64_t trial, const Needs& needs,
                     int arm, Cohort& cohort, std::uint64_t seed = 20261123) {
  const auto key = rng::key_from_seed(seed);
  model.prepare(n_patients, cohort);
  model.enrol(key, trial, needs, cohort);
  for (int i = 0; i < n_patients; ++i)
    cohort.arm[static_cast<std::size_t>(i)] = arm < 0 ? i % static_cast<int>(model.arms().size()) : arm;
  model.follow(key, trial, needs, cohort);
}

// The visit at a week.
inline std::size_t visit_at(const PatientModel& model, double week) {
  for (std::size_t visit = 0; visit < model.visit_weeks().size(); ++visit)
    if (model.visit_weeks()[visit] == week) return visit;
  ADD_FAILURE() << "no visit at week " << week;
  return 0;
}

}  // namespace trialwright::patient::testing
