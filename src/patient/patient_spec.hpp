// The patient sections of a study file, read and checked: what a PatientModel is made from.
#pragma once

#include <memory>
#include <vector>

#include "patient/adverse_events.hpp"
#include "patient/arms.hpp"
#include "patient/course.hpp"
#include "patient/intercurrent_events.hpp"
#include "patient/linked_measures.hpp"
#include "patient/patient_model.hpp"
#include "patient/population.hpp"
#include "patient/recruitment.hpp"

namespace trialwright::patient {

struct PatientSpec {
  // Points whose sections are the same share what was made of them.
  std::shared_ptr<const Recruitment> recruitment;
  std::shared_ptr<const Population> population;
  std::vector<Arm> arms;
  CourseSpec course;  // measure 0
  LinkedMeasures linked;
  IntercurrentEvents events;
  AdverseEvents adverse_events;
};

}  // namespace trialwright::patient
