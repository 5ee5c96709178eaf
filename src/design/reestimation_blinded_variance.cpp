#include "design/reestimation_rule.hpp"

namespace trialwright::design {

namespace {

class BlindedVariance final : public ReestimationRule {
 public:
  explicit BlindedVariance(ArmRates planned) : planned_(planned) {}

  SizeAnswer decide(const InterimView& view) const override {
    const double planned =
        view.parts.treatment * planned_.treatment + view.parts.control * planned_.control;
    const double seen = view.blinded_rate * (1.0 - view.blinded_rate);
    return {SizeAction::enlarge, view.planned_at_start * seen / (planned * (1.0 - planned))};
  }
  bool is_blinded() const override { return true; }

 private:
  ArmRates planned_;
};

}  // namespace

std::shared_ptr<const ReestimationRule> read_blinded_variance(input::Reader& reader,
                                                              const RuleContext& context) {
  return std::make_shared<BlindedVariance>(read_planned_rates(reader, context));
}

}  // namespace trialwright::design
