#include <fmt/format.h>

#include "design/reestimation_rule.hpp"

namespace trialwright::design {

namespace {

constexpr double k_even_chance = 0.5;

class PromisingZone final : public ReestimationRule {
 public:
  PromisingZone(Foresight foresight, double from, double to)
      : foresight_(foresight), from_(from), to_(to) {}

  SizeAnswer decide(const InterimView& view) const override {
    const Prospect prospect = foresight_.prospect(view);
    const double power = power_of(prospect, view.to_come(view.planned), view.critical_z_2);
    if (power < from_) return {SizeAction::keep_unfavourable, 0, power};
    if (power >= to_) return {SizeAction::keep_favourable, 0, power};
    return {SizeAction::enlarge,
            view.size_with(patients_for(prospect, view.critical_z_2, foresight_.power)), power};
  }
  bool enlarges_above_even_chance() const override {
    return from_ >= k_even_chance && foresight_.effect == ForeseenEffect::observed;
  }

 private:
  Foresight foresight_;
  double from_;
  double to_;
};

}  // namespace

std::shared_ptr<const ReestimationRule> read_promising_zone(input::Reader& reader,
                                                            const RuleContext& context) {
  const double from = reader.number("from", input::k_open_probability);
  const Foresight foresight = read_foresight(reader, context);
  const double to = reader.number("to", input::k_open_probability, foresight.power);
  if (to > foresight.power)
    reader.fault("to",
                 fmt::format("the zone ends at {}, above the power of {} that it is raised to", to,
                             foresight.power),
                 fmt::format("at most {}", foresight.power));
  if (from >= to && reader.has("from"))
    reader.fault("from", fmt::format("the zone starts at {} and ends at {}", from, to),
                 fmt::format("below {}", to));
  return std::make_shared<PromisingZone>(foresight, from, to);
}

}  // namespace trialwright::design
