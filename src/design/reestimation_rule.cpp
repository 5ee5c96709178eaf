#include "design/reestimation_rule.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace trialwright::design {

SizingVariance read_variance(input::Reader& reader, const RuleContext& context, SizingVariance usual) {
  const auto variance = reader.choice<SizingVariance>(
      "variance", k_sizing_variances, context.margin == 0 ? usual : SizingVariance::unpooled);
  if (context.margin != 0 && variance != SizingVariance::unpooled)
    reader.fault("variance",
                 "the primary analysis has a margin, under which the arms have no common rate",
                 "variance: unpooled");
  return variance;
}

ArmRates read_planned_rates(input::Reader& reader, const RuleContext& context) {
  ArmRates rates{0.5, 0.5};
  const StudyNames& names = *context.names;
  const std::size_t faults_before = reader.faults().size();
  const auto written = reader.number_by_name("rates", names.arms, "arm", input::k_open_probability);
  if (context.arms.size() != 2 || reader.faults().size() > faults_before) return rates;
  for (std::size_t a = 0; a < written.size(); ++a) {
    const bool is_of_design =
        std::any_of(context.arms.begin(), context.arms.end(),
                    [&](const auto& arm) { return arm.arm == static_cast<int>(a); });
    if (is_of_design && written[a]) {
      (static_cast<int>(a) == names.control_arm ? rates.control : rates.treatment) = *written[a];
    } else if (is_of_design != written[a].has_value()) {
      reader.fault("rates",
                   is_of_design
                       ? fmt::format("the planned rate of arm \"{}\" is missing", names.arms[a])
                       : fmt::format("arm \"{}\" is not in the design", names.arms[a]),
                   "one rate of each of the design's two arms");
      return rates;
    }
  }
  const double sign = context.direction == analysis::Direction::higher_is_better ? 1.0 : -1.0;
  if (sign * (rates.treatment - rates.control) + context.margin <= 0)
    reader.fault("rates",
                 "treatment is not planned to be better (no number of patients would show that it is)",
                 "the rates of the effect that the trial is to show");
  return rates;
}

Foresight read_foresight(input::Reader& reader, const RuleContext& context) {
  Foresight foresight;
  foresight.power = reader.number("power", input::k_open_probability, 0.9);
  foresight.effect =
      reader.choice<ForeseenEffect>("effect", k_foreseen_effects, ForeseenEffect::observed);
  foresight.variance = read_variance(reader, context, SizingVariance::unpooled);
  if (foresight.effect == ForeseenEffect::planned)
    foresight.planned = read_planned_rates(reader, context);
  return foresight;
}

}  // namespace trialwright::design
