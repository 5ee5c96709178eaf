#include "patient/patient_spec.hpp"

#include <algorithm>

namespace trialwright::patient {

namespace {

// The measures: one of kind `course`, which drives the others and becomes measure 0.
void read_measures(input::Reader& study, PatientSpec& spec) {
  const std::size_t n_faults = study.faults().size();
  auto measures = study.named("measures");
  const auto pass_over = [&] {
    for (auto& [name, reader] : measures)
      for (const auto& key : reader.keys()) reader.raw(key);
    spec.course.visit_weeks = {12};
  };
  // Without a covariate no measure has a baseline, and that has been told.
  if (spec.population->covariates().empty()) return pass_over();
  std::vector<std::size_t> courses;
  for (std::size_t i = 0; i < measures.size(); ++i) {
    const auto* kind = measures[i].second.raw("kind");
    if (kind && kind->text == "course") courses.push_back(i);
  }
  if (courses.size() != 1) {
    if (study.faults().size() == n_faults)
      study.fault("measures", courses.empty()
                                  ? "no measure is of kind course (the one that drives the others)"
                                  : "several measures are of kind course (one drives the others)");
    return pass_over();
  }
  auto& [name, reader] = measures[courses.front()];
  spec.course = read_course(name, reader, spec.arms, *spec.population, *spec.recruitment);
  spec.linked = LinkedMeasures::read(measures, courses.front(), spec.course, *spec.population);
}

}  // namespace

std::shared_ptr<const PatientSpec> read_patient(input::Reader& study, const KnownParts& known) {
  auto spec = std::make_shared<PatientSpec>();
  if (known.recruitment) {
    study.raw("recruitment");
    spec->recruitment = known.recruitment->recruitment;
  } else {
    spec->recruitment = std::make_shared<const Recruitment>(Recruitment::read(study));
  }
  const auto regions = spec->recruitment->region_names();
  if (known.population && known.population->recruitment->region_names() == regions) {
    study.raw("population");
    spec->population = known.population->population;
  } else {
    spec->population = std::make_shared<const Population>(Population::read(study, regions));
  }
  spec->arms = read_arms(study);
  read_measures(study, *spec);
  spec->events = IntercurrentEvents::read(study, spec->arms, spec->course.visit_weeks);
  spec->adverse_events = AdverseEvents::read(study, spec->arms);
  if (spec->events.discontinuation && spec->events.discontinuation->after_grade_3_event > 0 &&
      !spec->adverse_events.any())
    study.fault("intercurrent_events",
                "after_grade_3_event needs the section safety, which says how often such events are");
  return spec;
}

}  // namespace trialwright::patient
