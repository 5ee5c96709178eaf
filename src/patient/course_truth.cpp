#include "patient/course_truth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "rng/draws.hpp"

namespace trialwright::patient {

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

constexpr double k_least_log_odds_ratio = 0.1;
constexpr double k_largest_scale = 2;

double draw_beta(rng::Stream& stream, double events, double non_events) {
  const double a = rng::gamma(stream, events), b = rng::gamma(stream, non_events);
  return a / (a + b);
}

}  // namespace

CourseTruth::CourseTruth(const CourseSpec& spec, const std::vector<Arm>& arms, const Truth& truth,
                         Variants variants, input::Diagnostics& faults, const input::Position& at,
                         CourseTableCache* known)
    : spec_(spec), truth_(truth), control_(control_of(arms)) {
  const std::size_t faults_before = faults.size();
  check(arms, faults, at);
  CourseRecipe recipe;
  recipe.laws.push_back({spec_.laws[control_], spec_.laws[control_], 0});
  arms_.resize(arms.size());
  for (std::size_t arm = 0; arm < arms.size(); ++arm) {
    const auto n_infusions = arms[arm].infusion_weeks.size();
    const bool several = variants == Variants::by_infusions && n_infusions > 0;
    // A law that was refused is not tabulated: the model will not be used.
    arms_[arm].law = faults.size() == faults_before ? law_of(arm, 1) : law_of(control_, 1);
    const double log_odds_ratio = log_odds(spec_.laws[arm], k_reference_ratio) -
                                  log_odds(spec_.laws[control_], k_reference_ratio);
    arms_[arm].log_odds_ratio = std::isfinite(log_odds_ratio) ? log_odds_ratio : 0;
    arms_[arm].first = static_cast<int>(variants_.size());
    arms_[arm].full = several ? static_cast<int>(n_infusions) : 0;
    for (std::size_t k = several ? 0 : n_infusions; k <= n_infusions; ++k) {
      const double fraction =
          k == n_infusions ? 1 : static_cast<double>(k) / static_cast<double>(n_infusions);
      add_variant(arm, faults.size() == faults_before ? fraction : 0, recipe);
    }
  }
  recipe.shifts_patients = shifts_patients();
  recipe.is_mixture = spec_.model == CourseModel::responder_mixture;
  recipe.draws_laws = draws_laws();
  if (!recipe.draws_laws) add_visits(recipe);
  tables_ = known ? known->get(std::move(recipe)) : std::make_shared<CourseTables>(std::move(recipe));
}

bool CourseTruth::is_drawn() const {
  return std::visit(
      Overloaded{[](const EffectMultiplier&) { return false; },
                 [](const ConstantOddsRatio&) { return false; },
                 [](const LogOddsRatioDraw&) { return true; },
                 [](const BetaRatesDraw&) { return true; }, [](const PosteriorDraw&) { return true; }},
      truth_);
}

bool CourseTruth::is_null() const {
  return std::visit(Overloaded{[](const EffectMultiplier& t) { return t.value == 0; },
                               [](const ConstantOddsRatio& t) { return t.value == 1; },
                               [](const LogOddsRatioDraw& t) { return t.mean == 0 && t.sd == 0; },
                               [](const BetaRatesDraw&) { return false; },
                               [](const PosteriorDraw&) { return false; }},
                    truth_);
}

void CourseTruth::check(const std::vector<Arm>& arms, input::Diagnostics& faults,
                        const input::Position& at) const {
  if (const auto* effect = std::get_if<EffectMultiplier>(&truth_)) {
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
      if (arm == control_) continue;
      const auto fault = check_monotone({spec_.laws[control_], spec_.laws[arm], effect->value});
      if (!fault) continue;
      faults.add(
          at,
          fmt::format("an effect of {} is not possible for arm \"{}\" (its distribution function would "
                      "not increase near a ratio to baseline of {:.3g})",
                      effect->value, arms[arm].name, fault->ratio),
          fmt::format("the {} possible effect is {:.2f}; or state a constant odds ratio",
                      effect->value > 1 ? "largest" : "smallest",
                      (effect->value > 1 ? std::floor(fault->admissible * 100)
                                         : std::ceil(fault->admissible * 100)) /
                          100));
    }
  }
  const auto* ratio = std::get_if<ConstantOddsRatio>(&truth_);
  if (ratio && !(ratio->value > 0))
    faults.add(at, fmt::format("the odds ratio is {} (it must be positive)", ratio->value));
  const auto* posterior = std::get_if<PosteriorDraw>(&truth_);
  if (posterior && spec_.model != CourseModel::kumaraswamy)
    faults.add(at,
               "a draw from the calibration's posterior needs the course model kumaraswamy (its two "
               "parameters follow from the two rates drawn)");
}

