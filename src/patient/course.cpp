#include "patient/course.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "math/elementary.hpp"

namespace trialwright::patient {

namespace {

// Wider than any effect that a study could mean.
constexpr input::Bounds k_log_odds{-20, 20, false, false, "a log odds"};
constexpr input::Bounds k_log_odds_sd{0, 10, false, false, "a standard deviation"};

constexpr std::array<base::Named<CourseModel>, 2> k_models{{
    {"kumaraswamy", "bounded ratio R = maximum (1 - (1 - u)^(1/b))^(1/a)",
     "Kumaraswamy 1980, J Hydrol 46:79-88", CourseModel::kumaraswamy},
    {"responder_mixture", "(1 - p) max(0, Normal) + p Lognormal: responders exist", "",
     CourseModel::responder_mixture},
}};

constexpr input::Bounds k_shape{0.02, 1000, false, false, "a Kumaraswamy parameter"};
constexpr input::Bounds k_ratio_maximum{1, 100, false, false, "the largest ratio to baseline"};

// One law an arm from a map arm -> parameters; every arm must be there.
template <class ReadLaw>
std::vector<RatioLaw> read_laws(input::Reader& model, const std::vector<std::string>& arms,
                                RatioLaw fallback, ReadLaw&& read_law) {
  std::vector<RatioLaw> laws(arms.size(), fallback);
  std::vector<bool> seen(arms.size(), false);
  for (auto& [name, reader] : model.named("arms")) {
    const auto found = std::find(arms.begin(), arms.end(), name);
    const RatioLaw law = read_law(reader);
    if (found == arms.end()) {
      const auto near = base::closest(name, arms);
      reader.fault("", "\"" + name + "\" is not an arm",
                   near.empty() ? "" : "did you mean \"" + near + "\"?");
      continue;
    }
    laws[static_cast<std::size_t>(found - arms.begin())] = law;
    seen[static_cast<std::size_t>(found - arms.begin())] = true;
  }
  for (std::size_t arm = 0; arm < arms.size(); ++arm)
    if (!seen[arm]) model.fault("arms", "arm \"" + arms[arm] + "\" has no parameters here");
  return laws;
}

std::vector<RatioLaw> read_kumaraswamy(input::Reader& model, const std::vector<std::string>& arms) {
  const double maximum = model.number("ratio_maximum", k_ratio_maximum);
  return read_laws(model, arms, Kumaraswamy{1, 1, maximum}, [&](input::Reader& reader) {
    const double a = reader.number("a", k_shape);
    return Kumaraswamy{a, reader.number("b", k_shape), maximum};
  });
}

std::vector<RatioLaw> read_mixture(input::Reader& model, const std::vector<std::string>& arms) {
  ResponderMixture shared;
  {
    auto rest = model.map("non_responder");
    shared.mean = rest.number("mean", {0, 10, false, false, "a ratio"});
    shared.sd = rest.number("sd", {1e-3, 10, false, false, "a standard deviation of the ratio"});
    auto responder = model.map("responder");
    shared.log_mean = responder.number("log_mean", {-20, 5, false, false, "the log of a ratio"});
    shared.log_sd =
        responder.number("log_sd", {1e-2, 10, false, false, "a standard deviation of the log ratio"});
  }
  return read_laws(model, arms, shared, [&](input::Reader& reader) {
    ResponderMixture law = shared;
    law.responder_fraction = reader.number("responder_fraction", {0, 1, false, true, "a probability"});
    return law;
  });
}

void read_laws(input::Reader& measure, const std::vector<std::string>& arms, CourseSpec& spec) {
  auto reader = measure.map("course");
  spec.model = reader.choice<CourseModel>("model", k_models);
  spec.reached_week = reader.number("reached_week", input::k_positive);
  const std::size_t n_faults = reader.faults().size();
  const auto tau = reader.number_by_name("tau_weeks", arms, "arm", input::k_positive);
  const bool is_sound = reader.faults().size() == n_faults;
  for (std::size_t arm = 0; arm < arms.size(); ++arm) {
    if (is_sound && !tau[arm])
      reader.fault("tau_weeks", "arm \"" + arms[arm] + "\" has no time constant here");
    spec.tau_weeks.push_back(tau[arm].value_or(1));
  }
  // Both models' parameters may stand in a file; the one not chosen is held to the same rules.
  const auto read_model = [&](const char* key, CourseModel model, auto&& read) {
    if (model == spec.model) {
      auto parameters = reader.map(key);
      spec.laws = read(parameters, arms);
    } else if (auto parameters = reader.optional_map(key)) {
      read(*parameters, arms);
    }
  };
  read_model("kumaraswamy", CourseModel::kumaraswamy, read_kumaraswamy);
  read_model("responder_mixture", CourseModel::responder_mixture, read_mixture);
}

std::vector<double> by_region(input::Reader& reader, const char* key,
                              const std::vector<std::string>& names) {
  std::vector<double> result(names.size(), 0.0);
  const auto values = reader.number_by_name(key, names, "region", k_log_odds, false);
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = values[i].value_or(0);
  return result;
}

CourseEffects read_effects(input::Reader& measure, const Population& population,
                           const Recruitment& recruitment) {
  CourseEffects effects;
  if (auto reader = measure.optional_map("site_effects")) {
    SiteEffects site;
    site.intercept_sd = reader->number("intercept_sd", k_log_odds_sd, 0.0);
    site.effect_sd = reader->number("effect_sd", k_log_odds_sd, 0.0);
    site.high_placebo_probability =
        reader->number("high_placebo_probability", input::k_probability, 0.0);
    site.high_placebo_log_odds =
        math::log(reader->number("high_placebo_odds_ratio", input::k_positive, 1.0));
    effects.site = site;
  }
  if (auto reader = measure.optional_map("region_effects")) {
    RegionEffects region;
    region.intercept_sd = reader->number("intercept_sd", k_log_odds_sd, 0.0);
    region.effect_sd = reader->number("effect_sd", k_log_odds_sd, 0.0);
    const auto names = recruitment.region_names();
    region.intercept = by_region(*reader, "intercept", names);
    region.effect = by_region(*reader, "effect", names);
    effects.region = region;
  }
  if (measure.has("stratum_effects")) {
    for (auto& [name, reader] : measure.named("stratum_effects")) {
      const auto& strata = population.strata();
      const auto found =
          std::find_if(strata.begin(), strata.end(), [&](const Stratum& s) { return s.name == name; });
      if (found == strata.end()) {
        std::vector<std::string> names;
        for (const auto& stratum : strata) names.push_back(stratum.name);
        const auto near = base::closest(name, names);
        reader.fault("", "\"" + name + "\" is not a factor of population.strata",
                     near.empty() ? "" : "did you mean \"" + near + "\"?");
        for (const auto& key : reader.keys()) reader.raw(key);
        continue;
      }
      if (found->test)
        reader.fault(
            "", "\"" + name + "\" is what a test says (effects belong to the factor that it tests)");
      const std::vector<double> none(found->levels.size(), 0.0);
      StratumEffects effect;
      effect.factor = static_cast<int>(found - strata.begin());
      for (auto [key, target] :
           {std::pair{"intercept", &effect.intercept}, std::pair{"effect", &effect.effect}}) {
        *target = reader.numbers(key, k_log_odds, none);
        if (target->size() == none.size()) continue;
        reader.fault(
            key, "the factor has " + std::to_string(none.size()) + " levels, and each needs a number");
        *target = none;
      }
      const auto is_zero = [](double value) { return value == 0; };
      if (!std::all_of(effect.intercept.begin(), effect.intercept.end(), is_zero) ||
          !std::all_of(effect.effect.begin(), effect.effect.end(), is_zero))
        effects.strata.push_back(std::move(effect));
    }
  } else {
    measure.raw("stratum_effects");
  }
  effects.baseline = measure.number("baseline_effect", k_log_odds, 0.0);
  if (auto reader = measure.optional_map("calendar_drift")) {
    effects.calendar_drift = reader->number("log_odds_per_year", k_log_odds);
    if (recruitment.is_trivial())
      reader->fault("",
                    "a drift needs the section recruitment, which says when patients are randomised");
  }
  return effects;
}

}  // namespace

std::span<const base::Named<CourseModel>> course_model_table() {
  return k_models;
}

bool CourseEffects::has_effect_terms() const {
  const auto nonzero = [](const std::vector<double>& x) {
    return std::any_of(x.begin(), x.end(), [](double value) { return value != 0; });
  };
  if (site && (site->effect_sd > 0 || site->high_placebo_log_odds != 0)) return true;
  if (region && (region->effect_sd > 0 || nonzero(region->effect))) return true;
  return std::any_of(strata.begin(), strata.end(), [&](const auto& s) { return nonzero(s.effect); });
}

double course_exponent(double week, double tau_weeks, double reached_week) {
  if (week >= reached_week) return 1;
  return math::expm1(-week / tau_weeks) / math::expm1(-reached_week / tau_weeks);
}

CourseSpec read_course(const std::string& name, input::Reader& measure, const std::vector<Arm>& arms,
                       const Population& population, const Recruitment& recruitment) {
  CourseSpec spec;
  spec.name = name;
  spec.baseline_covariate = std::max(0, measure.reference("baseline", population.names(), "covariate"));
  if (!population.covariates().empty() &&
      population.covariates()[static_cast<std::size_t>(spec.baseline_covariate)].grading)
    measure.fault("baseline", "the baseline of a course cannot be a graded covariate");
  spec.minimum = measure.number(
      "minimum", {0, 0, false, false, "a course that is a ratio of its baseline ends at 0"}, 0.0);
  spec.maximum = measure.number("maximum", input::k_positive);
  spec.grid = Grid(measure.number("grid", input::k_non_negative, 0.0));
  if (!spec.grid.holds(spec.maximum))
    measure.fault("maximum", "the maximum is not a multiple of the grid");
  const std::size_t n_faults = measure.faults().size();
  spec.visit_weeks = measure.numbers("visits_weeks", input::k_positive);
  const bool visits_are_sound = measure.faults().size() == n_faults;
  const auto& weeks = spec.visit_weeks;
  if (weeks.empty() || weeks.size() > 60 ||
      std::adjacent_find(weeks.begin(), weeks.end(), std::greater_equal<>()) != weeks.end()) {
    if (visits_are_sound)
      measure.fault(
          "visits_weeks",
          "the visits must be 1 to 60 weeks that increase (baseline, week 0, is not among them)");
    spec.visit_weeks = {12};
  }
  read_laws(measure, names_of(arms), spec);
  spec.correlation = VisitCorrelation::read(measure, spec.visit_weeks, spec.reached_week);
  spec.effects = read_effects(measure, population, recruitment);
  return spec;
}

}  // namespace trialwright::patient
