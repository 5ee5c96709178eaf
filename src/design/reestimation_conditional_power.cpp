#include "design/reestimation_rule.hpp"

namespace trialwright::design {

namespace {

class ConditionalPower final : public ReestimationRule {
 public:
  explicit ConditionalPower(Foresight foresight) : foresight_(foresight) {}

  SizeAnswer decide(const InterimView& view) const override {
    const Prospect prospect = foresight_.prospect(view);
    return {SizeAction::enlarge,
            view.size_with(patients_for(prospect, view.critical_z_2, foresight_.power)),
            power_of(prospect, view.to_come(view.planned), view.critical_z_2)};
  }

 private:
  Foresight foresight_;
};

}  // namespace

std::shared_ptr<const ReestimationRule> read_conditional_power(input::Reader& reader,
                                                               const RuleContext& context) {
  return std::make_shared<ConditionalPower>(read_foresight(reader, context));
}

}  // namespace trialwright::design
