#include "scenario/scenario_spec.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

#include "scenario/study_path.hpp"

namespace trialwright::scenario {
namespace {

constexpr std::array<base::Named<TruthDraw>, 3> k_draws{{
    {"log_odds_ratio", "ln(odds ratio) from a normal law, shrunk by a prior or discounted where asked",
     "Spiegelhalter, Abrams & Myles 2004, ch. 6", TruthDraw::log_odds_ratio},
    {"beta_rates", "each arm's responder rate from a beta law", "O'Hagan, Stevens & Campbell 2005",
     TruthDraw::beta_rates},
    {"calibration_posterior",
     "each arm's two responder rates from the posterior of the published counts",
     "Dirichlet-multinomial, Jeffreys prior", TruthDraw::calibration_posterior},
}};

std::optional<double> published_rate(const TruthNames& names, int arm) {
  return names.calibration ? names.calibration->published_rate(arm, patient::k_reference_ratio)
                           : std::nullopt;
}

patient::LogOddsRatioDraw read_log_odds_ratio(input::Reader& truth, const TruthNames& names) {
  patient::LogOddsRatioDraw draw;
  draw.mean = truth.number("mean", {-10, 10, false, false, "a log odds ratio"});
  draw.sd = truth.number("sd", {0, 10, false, false, "the standard deviation of a log odds ratio"});
  if (auto prior = truth.optional_map("prior")) {
    const double prior_mean = prior->number("mean", {-10, 10, false, false, "a log odds ratio"});
    const double prior_sd =
        prior->number("sd", {0, 10, true, false, "the standard deviation of a log odds ratio"});
    if (draw.sd == 0) {
      truth.fault("sd", "\"sd\" is 0 (an estimate without error, which no prior can shrink)",
                  "state its standard error, or leave out the prior");
      draw.sd = 1;
    }
    const double prior_precision = 1 / (prior_sd * prior_sd);
    const double precision = 1 / (draw.sd * draw.sd);
    draw.mean = (draw.mean * precision + prior_mean * prior_precision) / (precision + prior_precision);
    draw.sd = std::sqrt(1 / (precision + prior_precision));
  }
  draw.mean *= truth.number("discount", {0, 1, false, false, "a part of the effect"}, 1.0);
  if (truth.has("control")) {
    const auto control = truth.numbers("control", input::k_positive, std::size_t{2});
    draw.control_events = control[0];
    draw.control_non_events = control[1];
    draw.published_control_rate = published_rate(names, names.control_arm);
  }
  return draw;
}

patient::BetaRatesDraw read_beta_rates(input::Reader& truth, const TruthNames& names) {
  patient::BetaRatesDraw draw;
  auto arms = truth.map("arms");
  for (const auto& arm : names.arms) {
    const auto beta = arms.numbers(arm, input::k_positive, std::size_t{2});
    draw.events.push_back(beta[0]);
    draw.non_events.push_back(beta[1]);
    draw.published_rates.push_back(
        published_rate(names, static_cast<int>(draw.published_rates.size())));
  }
  return draw;
}

patient::Truth read_calibration_posterior(input::Reader& truth, const TruthNames& names) {
  const auto draw = names.calibration ? names.calibration->posterior(names.arms) : std::nullopt;
  if (draw) return *draw;
  truth.fault(
      "draw",
      "the calibration does not tell two responder rates of every arm (the posterior is that of two "
      "published counts, such as EASI50 and EASI90)",
      "draw: beta_rates needs one rate of each arm");
  return patient::EffectMultiplier{};
}

patient::Truth read_truth(input::Reader& scenario, const TruthNames& names) {
  const int n_given = (scenario.has("effect") ? 1 : 0) + (scenario.has("odds_ratio") ? 1 : 0) +
                      (scenario.has("truth") ? 1 : 0);
  if (n_given > 1) {
    scenario.fault(scenario.has("truth") ? "truth" : "odds_ratio",
                   "a scenario has one truth (of effect, odds_ratio and truth, more than one is given)",
                   "make it two scenarios, or leave one out");
    for (const auto* key : {"effect", "odds_ratio", "truth"}) scenario.raw(key);
    return patient::EffectMultiplier{};
  }
  if (scenario.has("truth")) {
    auto truth = scenario.map("truth");
    const std::size_t n_faults = truth.faults().size();
    const TruthDraw draw = truth.choice<TruthDraw>("draw", k_draws);
    if (truth.faults().size() > n_faults) {
      for (const auto& key : truth.keys()) truth.raw(key);
      return patient::EffectMultiplier{};
    }
    switch (draw) {
      case TruthDraw::log_odds_ratio:
        return read_log_odds_ratio(truth, names);
      case TruthDraw::beta_rates:
        return read_beta_rates(truth, names);
      case TruthDraw::calibration_posterior:
        return read_calibration_posterior(truth, names);
    }
  }
  if (scenario.has("odds_ratio"))
    return patient::ConstantOddsRatio{
        scenario.number("odds_ratio", {0.01, 100, false, false, "an odds ratio"})};
  return patient::EffectMultiplier{
      scenario.number("effect", {-10, 10, false, false, "a multiple of the calibrated effect"}, 1.0)};
}

// What a scenario cannot change: a truth, an analysis or a design is none of these.
bool is_beyond_scenarios(std::string_view path) {
  const auto section = path.substr(0, path.find('.'));
  for (const auto* name : {"schema", "title", "extends", "scenarios", "sweep", "simulation", "outputs"})
    if (section == name) return true;
  return false;
}

void read_overrides(input::Reader& scenario, const input::Node& root, ScenarioSpec& spec) {
  const input::Node* overrides = scenario.raw("overrides");
  if (!overrides || overrides->kind == input::Node::Kind::null) return;
  if (overrides->kind != input::Node::Kind::map) {
    scenario.fault("overrides", "\"overrides\" is not a map of paths to values",
                   "for example {recruitment.screen_failure: 0.3}");
    return;
  }
  for (const auto& [path, key_at, value] : overrides->entries) {
    if (is_beyond_scenarios(path))
      scenario.faults().add(
          key_at, fmt::format("\"{}\" cannot be overridden by a scenario (it is the same for all of "
                              "them)",
                              path));
    else if (!can_be_set(root, path))
      scenario.faults().add(key_at, fmt::format("there is no \"{}\" in this study to override", path),
                            hint_of_path(root, path));
    else
      spec.overrides.emplace_back(path, value);
  }
}

}  // namespace

std::span<const base::Named<TruthDraw>> truth_draw_table() {
  return k_draws;
}

ScenarioSpec read_scenario(const std::string& name, input::Reader& scenario, const TruthNames& names) {
  ScenarioSpec spec;
  spec.name = name;
  spec.at = scenario.at(scenario.has("effect") ? "effect" : scenario.has("truth") ? "truth" : "");
  spec.truth = read_truth(scenario, names);
  read_overrides(scenario, names.root, spec);
  return spec;
}

std::vector<std::pair<std::string, input::Node>> overrides_of(const input::Node& scenario) {
  std::vector<std::pair<std::string, input::Node>> overrides;
  if (const input::Node* written = scenario.find("overrides"))
    for (const auto& entry : written->entries) overrides.emplace_back(entry.key, entry.value);
  return overrides;
}

}  // namespace trialwright::scenario
