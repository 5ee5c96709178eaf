#include <algorithm>

#include "math/elementary.hpp"
#include "patient/patient_model_impl.hpp"

namespace trialwright::patient {

namespace {

enum SiteEffectColumn : std::size_t { k_intercept, k_effect, k_high_placebo };

bool has(const std::vector<std::vector<bool>>& measure_visits, std::size_t measure, std::size_t visit) {
  return measure < measure_visits.size() && visit < measure_visits[measure].size() &&
         measure_visits[measure][visit];
}

}  // namespace

// Which visits are made: those that a measure is read at and, where events hang on
// the course, all before them.
struct PatientModel::Impl::VisitPlan {
  VisitMask made;
  std::size_t n_steps = 0;  // intervals that are gone through
  bool has_process = false;
};

PatientModel::Impl::VisitPlan PatientModel::Impl::plan_visits(const Needs& needs) const {
  const std::size_t n_visits = spec->course.visit_weeks.size();
  VisitPlan plan;
  for (std::size_t visit = 0; visit < n_visits; ++visit) {
    for (std::size_t measure = 0; measure < measure_infos.size(); ++measure)
      plan.made[visit] = plan.made[visit] || has(needs.measure_visits, measure, visit);
    if (plan.made[visit]) plan.n_steps = visit + 1;
  }
  plan.has_process = needs.intercurrent_events && (spec->events.rescue || spec->events.dropout);
  if (!plan.has_process) return plan;
  // Who leaves after the last score that is read takes later adverse events along.
  if (needs.adverse_events && spec->events.dropout) plan.n_steps = n_visits;
  for (std::size_t visit = 0; visit + 1 < plan.n_steps; ++visit) plan.made[visit] = true;
  return plan;
}

void PatientModel::Impl::draw_safety(rng::Key key, std::uint64_t trial, const Needs& needs,
                                     Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  cohort.adverse_events.clear();
  std::fill_n(cohort.discontinuation_weeks.begin(), n, k_never);
  const auto& discontinuation = spec->events.discontinuation;
  if (discontinuation)  // as if nobody stopped, until somebody does
    for (std::size_t i = 0; i < n; ++i)
      cohort.scratch.infusions[i] = truth.full_variant(static_cast<std::size_t>(cohort.arm[i]));
  else
    std::fill_n(cohort.scratch.infusions.begin(), n, 0);
  const bool stops = needs.intercurrent_events && discontinuation;
  const bool events_stop = stops && discontinuation->after_grade_3_event > 0;
  if (spec->adverse_events.any() && (needs.adverse_events || events_stop))
    spec->adverse_events.draw(key, trial, stops ? discontinuation : std::nullopt, cohort);
  else if (stops)
    draw_discontinuation(key, trial, *discontinuation, spec->arms, cohort);
}

// Of every site, its region's included: log odds for everybody, for the effect,
// and for a high placebo response.
void PatientModel::Impl::draw_site_effects(rng::Key key, std::uint64_t trial, Cohort& cohort) const {
  const auto& effects = spec->course.effects;
  const auto& regions = spec->recruitment.site_regions();
  auto& table = cohort.scratch.site_effects;
  for (std::size_t site = 0; site < regions.size(); ++site) {
    double intercept = 0, effect = 0, high_placebo = 0;
    if (effects.site) {
      rng::Stream stream({key, rng::Purpose::site_response, trial, static_cast<std::uint32_t>(site)});
      intercept += effects.site->intercept_sd * stream.normal(0);
      effect += effects.site->effect_sd * stream.normal(1);
      if (stream.uniform(2) < effects.site->high_placebo_probability)
        high_placebo = effects.site->high_placebo_log_odds;
    }
    if (effects.region) {
      const auto region = static_cast<std::size_t>(regions[site]);
      rng::Stream stream(
          {key, rng::Purpose::region_response, trial, static_cast<std::uint32_t>(region)});
      intercept += effects.region->intercept[region] + effects.region->intercept_sd * stream.normal(0);
      effect += effects.region->effect[region] + effects.region->effect_sd * stream.normal(1);
    }
    table[k_intercept][site] = intercept;
    table[k_effect][site] = effect;
    table[k_high_placebo][site] = high_placebo;
  }
}

void PatientModel::Impl::add_effects(const TrialTruth& trial_truth, Cohort& cohort) const {
  const auto& effects = spec->course.effects;
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  auto& work = cohort.scratch.columns;
  const auto total = work[shift].first(n), control = work[control_shift].first(n);
  const auto& sites = cohort.scratch.site_effects;
  for (std::size_t i = 0; i < n; ++i) {
    const auto arm = static_cast<std::size_t>(cohort.arm[i]),
               site = static_cast<std::size_t>(cohort.site[i]);
    double intercept = 0, effect = 0, high_placebo = 0;
    if (effects.site || effects.region) {
      intercept = sites[k_intercept][site];
      effect = sites[k_effect][site];
      high_placebo = sites[k_high_placebo][site];
    }
    for (const auto& stratum : effects.strata) {
      const auto level =
          static_cast<std::size_t>(cohort.strata[static_cast<std::size_t>(stratum.factor)][i]);
      intercept += stratum.intercept[level];
      effect += stratum.effect[level];
    }
    if (effects.baseline != 0) intercept += effects.baseline * cohort.baseline_normal[i];
    const int infusions = cohort.scratch.infusions[i];
    total[i] += intercept + truth.scale(trial_truth, arm, infusions) * effect +
                truth.high_placebo(trial_truth, arm, infusions, high_placebo);
    control[i] += intercept + high_placebo;
  }
}

void PatientModel::Impl::fill_shifts(rng::Key key, std::uint64_t trial, const TrialTruth& trial_truth,
                                     Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  auto& work = cohort.scratch.columns;
  const auto total = work[shift].first(n);
  for (std::size_t i = 0; i < n; ++i)
    total[i] =
        truth.shift(trial_truth, static_cast<std::size_t>(cohort.arm[i]), cohort.scratch.infusions[i]);
  std::fill_n(work[control_shift].begin(), n, trial_truth.shift[control_of(spec->arms)]);
  const auto& effects = spec->course.effects;
  if (!effects.any()) return;
  if (effects.site || effects.region) draw_site_effects(key, trial, cohort);
  add_effects(trial_truth, cohort);
}

void PatientModel::Impl::fill_measures(rng::Key key, std::uint64_t trial, std::size_t visit,
                                       const Needs& needs, const TrialTruth& trial_truth,
                                       Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const std::size_t n_visits = spec->course.visit_weeks.size();
  auto& work = cohort.scratch.columns;
  const auto& links = spec->linked.list();
  bool reads_score = has(needs.measure_visits, 0, visit), reads_control = false;
  for (std::size_t link = 0; link < links.size(); ++link) {
    if (!has(needs.measure_visits, 1 + link, visit)) continue;
    reads_score = reads_score || links[link].kind == LinkKind::graded;
    reads_control = reads_control || links[link].pathway == Pathway::null;
  }
  LinkedMeasures::VisitInput in;
  in.visit = visit;
  in.observed_ratio = cohort.observed_ratio[visit].first(n);
  in.ratio_sd = truth.control_moments().sd;
  if (reads_score) {
    const auto score = cohort.values[visit].first(n);
    const auto baseline = cohort.covariates[static_cast<std::size_t>(spec->course.baseline_covariate)];
    for (std::size_t i = 0; i < n; ++i)
      score[i] = spec->course.score(baseline[i], in.observed_ratio[i]);
    in.driving_score = score;
  }
  if (reads_control) {
    const auto ratio = work[control_ratio].first(n);
    truth.control_ratios(trial_truth, visit, work[visits + visit].first(n),
                         work[control_shift].first(n), ratio);
    process.observe(ratio, cohort, ratio);
    in.control_ratio = ratio;
  }
  for (std::size_t link = 0; link < links.size(); ++link)
    if (has(needs.measure_visits, 1 + link, visit))
      spec->linked.fill(key, trial, link, in, cohort, noise,
                        cohort.values[(1 + link) * n_visits + visit].first(n));
}

void PatientModel::Impl::follow(rng::Key key, std::uint64_t trial, const Needs& needs,
                                Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const VisitPlan plan = plan_visits(needs);
  draw_safety(key, trial, needs, cohort);
  process.start(cohort);
  if (plan.n_steps > 0) {
    const TrialTruth trial_truth = truth.draw(key, trial);
    auto& work = cohort.scratch.columns;
    fill_shifts(key, trial, trial_truth, cohort);
    spec->course.correlation.draw(key, trial, plan.made, n, work, visits);
    for (std::size_t visit = 0; visit < plan.n_steps; ++visit) {
      if (plan.has_process) {
        const auto previous =
            visit == 0 ? std::span<const double>{} : cohort.unrescued_ratio[visit - 1].first(n);
        process.step(key, trial, visit, previous, cohort);
      }
      if (!plan.made[visit]) continue;
      const auto unrescued = cohort.unrescued_ratio[visit].first(n);
      truth.ratios(trial_truth, visit, cohort.arm, cohort.scratch.infusions,
                   work[visits + visit].first(n), work[shift].first(n), unrescued);
      process.observe(unrescued, cohort, cohort.observed_ratio[visit].first(n));
      fill_measures(key, trial, visit, needs, trial_truth, cohort);
    }
  }
  if (!needs.adverse_events)
    cohort.adverse_events.clear();
  else if (spec->events.dropout && needs.intercurrent_events)
    AdverseEvents::hide_after_dropout(cohort);
}

}  // namespace trialwright::patient
