// What a study file says of a multi-arm multi-stage design.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "design/design_spec.hpp"
#include "design/multi_stage.hpp"

namespace trialwright::design {

namespace {

using sequential::MultiArmFutility;
using sequential::MultiArmShape;

// Of the planned final information, look by look.
std::vector<double> read_information(input::Reader& reader, const DesignSpec& spec) {
  std::vector<double> information;
  const auto& looks = spec.looks->interim;
  if (looks.size() >= sequential::k_most_multi_arm_looks) {
    reader.fault("looks",
                 fmt::format("{} interim looks (boundaries over several arms are solved for {} looks, "
                             "the last one included)",
                             looks.size(), sequential::k_most_multi_arm_looks),
                 fmt::format("take {} or fewer", sequential::k_most_multi_arm_looks - 1));
    return {1};
  }
  for (const auto& look : looks)
    if (const auto* rule = std::get_if<OutcomesKnown>(&look.rule))
      information.push_back(static_cast<double>(rule->patients.of(spec.patients)) / spec.patients);
  const bool are_numbers = information.size() == looks.size();
  const std::size_t faults_before = reader.faults().size();
  if (!are_numbers || reader.has("planned_information"))
    information = reader.numbers("planned_information", {0, 1, true, true, "a fraction"}, looks.size());
  if (reader.faults().size() > faults_before) return {1};
  information.push_back(1);
  if (const auto problem = sequential::check_information(information)) {
    reader.fault(are_numbers ? "looks" : "planned_information", *problem);
    return {1};
  }
  return information;
}

// Active arms of one size; so many control patients to one of each.
void read_ratio(input::Reader& reader, const DesignSpec& spec, const StudyNames& names,
                MultiStageSpec& rules) {
  const std::size_t n_active = spec.arms.size() - 1;
  if (n_active < 2 || n_active > k_most_closed)
    reader.fault("arms",
                 fmt::format("the number of active arms is {} (2 to {} are compared with the control)",
                             n_active, k_most_closed));
  int active = 0, control = 1;
  bool is_even = true;
  for (std::size_t a = 0; a < spec.arms.size(); ++a) {
    if (spec.arms[a].arm == names.control_arm) {
      rules.i_control = static_cast<int>(a);
      control = spec.arms[a].ratio;
    } else {
      is_even = is_even && (active == 0 || spec.arms[a].ratio == active);
      active = spec.arms[a].ratio;
    }
  }
  if (!is_even)
    reader.fault("arms", "the active arms differ in size (the boundary is for arms of one size)",
                 "give the active arms the same share; the control's may differ");
  else if (active > 0)
    rules.control_ratio = static_cast<double>(control) / active;
}

}  // namespace

MultiStageSpec read_multi_stage(input::Reader& reader, const DesignSpec& spec,
                                const StudyNames& names) {
  MultiStageSpec rules;
  rules.shape = reader.choice<MultiArmShape>("boundary", sequential::k_multi_arm_shapes, rules.shape);
  const bool is_triangular = rules.shape == MultiArmShape::triangular;
  rules.futility = reader.choice<MultiArmFutility>(
      "futility", sequential::k_multi_arm_futilities,
      is_triangular ? MultiArmFutility::triangular : MultiArmFutility::zero);
  rules.stop_when = reader.choice<StopWhen>("stop_when", k_stop_when, StopWhen::any);
  if (!spec.arms.empty()) read_ratio(reader, spec, names, rules);
  rules.information = spec.looks ? read_information(reader, spec) : std::vector<double>{1};
  return rules;
}

}  // namespace trialwright::design
