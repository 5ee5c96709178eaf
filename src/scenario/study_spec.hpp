// A study file's sections, read and checked against each other: what was written, before any truth.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/analysis_spec.hpp"
#include "design/design_spec.hpp"
#include "endpoint/endpoint.hpp"
#include "estimand/estimand.hpp"
#include "input/reader.hpp"
#include "patient/course_tables.hpp"
#include "patient/patient_model.hpp"
#include "scenario/calibration_spec.hpp"
#include "scenario/outputs_spec.hpp"
#include "scenario/scenario_spec.hpp"
#include "scenario/simulation_spec.hpp"
#include "scenario/sweep.hpp"

namespace trialwright::scenario {

// One entry of the section `analyses`.
struct AnalysisEntry {
  std::string name;
  int estimand = -1;
  analysis::AnalysisSpec spec;
  std::vector<int> strata;     // factors, indices into PatientModel::factors()
  std::optional<int> arm;      // active arm; default: the design's first
  std::optional<int> against;  // what it is compared with; default: the control
  std::optional<analysis::TwoByTwo>
      published;  // a published trial's table, to be placed among the simulated
  std::optional<design::Subgroup> subgroup;  // whose patients it is of; default: all
  // Whether its estimate is at least a fraction of another analysis's.
  struct Consistency {
    int with = -1;  // index into StudySpec::analyses
    double fraction = 0.5;
  };
  std::optional<Consistency> consistency;
};

struct StudySpec {
  std::string title;
  std::shared_ptr<const patient::PatientSpec> patient;
  std::shared_ptr<const patient::PatientModel> calibrated;  // as calibrated (effect 1): the names
  std::vector<endpoint::EndpointSpec> endpoints;
  std::vector<estimand::EstimandSpec> estimands;
  std::vector<AnalysisEntry> analyses;
  std::vector<design::DesignSpec> designs;
  std::vector<ScenarioSpec> scenarios;
  std::optional<CalibrationSpec> calibration;
  std::vector<SweepAxis> sweep;
  SimulationSpec simulation;
  OutputsSpec outputs;

  const design::DesignSpec* design(const std::string& name) const;
  const ScenarioSpec* scenario(const std::string& name) const;
  // Are the events of this estimand responses, not harms?
  bool higher_is_better(int i_estimand) const;
};

// Patient sections already read: sweeps over designs and analyses read them once, and those over
// courses and events read the population once.
class PatientCache {
 public:
  // Hashes of the sections as written: population, recruitment, arms, measures, intercurrent_events,
  // safety.
  using Sections = std::array<std::uint64_t, 6>;
  struct Entry {
    Sections sections{};
    std::shared_ptr<const patient::PatientSpec> spec;
    std::shared_ptr<const patient::PatientModel> calibrated;
  };
  std::vector<Entry> entries;
  patient::CourseTableCache course_tables;
};

// Told of each scenario without overrides that was read without fault, for what only shows when its
// truth is made true of the study's patients.
using TruthCheck = std::function<void(const StudySpec&, const ScenarioSpec&)>;

// Reads a whole study tree. Faults go to `faults`; `resolved` receives the tree with every default
// written out. Null where faults leave nothing to resolve. `cache` may be null, `check_truth` empty.
std::optional<StudySpec> read_study(const input::Node& root, input::Diagnostics& faults,
                                    input::Node& resolved, PatientCache* cache,
                                    const TruthCheck& check_truth);

}  // namespace trialwright::scenario
