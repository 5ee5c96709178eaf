#include "design/reestimation_rule.hpp"

namespace trialwright::design {

namespace {

class BlindedRate final : public ReestimationRule {
 public:
  BlindedRate(double power, SizingVariance variance, ArmRates planned, KeptEffect kept)
      : power_(power), variance_(variance), planned_(planned), kept_(kept) {}

  SizeAnswer decide(const InterimView& view) const override {
    const ArmRates rates = rates_at(view.blinded_rate, planned_, view.parts, kept_);
    // Of all patients of a fixed trial, so that every one of them counts, and the critical value is
    // its.
    const double with_value = patients_for(view.prospect(rates, variance_), view.critical_z, power_);
    return {SizeAction::enlarge, with_value / view.completeness};
  }
  bool is_blinded() const override { return true; }

 private:
  double power_;
  SizingVariance variance_;
  ArmRates planned_;
  KeptEffect kept_;
};

}  // namespace

std::shared_ptr<const ReestimationRule> read_blinded_rate(input::Reader& reader,
                                                          const RuleContext& context) {
  const double power = reader.number("power", input::k_open_probability, 0.9);
  const auto variance = read_variance(reader, context, SizingVariance::pooled);
  const ArmRates planned = read_planned_rates(reader, context);
  const auto kept = reader.choice<KeptEffect>("keeps", k_kept_effects, KeptEffect::risk_difference);
  return std::make_shared<BlindedRate>(power, variance, planned, kept);
}

}  // namespace trialwright::design
