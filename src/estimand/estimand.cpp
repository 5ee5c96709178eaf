#include "estimand/estimand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/contract.hpp"

namespace trialwright::estimand {

namespace {

constexpr double k_ignored = -std::numeric_limits<double>::infinity();

void refuse_what_harm_cannot_be(input::Reader& reader, const EstimandSpec& spec) {
  const auto refuse_composite = [&](std::string_view key, EventStrategy strategy) {
    if (strategy == EventStrategy::composite)
      reader.fault(
          key,
          fmt::format(
              "\"{}\" cannot be composite for an adverse-event endpoint (the event is no adverse "
              "event, and there is no response for it to undo)",
              key),
          "write treatment_policy");
  };
  refuse_composite("rescue", spec.rescue);
  refuse_composite("discontinuation", spec.discontinuation);
  if (spec.dropout == DropoutStrategy::non_response)
    reader.fault("dropout",
                 "\"dropout\" cannot be non_response for an adverse-event endpoint (leaving the study "
                 "would count as having had no event)",
                 "write treatment_policy (what was observed before leaving counts) or missing");
}

void refuse_what_response_cannot_be(input::Reader& reader, const EstimandSpec& spec) {
  if (spec.dropout == DropoutStrategy::treatment_policy)
    reader.fault(
        "dropout",
        "\"dropout\" cannot be treatment_policy for a responder endpoint (nothing is measured after a "
        "patient has left)",
        "write missing (complete cases) or non_response");
}

// A number has no value that stands for failure.
void refuse_what_a_number_cannot_be(input::Reader& reader, const EstimandSpec& spec) {
  const auto refuse_composite = [&](std::string_view key, EventStrategy strategy) {
    if (strategy == EventStrategy::composite)
      reader.fault(key,
                   fmt::format("\"{}\" cannot be composite for a change (it is a number, of which none "
                               "stands for non-response)",
                               key),
                   "write treatment_policy");
  };
  refuse_composite("rescue", spec.rescue);
  refuse_composite("discontinuation", spec.discontinuation);
  if (spec.dropout == DropoutStrategy::non_response)
    reader.fault(
        "dropout",
        "\"dropout\" cannot be non_response for a change (it is a number, of which none stands "
        "for non-response)",
        "write missing (complete cases)");
  if (spec.dropout == DropoutStrategy::treatment_policy)
    reader.fault("dropout",
                 "\"dropout\" cannot be treatment_policy for a change (nothing is measured after a "
                 "patient has left)",
                 "write missing (complete cases)");
}

double limit_of(EventStrategy strategy, bool occurs, double week) {
  switch (strategy) {
    case EventStrategy::treatment_policy:
      return k_ignored;
    case EventStrategy::composite:
      return occurs ? week : k_ignored;
  }
  return k_ignored;
}

double limit_of(DropoutStrategy strategy, bool occurs, double week) {
  switch (strategy) {
    case DropoutStrategy::treatment_policy:
      return k_ignored;
    case DropoutStrategy::missing:
    case DropoutStrategy::non_response:
      return occurs ? week : k_ignored;
  }
  return k_ignored;
}

}  // namespace

EstimandSpec read_estimand(std::string name, input::Reader& reader,
                           const std::vector<endpoint::EndpointSpec>& endpoints) {
  std::vector<std::string> names;
  for (const auto& endpoint : endpoints) names.push_back(endpoint.name);

  EstimandSpec spec;
  spec.name = std::move(name);
  spec.endpoint = reader.reference("endpoint", names, "endpoint");
  spec.rescue = reader.choice<EventStrategy>("rescue", k_event_strategies);
  spec.discontinuation = reader.choice<EventStrategy>("discontinuation", k_event_strategies);
  spec.dropout = reader.choice<DropoutStrategy>("dropout", k_dropout_strategies);
  spec.population = reader.choice<Population>("population", k_populations, Population::all_randomised);
  if (spec.endpoint < 0) return spec;
  switch (endpoints[static_cast<std::size_t>(spec.endpoint)].kind()) {
    case endpoint::EndpointKind::responder:
      refuse_what_response_cannot_be(reader, spec);
      break;
    case endpoint::EndpointKind::adverse_event:
      refuse_what_harm_cannot_be(reader, spec);
      break;
    case endpoint::EndpointKind::change:
    case endpoint::EndpointKind::percent_change:
      refuse_what_a_number_cannot_be(reader, spec);
      break;
  }
  return spec;
}

StudyEvents events_of(const patient::PatientModel& model) {
  return {model.has_rescue(), model.has_discontinuation(), model.has_dropout()};
}

Estimand::Estimand(const EstimandSpec& spec, const endpoint::Endpoint& endpoint,
                   const patient::PatientModel& model)
    : Estimand(spec, endpoint, events_of(model)) {}

Estimand::Estimand(const EstimandSpec& spec, const endpoint::Endpoint& endpoint, StudyEvents events)
    : name_(spec.name),
      endpoint_(&endpoint),
      limits_{limit_of(spec.rescue, events.rescue, endpoint.week()),
              limit_of(spec.discontinuation, events.discontinuation, endpoint.week()),
              limit_of(spec.dropout, events.dropout, endpoint.week())},
      dropout_(spec.dropout),
      value_when_gone_(spec.dropout == DropoutStrategy::missing ? k_missing : std::int8_t{0}),
      events_(events) {
  // Response is measured after rescue whatever the strategy; who is missing leaves a number of patients
  // that is random.
  const bool is_counted = limits_.rescue != k_ignored || limits_.discontinuation != k_ignored;
  const bool can_miss = limits_.dropout != k_ignored && dropout_ == DropoutStrategy::missing;
  hides_exact_rate_ = is_counted || can_miss || (endpoint.higher_is_better() && events.rescue);
}

bool Estimand::counts_discontinuation() const {
  return limits_.discontinuation != k_ignored;
}

void Estimand::add_needs(patient::Needs& needs) const {
  endpoint_->add_needs(needs);
  if (events_.any()) needs.intercurrent_events = true;
}

void Estimand::values(const patient::Cohort& cohort, std::span<std::int8_t> outcome_in_out) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  TRIALWRIGHT_EXPECT(outcome_in_out.size() == n);
  // First who is gone, then the composite events, which decide where they came before the patient left.
  // An outcome's bytes may alias anything, members too: in copies the loops need no branch.
  std::int8_t* const outcome = outcome_in_out.data();
  if (const double limit = limits_.dropout; limit != k_ignored) {
    const double* dropout = cohort.dropout_weeks.data();
    const std::int8_t when_gone = value_when_gone_;
    for (std::size_t i = 0; i < n; ++i) outcome[i] = dropout[i] <= limit ? when_gone : outcome[i];
  }
  const auto fail_at = [&](const base::AlignedVector<double>& event_weeks, double limit) {
    if (limit == k_ignored) return;
    const double* event = event_weeks.data();
    if (!events_.dropout) {
      for (std::size_t i = 0; i < n; ++i) outcome[i] = event[i] <= limit ? std::int8_t{0} : outcome[i];
      return;
    }
    const double* dropout = cohort.dropout_weeks.data();
    for (std::size_t i = 0; i < n; ++i) {
      const bool fails = (event[i] <= limit) & (event[i] <= dropout[i]);
      outcome[i] = fails ? std::int8_t{0} : outcome[i];
    }
  };
  fail_at(cohort.rescue_weeks, limits_.rescue);
  fail_at(cohort.discontinuation_weeks, limits_.discontinuation);
}

void Estimand::observe(const patient::Cohort& cohort, std::span<std::int8_t> out) const {
  endpoint_->observe(cohort, out);
  values(cohort, out);
}

std::optional<double> Estimand::exact_rate(const patient::PatientModel& model, int arm) const {
  if (hides_exact_rate_) return std::nullopt;
  return among_randomised(endpoint_->exact_rate(model, arm), model, arm);
}

std::optional<double> Estimand::exact_rate(const patient::PatientModel& model, int arm, int factor,
                                           int level) const {
  if (hides_exact_rate_) return std::nullopt;
  return among_randomised(endpoint_->exact_rate(model, arm, factor, level), model, arm);
}

std::optional<double> Estimand::among_randomised(std::optional<double> rate,
                                                 const patient::PatientModel& model, int arm) const {
  if (!rate || limits_.dropout == k_ignored) return rate;
  // Non-response. Who leaves at a constant hazard would have responded as often as the others.
  const auto leaving = model.dropout_law(arm);
  if (!leaving) return std::nullopt;
  return *rate * leaving->staying(limits_.dropout);
}

}  // namespace trialwright::estimand
