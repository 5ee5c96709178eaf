#include "analysis/analysis_spec.hpp"

namespace trialwright::analysis {

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
  const Stratification stratification = stratification_of(spec.test.method);
  spec.effect = reader.choice("effect", effect_measure_table(), EffectMeasure::risk_difference);
  const bool newcombe_exists = !check(spec.effect, IntervalMethod::newcombe, stratification);
  const auto fallback = newcombe_exists ? IntervalMethod::newcombe : IntervalMethod::wald;
  spec.interval = reader.choice("interval", interval_method_table(), fallback);
  if (const auto problem = check(spec.effect, spec.interval, stratification)) {
    reader.fault("interval", *problem, "wald goes with every effect, with and without strata");
    spec.interval = IntervalMethod::wald;
  }
  spec.confidence_level = 1.0 - (spec.test.sides == Sides::two ? 1.0 : 2.0) * spec.test.alpha;
  return spec;
}

Estimator make_estimator(const AnalysisSpec& spec) {
  return {spec.effect, spec.interval, spec.confidence_level, stratification_of(spec.test.method)};
}

}  // namespace trialwright::analysis