double CourseTruth::effect_weight() const {
  const auto* effect = std::get_if<EffectMultiplier>(&truth_);
  return effect ? effect->value : 1;
}

TemperedLaw CourseTruth::law_of(std::size_t arm, double fraction) const {
  const bool calibrated =
      std::holds_alternative<EffectMultiplier>(truth_) || std::holds_alternative<BetaRatesDraw>(truth_);
  if (arm == control_ || !calibrated) return {spec_.laws[control_], spec_.laws[control_], 0};
  return {spec_.laws[control_], spec_.laws[arm], effect_weight() * fraction};
}

void CourseTruth::add_variant(std::size_t arm, double fraction, CourseRecipe& recipe) {
  Variant variant;
  variant.arm = arm;
  variant.fraction = arm == control_ ? 1 : fraction;
  const TemperedLaw law = law_of(arm, fraction);
  // Where the truth draws the laws themselves no table is read.
  const bool is_controls = law.multiplier == 0 || draws_laws();
  recipe.law.push_back(is_controls ? 0 : recipe.laws.size());
  if (!is_controls) recipe.laws.push_back(law);
  for (std::size_t visit = 0; visit < spec_.visit_weeks.size(); ++visit)
    variant.exponents.push_back(exponent_at(visit, arm, tau_weight(arm) * fraction));
  variants_.push_back(std::move(variant));
}

void CourseTruth::add_visits(CourseRecipe& recipe) {
  recipe.shifts.assign(variants_.size(), 0.0);
  if (!shifts_patients()) {
    const TrialTruth fixed = draw({}, 0);
    for (std::size_t i = 0; i < variants_.size(); ++i)
      recipe.shifts[i] = shift(fixed, variants_[i].arm, given_of(i));
  }
  for (std::size_t visit = 0; visit < spec_.visit_weeks.size(); ++visit) {
    CourseRecipe::Visit wanted;
    for (const Variant& variant : variants_) wanted.exponents.push_back(variant.exponents[visit]);
    // Drawn exponents; and an atom at 0 has a cusp under an exponent that no table can follow.
    wanted.is_raised = spec_.visit_weeks[visit] < spec_.reached_week &&
                       (std::holds_alternative<LogOddsRatioDraw>(truth_) || recipe.is_mixture);
    if (wanted.is_raised) wanted.exponents.assign(wanted.exponents.size(), 1.0);
    // The visits from the one on where the course is reached share a table, and so do all that are
    // raised.
    const auto found = std::find(recipe.visits.begin(), recipe.visits.end(), wanted);
    table_of_visit_.push_back(static_cast<std::size_t>(found - recipe.visits.begin()));
    if (found == recipe.visits.end()) recipe.visits.push_back(std::move(wanted));
  }
}

// Where the truth draws the odds ratio, each trial has a weight of its own.
double CourseTruth::tau_weight(std::size_t arm) const {
  if (arm == control_ || std::holds_alternative<LogOddsRatioDraw>(truth_)) return 0;
  if (const auto* ratio = std::get_if<ConstantOddsRatio>(&truth_))
    return std::min(1.0, scale_of(arm, math::log(ratio->value)));
  return effect_weight();
}

double CourseTruth::exponent_at(std::size_t visit, std::size_t arm, double tau_weight) const {
  const double from = spec_.tau_weeks[control_], to = spec_.tau_weeks[arm];
  const double tau = tau_weight == 1 ? to : from * math::pow(to / from, tau_weight);
  return course_exponent(spec_.visit_weeks[visit], tau, spec_.reached_week);
}

double CourseTruth::exponent_of(const TrialTruth& truth, std::size_t visit,
                                const Variant& variant) const {
  if (variant.arm == control_ || spec_.visit_weeks[visit] >= spec_.reached_week ||
      !std::holds_alternative<LogOddsRatioDraw>(truth_))
    return variant.exponents[visit];
  return exponent_at(visit, variant.arm, std::min(1.0, truth.scale[variant.arm]) * variant.fraction);
}

