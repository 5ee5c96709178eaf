#include "design/futility.hpp"

#include <fmt/format.h>

#include <cmath>
#include <span>

#include "design/boundary_reader.hpp"
#include "math/normal.hpp"
#include "sequential/conditional_power.hpp"

namespace trialwright::design {

namespace {

using sequential::Binding;

double below_of(const FutilityRuleSpec& spec, const FutilityView& view) {
  return spec.below[static_cast<std::size_t>(view.i_look)];
}

class ZLimit final : public FutilityLimit {
 public:
  explicit ZLimit(const FutilityRuleSpec& spec) : spec_(spec) {}
  double z_limit(const FutilityView& view) const override { return below_of(spec_, view); }
  std::string_view statistic() const override { return "z"; }
  double value(double z, const FutilityView&) const override { return z; }

 private:
  FutilityRuleSpec spec_;
};

// Under the observed effect: Phi((z / sqrt(t) - c) / sqrt(1 - t)).
class ObservedConditionalPower final : public FutilityLimit {
 public:
  explicit ObservedConditionalPower(const FutilityRuleSpec& spec) : spec_(spec) {}
  double z_limit(const FutilityView& view) const override {
    const double t = view.information;
    if (t >= 1) return view.final_z;
    return std::sqrt(t) *
           (view.final_z + std::sqrt(1 - t) * math::normal_quantile(below_of(spec_, view)));
  }
  std::string_view statistic() const override { return "conditional_power"; }
  double value(double z, const FutilityView& view) const override {
    return sequential::conditional_power(z, view.information, view.final_z,
                                         z / std::sqrt(view.information));
  }

 private:
  FutilityRuleSpec spec_;
};

class PlannedConditionalPower final : public FutilityLimit {
 public:
  PlannedConditionalPower(const FutilityRuleSpec& spec, double drift) : spec_(spec), drift_(drift) {}
  double z_limit(const FutilityView& view) const override {
    const double t = view.information;
    if (t >= 1) return view.final_z;
    return (view.final_z + std::sqrt(1 - t) * math::normal_quantile(below_of(spec_, view)) -
            drift_ * (1 - t)) /
           std::sqrt(t);
  }
  std::string_view statistic() const override { return "conditional_power"; }
  double value(double z, const FutilityView& view) const override {
    return sequential::conditional_power(z, view.information, view.final_z, drift_);
  }

 private:
  FutilityRuleSpec spec_;
  double drift_;
};

class PredictivePower final : public FutilityLimit {
 public:
  explicit PredictivePower(const FutilityRuleSpec& spec) : spec_(spec) {}
  double z_limit(const FutilityView& view) const override {
    const double t = view.information;
    if (t >= 1) return view.final_z;
    return view.final_z * std::sqrt(t) +
           std::sqrt(1 - t) * math::normal_quantile(below_of(spec_, view));
  }
  std::string_view statistic() const override { return "predictive_power"; }
  double value(double z, const FutilityView& view) const override {
    return sequential::predictive_power(z, view.information, view.final_z);
  }

 private:
  FutilityRuleSpec spec_;
};

input::Bounds bounds_of(FutilityRule rule) {
  switch (rule) {
    case FutilityRule::conditional_power:
    case FutilityRule::predictive_power:
      return input::k_open_probability;
    case FutilityRule::z:
      return {-10, 10, false, false, "a critical value"};
    case FutilityRule::effect:
    case FutilityRule::beta_spending:
      break;
  }
  return input::k_any_number;
}

// One limit for all interim looks, or one for each.
std::vector<double> read_below(input::Reader& reader, FutilityRule rule, int n_interim) {
  const input::Bounds bounds = bounds_of(rule);
  const input::Node* written = reader.has("below") ? reader.raw("below") : nullptr;
  const auto n = static_cast<std::size_t>(n_interim);
  if (written != nullptr && written->kind == input::Node::Kind::sequence)
    return reader.numbers("below", bounds, n);
  return std::vector<double>(n, reader.number("below", bounds));
}

void read_effect(input::Reader& reader, const FutilityNames& names, FutilityRuleSpec& spec) {
  spec.effect =
      reader.choice<ForetoldEffect>("effect", std::span(k_foretold_effects), ForetoldEffect::observed);
  if (spec.effect == ForetoldEffect::observed) return;
  const auto rates = reader.number_by_name("rates", names.arms, "arm", input::k_open_probability);
  const auto rate_of = [&](int arm) {
    const auto& rate = rates[static_cast<std::size_t>(arm)];
    if (!rate && reader.has("rates"))
      reader.fault("rates", fmt::format("no rate of \"{}\" (an effect lies between two)",
                                        names.arms[static_cast<std::size_t>(arm)]));
    return rate.value_or(0.5);
  };
  spec.planned_rate_1 = rate_of(names.treatment);
  spec.planned_rate_0 = rate_of(names.control);
}

}  // namespace

FutilityRuleSpec read_futility(input::Reader& reader, const FutilityNames& names) {
  FutilityRuleSpec spec;
  spec.rule = reader.choice<FutilityRule>("rule", std::span(k_futility_rules));
  spec.binding = reader.boolean("binding", false) ? Binding::binding : Binding::non_binding;
  if (spec.rule == FutilityRule::beta_spending) {
    const std::size_t faults_before = reader.faults().size();
    spec.beta.beta = reader.number("beta", {0, 0.5, true, false, "a probability"}, 0.1);
    spec.beta.spending = read_boundary(reader, spec.beta.beta, names.n_looks,
                                       sequential::Family::lan_demets_obrien_fleming);
    if (reader.faults().size() > faults_before) return spec;
    if (auto problem = sequential::check(spec.beta, names.alpha, names.n_looks))
      reader.fault("rule", *problem);
    return spec;
  }
  spec.below = read_below(reader, spec.rule, names.n_looks - 1);
  if (spec.rule == FutilityRule::conditional_power) read_effect(reader, names, spec);
  if (spec.rule == FutilityRule::effect && spec.binding == Binding::binding)
    reader.fault("binding",
                 "a binding limit of the effect (a boundary can allow for limits of z alone)",
                 "rule: z, or binding: false");
  return spec;
}

std::unique_ptr<const FutilityLimit> make_futility_limit(const FutilityRuleSpec& spec,
                                                         double planned_drift) {
  switch (spec.rule) {
    case FutilityRule::conditional_power:
      if (spec.effect == ForetoldEffect::planned)
        return std::make_unique<PlannedConditionalPower>(spec, planned_drift);
      return std::make_unique<ObservedConditionalPower>(spec);
    case FutilityRule::predictive_power:
      return std::make_unique<PredictivePower>(spec);
    case FutilityRule::z:
      return std::make_unique<ZLimit>(spec);
    case FutilityRule::beta_spending:
    case FutilityRule::effect:
      return nullptr;
  }
  return nullptr;
}

}  // namespace trialwright::design
