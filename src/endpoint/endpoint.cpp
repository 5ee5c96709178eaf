#include "endpoint/endpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"
#include "endpoint/measured_visit.hpp"

namespace trialwright::endpoint {

namespace {

constexpr double k_tolerance = 1e-9;  // scores stand on a decimal grid, doubles do not
constexpr int k_highest_grade = 4;

std::vector<std::string> names_of(const std::vector<patient::MeasureInfo>& measures) {
  std::vector<std::string> names;
  for (const auto& measure : measures) names.push_back(measure.name);
  return names;
}

int read_visit(input::Reader& reader, const StudyNames& names, double week) {
  const auto& visits = names.visit_weeks;
  for (std::size_t v = 0; v < visits.size(); ++v)
    if (std::abs(visits[v] - week) < k_tolerance) return static_cast<int>(v);
  if (reader.has("week") && !visits.empty())
    reader.fault("week", fmt::format("week {} is not a visit (nothing is measured then)", week),
                 fmt::format("visits are at weeks {}", fmt::join(visits, ", ")));
  return 0;
}

// Reads `measure` and `week`; the measure is -1 where it is faulty.
template <class Spec>
int read_measured_visit(input::Reader& reader, const StudyNames& names, Spec& spec) {
  const int measure = reader.reference("measure", names_of(names.measures), "measure");
  if (measure >= 0) spec.measure = measure;
  const std::size_t faults_before = reader.faults().size();
  spec.week = reader.number("week", {0, input::k_positive.maximum, true, false, "weeks"});
  if (reader.faults().size() == faults_before) spec.visit = read_visit(reader, names, spec.week);
  return measure;
}

ChangeSpec read_change(input::Reader& reader, const StudyNames& names, ChangeUnit unit) {
  ChangeSpec spec;
  spec.unit = unit;
  if (const int measure = read_measured_visit(reader, names, spec); measure >= 0) {
    const auto& info = names.measures[static_cast<std::size_t>(measure)];
    spec.range = info.maximum - info.minimum;
  }
  return spec;
}

ResponderSpec read_responder(input::Reader& reader, const StudyNames& names) {
  ResponderSpec spec;
  const int measure = read_measured_visit(reader, names, spec);
  input::Bounds value_bounds = input::k_any_number, points_bounds = input::k_positive;
  if (measure >= 0) {
    const auto& info = names.measures[static_cast<std::size_t>(measure)];
    // At the measure's maximum every patient would respond.
    value_bounds = {info.minimum, info.maximum, false, true, "a value of the measure"};
    points_bounds = {0, info.maximum - info.minimum, true, false, "points of the measure"};
  }
  spec.reduction =
      reader.optional_number("reduction", {0, 1, true, false, "a fraction of the baseline"});
  spec.at_most = reader.optional_number("at_most", value_bounds);
  spec.improvement = reader.optional_number("improvement", points_bounds);
  if (!spec.reduction && !spec.at_most && !spec.improvement)
    reader.fault(
        "measure", "the endpoint does not say what a response is",
        "give reduction (a fraction of the baseline), at_most (a value) or improvement (points)");
  return spec;
}

AdverseEventSpec read_adverse_event(input::Reader& reader, const StudyNames& names) {
  AdverseEventSpec spec;
  const double last = names.follow_up_weeks > 0 ? names.follow_up_weeks : input::k_positive.maximum;
  spec.weeks = reader.number("weeks", {0, last, true, false, "weeks within the follow-up"});
  spec.minimum_grade = static_cast<int>(reader.integer("minimum_grade", 1, k_highest_grade, 1));
  const auto category =
      reader.optional_reference("category", names.adverse_event_categories, "adverse event category");
  if (category && *category >= 0) spec.category = category;
  spec.serious_only = reader.boolean("serious", false);
  if (names.adverse_event_categories.empty())
    reader.fault("kind", "the study has no adverse events (it has no section \"safety\")",
                 "add \"safety\", or extend a library study that has it");
  return spec;
}

class Responder final : public Endpoint {
 public:
  Responder(std::string name, const ResponderSpec& spec, const StudyNames& names)
      : Endpoint(std::move(name), spec),
        spec_(spec),
        at_(spec.measure, spec.visit, names),
        is_exact_(spec.measure == 0 ||
                  names.measures.at(static_cast<std::size_t>(spec.measure)).is_grade),
        ratio_(1.0 - spec.reduction.value_or(0.0) + k_tolerance),
        at_most_(spec.at_most.value_or(input::k_any_number.maximum) + k_tolerance),
        improvement_(spec.improvement.value_or(input::k_any_number.minimum) - k_tolerance) {}

  void observe(const patient::Cohort& cohort, std::span<std::int8_t> outcome) const override {
    TRIALWRIGHT_EXPECT(outcome.size() == static_cast<std::size_t>(cohort.n_patients));
    const auto value = at_.values(cohort);
    const auto baseline = at_.baselines(cohort);
    const bool any_reduction = !spec_.reduction;
    if (!any_reduction && !spec_.at_most && !spec_.improvement) {
      for (std::size_t i = 0; i < outcome.size(); ++i)
        outcome[i] = static_cast<std::int8_t>((value[i] <= ratio_ * baseline[i]) & (baseline[i] > 0));
      return;
    }
    for (std::size_t i = 0; i < outcome.size(); ++i) {
      const bool is_reduced = any_reduction | ((value[i] <= ratio_ * baseline[i]) & (baseline[i] > 0));
      const bool is_low = value[i] <= at_most_;
      const bool is_improved = baseline[i] - value[i] >= improvement_;
      outcome[i] = static_cast<std::int8_t>(is_reduced & is_low & is_improved);
    }
  }

