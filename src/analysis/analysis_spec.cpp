#include "analysis/analysis_spec.hpp"

#include <span>

namespace trialwright::analysis {
namespace {

// The effect, its scale and what it borrows, of a subgroup that borrows.
void read_borrowing(input::Reader& reader, AnalysisSpec& spec) {
  spec.effect = reader.choice("effect", effect_measure_table(), EffectMeasure::odds_ratio);
  if (spec.effect != EffectMeasure::odds_ratio && spec.effect != EffectMeasure::risk_difference) {
    reader.fault("effect", "the method commensurate is of odds ratios and risk differences",
                 "effect: odds_ratio");
    spec.effect = EffectMeasure::odds_ratio;
  }
  spec.interval = IntervalMethod::wald;
  if (reader.has("interval")) {
    reader.raw("interval");
    reader.fault("interval",
                 "the method commensurate has an interval of its own (of posterior quantiles)",
                 "leave out \"interval\"");
  }
  BorrowingPrior prior;
  auto borrow = reader.map("borrow");
  prior.prior =
      borrow.choice("prior", std::span<const base::Named<HeterogeneityPrior>>(k_heterogeneity_priors),
                    HeterogeneityPrior::half_normal);
  const bool may_be_0 = prior.prior == HeterogeneityPrior::fixed;
  prior.heterogeneity_sd = borrow.number(
      "heterogeneity_sd",
      {may_be_0 ? 0.0 : 1e-4, 10.0, false, false, "an SD of effects on the scale of the analysis"});
  spec.borrowing = prior;
}

void refuse_borrowing(input::Reader& reader) {
  if (!reader.has("borrow")) return;
  reader.raw("borrow");
  reader.fault("borrow",
               "\"borrow\" is given for a method that borrows nothing (only commensurate does)",
               "method: commensurate");
}

}  // namespace

AnalysisSpec read_test(input::Reader& reader, Direction direction) {
  AnalysisSpec spec;
  spec.test.direction = direction;
  spec.test.method = reader.choice("method", method_table(), Method::chi_square);
  spec.test.sides = reader.integer("sides", 1, 2, 2) == 1 ? Sides::one : Sides::two;
  spec.test.alpha = reader.number("alpha", {0.0, 0.5, true, true, "a significance level"}, 0.05);
  spec.test.margin =
      reader.number("margin", {0.0, 1.0, false, true, "a tolerated loss in the risk difference"}, 0.0);
  if (const auto problem = check(spec.test)) {
    reader.fault("margin", *problem,
                 spec.test.sides == Sides::two
                     ? "say sides: 1, and method: farrington_manning or z_unpooled"
                     : "say method: farrington_manning or z_unpooled");
    spec.test.margin = 0.0;
  }
  spec.confidence_level = 1.0 - (spec.test.sides == Sides::two ? 1.0 : 2.0) * spec.test.alpha;
  if (spec.test.method == Method::commensurate) {
    read_borrowing(reader, spec);
    return spec;
  }
  refuse_borrowing(reader);
  const Stratification stratification = stratification_of(spec.test.method);
  spec.effect = reader.choice("effect", effect_measure_table(), EffectMeasure::risk_difference);
  const bool newcombe_exists = !check(spec.effect, IntervalMethod::newcombe, stratification);
  const auto fallback = newcombe_exists ? IntervalMethod::newcombe : IntervalMethod::wald;
  spec.interval = reader.choice("interval", interval_method_table(), fallback);
  if (const auto problem = check(spec.effect, spec.interval, stratification)) {
    reader.fault("interval", *problem, "wald goes with every effect, with and without strata");
    spec.interval = IntervalMethod::wald;
  }
  return spec;
}

Estimator make_estimator(const AnalysisSpec& spec) {
  return {spec.effect, spec.interval, spec.confidence_level, stratification_of(spec.test.method)};
}

}  // namespace trialwright::analysis
