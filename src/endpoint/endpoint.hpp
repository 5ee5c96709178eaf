// What is read off a patient: the endpoints of a study file and the columns they
// give for a whole cohort.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/named_table.hpp"
#include "input/reader.hpp"
#include "patient/cohort.hpp"
#include "patient/patient_model.hpp"

namespace trialwright::endpoint {

enum class EndpointKind { responder, adverse_event, change, percent_change };

inline constexpr std::array<base::Named<EndpointKind>, 4> k_endpoint_kinds{{
    {"responder",
     "a measure has improved enough at a visit: by a share of its baseline, to a value, by points",
     "Hanifin et al. 2001 (EASI)", EndpointKind::responder},
    {"adverse_event", "at least one adverse event since randomisation; fewer is better",
     "ICH E9 (1998), section 6", EndpointKind::adverse_event},
    {"change",
     "points of a measure, from baseline to a visit; a fall is an improvement. Its means choose arms "
     "(selection.on)",
     "ICH E9 (1998), section 2.2.2", EndpointKind::change},
    {"percent_change",
     "the change in per cent of the baseline; none where that is zero. Its means choose arms "
     "(selection.on)",
     "Hanifin et al. 2001 (EASI)", EndpointKind::percent_change},
}};

// The names and ranges in a study's other sections that endpoints refer to. The scenario folder fills
// it, from PatientModel or from the sections as read.
struct StudyNames {
  std::vector<patient::MeasureInfo> measures;  // [0] is the driving measure
  std::vector<double> visit_weeks;
  std::vector<std::string> adverse_event_categories;  // empty: the study has no `safety` section
  double follow_up_weeks = 0;
};

// Responder: every condition that is given holds for the score on its grid,
// each with a tolerance of 1e-9.
struct ResponderSpec {
  int measure = 0;  // index into measures
  int visit = 0;    // index into visit_weeks
  double week = 0;
  std::optional<double> reduction;    // value <= (1 - reduction + 1e-9) baseline, and baseline > 0
  std::optional<double> at_most;      // value <= at_most
  std::optional<double> improvement;  // baseline - value >= improvement

  // The same in the patient model's words.
  patient::ResponseCondition condition() const;
};

// At least one adverse event with onset at or before `weeks` that meets every condition.
struct AdverseEventSpec {
  double weeks = 0;
  int minimum_grade = 1;
  std::optional<int> category;  // index into adverse_event_categories
  bool serious_only = false;
};

enum class ChangeUnit { points, percent };

// What a measure has changed by since baseline: a number, not an event.
struct ChangeSpec {
  int measure = 0;  // index into measures
  int visit = 0;    // index into visit_weeks
  double week = 0;
  ChangeUnit unit = ChangeUnit::points;
  double range = 0;  // of the measure, in points
};

using EndpointDefinition = std::variant<ResponderSpec, AdverseEventSpec, ChangeSpec>;

struct EndpointSpec {
  std::string name;
  EndpointDefinition definition;

  EndpointKind kind() const;
  // Where the endpoint is a number; of events null.
  const ChangeSpec* change() const { return std::get_if<ChangeSpec>(&definition); }
  // Week up to which the endpoint looks.
  double week() const;
};

// Reads one entry of the section `endpoints`: {kind: responder, measure, week,
// reduction | at_most | improvement}, {kind: adverse_event, weeks, minimum_grade, category, serious} or
// {kind: change | percent_change, measure, week}. Faults go to the reader's diagnostics.
EndpointSpec read_endpoint(std::string name, input::Reader& reader, const StudyNames& names);

// An endpoint of events resolved for one plan; immutable, safe to share between threads. (Of numbers:
// Change.)
class Endpoint {
 public:
  Endpoint(std::string name, EndpointDefinition definition)
      : name_(std::move(name)), definition_(std::move(definition)) {}
  virtual ~Endpoint() = default;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  const std::string& name() const { return name_; }
  const EndpointDefinition& definition() const { return definition_; }

  // Writes outcome[i] = 1 where patient i has the endpoint, else 0, as measured: whether the patient
  // was rescued, discontinued or left is not looked at. outcome holds cohort.n_patients numbers.
  virtual void observe(const patient::Cohort& cohort, std::span<std::int8_t> outcome) const = 0;
  // Marks what observe() reads; never takes a mark away. Makes measure_visits large enough.
  virtual void add_needs(patient::Needs& needs) const = 0;
  virtual double week() const = 0;
  // Is a higher rate the better one (response), or the worse (harm)?
  virtual bool higher_is_better() const = 0;
  // Is there any model for which exact_rate() has an answer?
  virtual bool has_closed_form() const = 0;
  // P(outcome = 1) of a patient of `arm`, to 1e-9, nullopt where the model has no exact answer: of a
  // response in the absence of intercurrent events, of an adverse event seen before the patient leaves.
  virtual std::optional<double> exact_rate(const patient::PatientModel& model, int arm) const = 0;
  // The same among the patients at a level of a factor (PatientModel::factors).
  virtual std::optional<double> exact_rate(const patient::PatientModel& model, int arm, int factor,
                                           int level) const = 0;

 private:
  std::string name_;
  EndpointDefinition definition_;
};

// The layout of a model's columns.
StudyNames layout_of(const patient::PatientModel& model);

// Of an endpoint of events. `model` gives the layout of the cohort's columns; it need not outlive the
// endpoint.
std::unique_ptr<Endpoint> make(const EndpointSpec& spec, const patient::PatientModel& model);

// The same from the layout alone.
std::unique_ptr<Endpoint> make(const EndpointSpec& spec, const StudyNames& names);

}  // namespace trialwright::endpoint