double CourseTruth::scale_of(std::size_t arm, double log_odds_ratio) const {
  if (arm == control_) return 0;
  const double calibrated = arms_[arm].log_odds_ratio;
  const double unit = calibrated < 0 ? std::min(calibrated, -k_least_log_odds_ratio)
                                     : std::max(calibrated, k_least_log_odds_ratio);
  return std::clamp(log_odds_ratio / unit, 0.0, k_largest_scale);
}

double CourseTruth::high_placebo(const TrialTruth& truth, std::size_t arm, int variant,
                                 double log_odds) const {
  const double fraction = at(arm, variant).fraction;
  const double left = std::clamp(1 - fraction * truth.scale[arm], 0.0, 1.0) * log_odds;
  const double effect = fraction * truth.log_odds_ratio[arm];
  return effect > 0 ? std::max(left, log_odds - effect) : left;
}

void CourseTruth::draw_posterior(const PosteriorDraw& posterior, rng::Key key, std::uint64_t trial,
                                 TrialTruth& result) const {
  for (std::size_t arm = 0; arm < arms_.size(); ++arm) {
    const auto& counts = posterior.arms[arm];
    const RatioLaw& calibrated = spec_.laws[arm];
    const auto move = [&](double events, double ratio) {
      const double published = events / counts.patients;
      return published > 0 && published < 1 ? log_odds(calibrated, ratio) - math::logit(published) : 0;
    };
    rng::Stream stream({key, rng::Purpose::truth, trial, 1 + static_cast<std::uint32_t>(arm)});
    const double deep = rng::gamma(stream, counts.deep_responders + 0.5);
    const double shallow = rng::gamma(stream, counts.responders - counts.deep_responders + 0.5);
    const double rest = rng::gamma(stream, counts.patients - counts.responders + 0.5);
    const double total = deep + shallow + rest;
    constexpr double k_least = 1e-9;
    const auto rate = [&](double share, double moved) {
      const double inside = std::min(std::max(share, k_least), 1 - k_least);
      return math::logistic(math::logit(inside) + moved);
    };
    const double rate_1 = rate((deep + shallow) / total, move(counts.responders, posterior.ratio_1));
    const double rate_2 = rate(deep / total, move(counts.deep_responders, posterior.ratio_2));
    // Two different moves could cross the two rates; the deeper one stays the smaller.
    result.drawn[arm] = kumaraswamy_through(posterior.ratio_1, rate_1, posterior.ratio_2,
                                            std::min(rate_2, 0.999 * rate_1),
                                            std::get<Kumaraswamy>(calibrated).maximum);
  }
  const double control = log_odds(RatioLaw{result.drawn[control_]}, k_reference_ratio);
  for (std::size_t arm = 0; arm < arms_.size(); ++arm)
    set_effect(arm, log_odds(RatioLaw{result.drawn[arm]}, k_reference_ratio) - control, result);
}

void CourseTruth::set_effect(std::size_t arm, double log_odds_ratio, TrialTruth& result) const {
  result.log_odds_ratio[arm] = arm == control_ ? 0 : log_odds_ratio;
  result.scale[arm] = scale_of(arm, log_odds_ratio);
}

