#include "scenario/calibration_spec.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "input/number_text.hpp"
#include "scenario/study_path.hpp"

namespace trialwright::scenario {

std::optional<double> CalibrationSpec::published_rate(int arm, double ratio) const {
  constexpr double same_ratio = 1e-9;
  std::optional<double> rate;
  for (const auto& target : targets) {
    if (target.arm != arm || !target.response_ratio ||
        std::abs(*target.response_ratio - ratio) > same_ratio)
      continue;
    if (rate) return std::nullopt;
    rate = target.events / target.patients;
  }
  return rate;
}

std::optional<patient::PosteriorDraw> CalibrationSpec::posterior(
    const std::vector<std::string>& arms) const {
  patient::PosteriorDraw draw;
  draw.arms.resize(arms.size());
  for (std::size_t i_arm = 0; i_arm < arms.size(); ++i_arm) {
    std::vector<const CalibrationTarget*> responses;
    for (const auto& target : targets)
      if (target.arm == static_cast<int>(i_arm) && target.response_ratio) responses.push_back(&target);
    if (responses.size() != 2) return std::nullopt;
    if (*responses[0]->response_ratio < *responses[1]->response_ratio)
      std::swap(responses[0], responses[1]);
    if (responses[0]->patients != responses[1]->patients) return std::nullopt;
    if (i_arm > 0 && (draw.ratio_1 != *responses[0]->response_ratio ||
                      draw.ratio_2 != *responses[1]->response_ratio))
      return std::nullopt;
    draw.ratio_1 = *responses[0]->response_ratio;
    draw.ratio_2 = *responses[1]->response_ratio;
    draw.arms[i_arm] = {responses[0]->events, responses[1]->events, responses[0]->patients};
  }
  return draw;
}

namespace {

// Every path leads to a number, and stands once.
void check_fitted(input::Reader& calibration, const input::Node& root) {
  const input::Node* fitted = calibration.raw("fitted");
  if (!fitted) return;
  // A number with a fault is told where it stands.
  const bool numbers_are_sound = calibration.faults().empty();
  std::set<std::string> seen;
  for (const auto& item : fitted->items) {
    if (item.kind != input::Node::Kind::scalar) continue;
    const input::Node* parameter = input::find_path(root, item.text);
    if (!parameter)
      calibration.faults().add(item.at,
                               fmt::format("there is no \"{}\" in this study to fit", item.text),
                               hint_of_path(root, item.text));
    else if (numbers_are_sound && (parameter->kind != input::Node::Kind::scalar || parameter->quoted ||
                                   !input::parse_number(parameter->text).value))
      calibration.faults().add(item.at,
                               fmt::format("\"{}\" is no number (it cannot be fitted)", item.text));
    if (!seen.insert(item.text).second)
      calibration.faults().add(
          item.at, fmt::format("\"{}\" stands twice among the fitted parameters", item.text));
  }
}

}  // namespace

std::optional<CalibrationSpec> read_calibration(input::Reader& study, const CalibrationNames& names,
                                                const input::Node& root) {
  auto calibration = study.optional_map("calibration");
  if (!calibration) return std::nullopt;
  CalibrationSpec spec;
  spec.source = calibration->text("source", "");
  for (auto& [name, target] : calibration->named("targets")) {
    CalibrationTarget read;
    const std::size_t n_faults = target.faults().size();
    read.name = name;
    read.estimand = names.estimands.read_events(target, "estimand");
    read.arm = target.reference("arm", names.arms, "arm");
    read.patients = static_cast<double>(target.integer("patients", 1, 1'000'000'000));
    read.events = static_cast<double>(target.integer("events", 0, 1'000'000'000));
    if (target.faults().size() == n_faults && read.events > read.patients)
      target.fault("events",
                   fmt::format("\"events\" is {} (of only {} patients)", read.events, read.patients));
    if (read.estimand >= 0)
      read.response_ratio = names.response_ratios[static_cast<std::size_t>(read.estimand)];
    spec.targets.push_back(std::move(read));
  }
  spec.fitted = calibration->texts("fitted", {});
  check_fitted(*calibration, root);
  if (spec.fitted.size() > spec.targets.size())
    calibration->fault("fitted",
                       fmt::format("{} parameters are fitted to {} targets (more than they can tell)",
                                   spec.fitted.size(), spec.targets.size()));
  return spec;
}

}  // namespace trialwright::scenario