  void add_needs(patient::Needs& needs) const override { at_.add_needs(needs); }
  double week() const override { return spec_.week; }
  bool higher_is_better() const override { return true; }

  bool has_closed_form() const override { return is_exact_; }
  std::optional<double> exact_rate(const patient::PatientModel& model, int arm) const override {
    if (!has_closed_form()) return std::nullopt;
    return model.response_probability(arm, spec_.condition());
  }
  std::optional<double> exact_rate(const patient::PatientModel& model, int arm, int factor,
                                   int level) const override {
    if (!has_closed_form()) return std::nullopt;
    return model.response_probability(arm, spec_.condition(), factor, level);
  }

 private:
  ResponderSpec spec_;
  MeasuredVisit at_;
  bool is_exact_;  // the driving measure or a grade of it
  double ratio_;
  double at_most_;
  double improvement_;
};

class AdverseEvent final : public Endpoint {
 public:
  AdverseEvent(std::string name, const AdverseEventSpec& spec)
      : Endpoint(std::move(name), spec), spec_(spec) {}

  void observe(const patient::Cohort& cohort, std::span<std::int8_t> outcome) const override {
    TRIALWRIGHT_EXPECT(outcome.size() == static_cast<std::size_t>(cohort.n_patients));
    std::fill(outcome.begin(), outcome.end(), std::int8_t{0});
    for (const auto& event : cohort.adverse_events)
      if (counts(event)) outcome[static_cast<std::size_t>(event.patient)] = 1;
  }

  void add_needs(patient::Needs& needs) const override { needs.adverse_events = true; }
  double week() const override { return spec_.weeks; }
  bool higher_is_better() const override { return false; }

  bool has_closed_form() const override {
    return spec_.minimum_grade == 1 && !spec_.category && !spec_.serious_only;
  }
  std::optional<double> exact_rate(const patient::PatientModel& model, int arm) const override {
    if (!has_closed_form()) return std::nullopt;
    return model.adverse_event_probability(arm, spec_.weeks);
  }
  // Adverse events are the same whoever has them.
  std::optional<double> exact_rate(const patient::PatientModel& model, int arm, int,
                                   int) const override {
    return exact_rate(model, arm);
  }

 private:
  bool counts(const patient::AdverseEvent& event) const {
    return event.week <= spec_.weeks && event.grade >= spec_.minimum_grade &&
           (!spec_.category || event.category == *spec_.category) &&
           (!spec_.serious_only || event.serious);
  }

  AdverseEventSpec spec_;
};

}  // namespace

patient::ResponseCondition ResponderSpec::condition() const {
  patient::ResponseCondition condition;
  condition.measure = measure;
  condition.i_visit = visit;
  if (reduction) condition.ratio = 1.0 - *reduction;
  condition.at_most = at_most;
  condition.improvement = improvement;
  return condition;
}

EndpointKind EndpointSpec::kind() const {
  struct Kind {
    EndpointKind operator()(const ResponderSpec&) const { return EndpointKind::responder; }
    EndpointKind operator()(const AdverseEventSpec&) const { return EndpointKind::adverse_event; }
    EndpointKind operator()(const ChangeSpec& spec) const {
      return spec.unit == ChangeUnit::points ? EndpointKind::change : EndpointKind::percent_change;
    }
  };
  return std::visit(Kind{}, definition);
}

double EndpointSpec::week() const {
  struct Week {
    double operator()(const ResponderSpec& spec) const { return spec.week; }
    double operator()(const AdverseEventSpec& spec) const { return spec.weeks; }
    double operator()(const ChangeSpec& spec) const { return spec.week; }
  };
  return std::visit(Week{}, definition);
}

EndpointSpec read_endpoint(std::string name, input::Reader& reader, const StudyNames& names) {
  const auto kind = reader.choice<EndpointKind>("kind", k_endpoint_kinds);
  switch (kind) {
    case EndpointKind::responder:
      return {std::move(name), read_responder(reader, names)};
    case EndpointKind::adverse_event:
      return {std::move(name), read_adverse_event(reader, names)};
    case EndpointKind::change:
      return {std::move(name), read_change(reader, names, ChangeUnit::points)};
    case EndpointKind::percent_change:
      return {std::move(name), read_change(reader, names, ChangeUnit::percent)};
  }
  return {std::move(name), ResponderSpec{}};
}

std::unique_ptr<Endpoint> make(const EndpointSpec& spec, const StudyNames& names) {
  struct Make {
    const std::string& name;
    const StudyNames& names;
    std::unique_ptr<Endpoint> operator()(const ResponderSpec& responder) const {
      return std::make_unique<Responder>(name, responder, names);
    }
    std::unique_ptr<Endpoint> operator()(const AdverseEventSpec& event) const {
      return std::make_unique<AdverseEvent>(name, event);
    }
    std::unique_ptr<Endpoint> operator()(const ChangeSpec&) const { return nullptr; }
  };
  auto made = std::visit(Make{spec.name, names}, spec.definition);
  TRIALWRIGHT_EXPECT(made);
  return made;
}

StudyNames layout_of(const patient::PatientModel& model) {
  return {model.measures(), model.visit_weeks(), model.adverse_event_categories(),
          model.follow_up_weeks()};
}

std::unique_ptr<Endpoint> make(const EndpointSpec& spec, const patient::PatientModel& model) {
  return make(spec, layout_of(model));
}

}  // namespace trialwright::endpoint