TrialTruth CourseTruth::draw(rng::Key key, std::uint64_t trial) const {
  TrialTruth result;
  const auto set_odds_ratio = [&](double control_shift, double log_odds_ratio) {
    for (std::size_t arm = 0; arm < arms_.size(); ++arm) {
      result.shift[arm] = control_shift + (arm == control_ ? 0 : log_odds_ratio);
      set_effect(arm, log_odds_ratio, result);
    }
  };
  const auto shift_to_rate = [&](std::size_t arm, double events, double non_events,
                                 std::optional<double> published) {
    rng::Stream stream({key, rng::Purpose::truth, trial, 1 + static_cast<std::uint32_t>(arm)});
    const double rate = std::min(std::max(draw_beta(stream, events, non_events), 1e-9), 1 - 1e-9);
    const bool is_told = published && *published > 0 && *published < 1;
    return math::logit(rate) -
           (is_told ? math::logit(*published) : log_odds(spec_.laws[arm], k_reference_ratio));
  };
  std::visit(
      Overloaded{[&](const EffectMultiplier& truth) {
                   for (std::size_t arm = 0; arm < arms_.size(); ++arm) {
                     if (arm == control_) continue;
                     result.scale[arm] = truth.value;
                     result.log_odds_ratio[arm] = truth.value * arms_[arm].log_odds_ratio;
                   }
                 },
                 [&](const ConstantOddsRatio& truth) { set_odds_ratio(0, math::log(truth.value)); },
                 [&](const LogOddsRatioDraw& truth) {
                   rng::Stream stream({key, rng::Purpose::truth, trial, 0});
                   const double log_odds_ratio = truth.mean + truth.sd * stream.normal(0);
                   const double control_shift =
                       truth.control_events
                           ? shift_to_rate(control_, *truth.control_events, *truth.control_non_events,
                                           truth.published_control_rate)
                           : 0;
                   set_odds_ratio(control_shift, log_odds_ratio);
                 },
                 [&](const BetaRatesDraw& truth) {
                   for (std::size_t arm = 0; arm < arms_.size(); ++arm)
                     result.shift[arm] = shift_to_rate(
                         arm, truth.events[arm], truth.non_events[arm],
                         truth.published_rates.empty() ? std::nullopt : truth.published_rates[arm]);
                   for (std::size_t arm = 0; arm < arms_.size(); ++arm)
                     set_effect(arm,
                                arms_[arm].log_odds_ratio + result.shift[arm] - result.shift[control_],
                                result);
                 },
                 [&](const PosteriorDraw& truth) { draw_posterior(truth, key, trial, result); }},
      truth_);
  return result;
}

double CourseTruth::drawn_ratio(const TrialTruth& truth, const Variant& variant, double exponent,
                                double x) const {
  const Kumaraswamy &control = truth.drawn[control_], &law = truth.drawn[variant.arm];
  const double ratio =
      variant.fraction == 1 ? quantile(law, x) : partial_quantile(control, law, variant.fraction, x);
  return exponent == 1 ? ratio : math::pow(ratio, exponent);
}

void CourseTruth::draw_ratios(const TrialTruth& truth, const Visit& visit, const std::size_t* only,
                              std::span<float> out) const {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Variant& variant =
        variants_[only != nullptr ? *only : static_cast<std::size_t>(visit.variant[i])];
    const double x = tables_->fine_log_odds(visit.z[i]) - visit.shift[i];
    out[i] = static_cast<float>(drawn_ratio(truth, variant, variant.exponents[visit.i_visit], x));
  }
}

void CourseTruth::fill_ratios(const TrialTruth& truth, const Visit& visit, const std::size_t* only,
                              std::span<float> out) const {
  if (draws_laws()) return draw_ratios(truth, visit, only, out);
  const auto& law = tables_->visit(table_of_visit_[visit.i_visit]);
  TableChoice choice;
  if (only == nullptr && !law.is_common) choice.variant = visit.variant;
  if (only != nullptr && !law.is_common) choice.first = *only;
  if (shifts_patients())
    look_up_shifted(law.table, choice, visit.z, visit.shift, out);
  else
    look_up(law.table, choice, visit.z, out);
  if (!law.is_raised) return;
  const auto exponent = [&](std::size_t variant) {
    return static_cast<float>(exponent_of(truth, visit.i_visit, variants_[variant]));
  };
  if (only != nullptr) {
    std::fill(visit.work.begin(), visit.work.end(), exponent(*only));
  } else if (std::array<float, 64> known{}; variants_.size() <= known.size()) {
    for (std::size_t i = 0; i < variants_.size(); ++i) known[i] = exponent(i);
    for (std::size_t i = 0; i < out.size(); ++i)
      visit.work[i] = known[static_cast<std::size_t>(visit.variant[i])];
  } else {
    for (std::size_t i = 0; i < out.size(); ++i)
      visit.work[i] = exponent(static_cast<std::size_t>(visit.variant[i]));
  }
  raise(visit.work, out);
}

void CourseTruth::ratios(const TrialTruth& truth, const Visit& visit, std::span<float> out) const {
  fill_ratios(truth, visit, nullptr, out);
}

void CourseTruth::control_ratios(const TrialTruth& truth, const Visit& visit,
                                 std::span<float> out) const {
  const auto control = static_cast<std::size_t>(arms_[control_].first);
  fill_ratios(truth, visit, &control, out);
}

}  // namespace trialwright::patient
