// From what was measured to what is analysed: a strategy for each intercurrent event turns an
// endpoint's column into analysis values (ICH E9(R1) 2019).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/named_table.hpp"
#include "endpoint/endpoint.hpp"
#include "input/reader.hpp"
#include "patient/cohort.hpp"
#include "patient/patient_model.hpp"

namespace trialwright::estimand {

// For rescue and for discontinuation of study treatment.
enum class EventStrategy { treatment_policy, composite };
enum class DropoutStrategy { missing, non_response, treatment_policy };
enum class Population { all_randomised };

inline constexpr std::array<base::Named<EventStrategy>, 2> k_event_strategies{{
    {"treatment_policy", "the value counts as measured, whether or not the event occurred",
     "ICH E9(R1) 2019, A.3.2", EventStrategy::treatment_policy},
    {"composite", "the event, up to the endpoint's week, makes the patient a non-responder",
     "ICH E9(R1) 2019, A.3.2", EventStrategy::composite},
}};

inline constexpr std::array<base::Named<DropoutStrategy>, 3> k_dropout_strategies{{
    {"missing", "a patient who left before the endpoint's week is not analysed (complete cases)",
     "ICH E9(R1) 2019, A.5.1", DropoutStrategy::missing},
    {"non_response", "a patient who left before the endpoint's week is a non-responder",
     "ICH E9(R1) 2019, A.3.2 (composite)", DropoutStrategy::non_response},
    {"treatment_policy", "what was observed before leaving counts; for adverse-event endpoints only",
     "ICH E9(R1) 2019, A.3.2", DropoutStrategy::treatment_policy},
}};

inline constexpr std::array<base::Named<Population>, 1> k_populations{{
    {"all_randomised", "every randomised patient, in the arm randomised to",
     "ICH E9 (1998), section 5.2", Population::all_randomised},
}};

struct EstimandSpec {
  std::string name;
  int endpoint = 0;  // index into the study's endpoints
  EventStrategy rescue = EventStrategy::treatment_policy;
  EventStrategy discontinuation = EventStrategy::treatment_policy;
  DropoutStrategy dropout = DropoutStrategy::missing;
  Population population = Population::all_randomised;
};

// Reads one entry of the section `estimands`: {endpoint, rescue, discontinuation, dropout, population}.
// The three strategies have no default; a strategy without meaning for the endpoint's kind is a fault.
EstimandSpec read_estimand(std::string name, input::Reader& reader,
                           const std::vector<endpoint::EndpointSpec>& endpoints);

inline constexpr std::int8_t k_missing = -1;

// Which intercurrent events a study has at all.
struct StudyEvents {
  bool rescue = false;
  bool discontinuation = false;
  bool dropout = false;
  bool any() const { return rescue || discontinuation || dropout; }
};
StudyEvents events_of(const patient::PatientModel& model);

// An estimand of events resolved for one plan; immutable, safe to share between threads. (Of numbers:
// MeanEstimand.)
class Estimand {
 public:
  // `endpoint` is the one that spec.endpoint names, made for the same model;
  // it must outlive the estimand.
  Estimand(const EstimandSpec& spec, const endpoint::Endpoint& endpoint,
           const patient::PatientModel& model);
  Estimand(const EstimandSpec& spec, const endpoint::Endpoint& endpoint, StudyEvents events);

  const std::string& name() const { return name_; }
  const endpoint::Endpoint& endpoint() const { return *endpoint_; }
  bool higher_is_better() const { return endpoint_->higher_is_better(); }

  // What becomes of a patient who leaves, where the study has dropout.
  DropoutStrategy dropout() const { return dropout_; }
  // Does stopping the infusions decide a patient's value?
  bool counts_discontinuation() const;

  // Marks what endpoint().observe() and values() read, the course of intercurrent events
  // included wherever the study has any (rescue changes the measures, dropout ends
  // the observation of adverse events).
  void add_needs(patient::Needs& needs) const;

  // In: the endpoint's outcome. Out: 1, 0 or k_missing. A composite event that came before the patient
  // left decides (0); else a patient gone by the endpoint's week is treated as `dropout` says; else the
  // outcome stands. Events at the endpoint's week count as before it.
  void values(const patient::Cohort& cohort, std::span<std::int8_t> outcome_in_out) const;

  // endpoint().observe(), then values().
  void observe(const patient::Cohort& cohort, std::span<std::int8_t> out) const;

  // The exact rate in `arm` of all patients randomised, where no intercurrent event of the study
  // touches it but dropout at a constant hazard that counts as non-response; else nullopt.
  std::optional<double> exact_rate(const patient::PatientModel& model, int arm) const;
  // The same among the patients at a level of a factor (PatientModel::factors).
  std::optional<double> exact_rate(const patient::PatientModel& model, int arm, int factor,
                                   int level) const;

 private:
  std::optional<double> among_randomised(std::optional<double> rate, const patient::PatientModel& model,
                                         int arm) const;

  // Weeks up to which an event of the kind counts; k_ignored where its strategy
  // or the study ignores it.
  struct Limits {
    double rescue;
    double discontinuation;
    double dropout;
  };

  std::string name_;
  const endpoint::Endpoint* endpoint_;
  Limits limits_;
  DropoutStrategy dropout_ = DropoutStrategy::missing;
  std::int8_t value_when_gone_ = k_missing;
  StudyEvents events_;
  bool hides_exact_rate_ = false;
};

}  // namespace trialwright::estimand
