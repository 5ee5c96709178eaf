#include "patient/arms.hpp"

#include <algorithm>
#include <functional>

namespace trialwright::patient {

std::vector<Arm> read_arms(input::Reader& study) {
  std::vector<Arm> arms;
  const std::size_t n_faults = study.faults().size();
  for (auto& [name, reader] : study.named("arms")) {
    Arm arm;
    arm.name = name;
    arm.is_control = reader.boolean("control", false);
    arm.dose_cells_per_kg = reader.optional_number("dose_cells_per_kg", input::k_positive);
    arm.infusion_weeks = reader.numbers("infusion_weeks", input::k_non_negative, std::vector<double>{});
    const auto& weeks = arm.infusion_weeks;
    if (std::adjacent_find(weeks.begin(), weeks.end(), std::greater_equal<>()) != weeks.end())
      reader.fault("infusion_weeks", "the weeks of the infusions must increase");
    arms.push_back(std::move(arm));
  }
  const auto n_controls =
      std::count_if(arms.begin(), arms.end(), [](const Arm& a) { return a.is_control; });
  const bool is_sound = study.faults().size() == n_faults;
  if (is_sound && arms.empty())
    study.fault("arms", "the study has no arms (nothing could be compared)",
                "write them, or extend a library study");
  else if (is_sound && n_controls != 1)
    study.fault("arms",
                (n_controls == 0 ? "no arm is" : "several arms are") + std::string(" the control"),
                "write control: true in exactly one arm");
  if (arms.size() > k_most_arms)
    study.fault("arms", "there are more than " + std::to_string(k_most_arms) + " arms");
  return arms;
}

std::size_t control_of(const std::vector<Arm>& arms) {
  const auto found = std::find_if(arms.begin(), arms.end(), [](const Arm& a) { return a.is_control; });
  return found == arms.end() ? 0 : static_cast<std::size_t>(found - arms.begin());
}

std::vector<std::string> names_of(const std::vector<Arm>& arms) {
  std::vector<std::string> names;
  for (const auto& arm : arms) names.push_back(arm.name);
  return names;
}

}  // namespace trialwright::patient
