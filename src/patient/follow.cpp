#include <algorithm>

#include "math/elementary.hpp"
#include "patient/patient_model_impl.hpp"
#include "rng/batch.hpp"

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
  VisitMask read;
  VisitMask made;
  std::size_t n_steps = 0;  // intervals that are gone through
  bool has_process = false;
  bool reads_control = false;
};

// One window of patients while it is followed.
struct PatientModel::Impl::Followed {
  rng::Key key;
  std::uint64_t trial;
  const Needs& needs;
  const VisitPlan& plan;
  const TrialTruth& truth;
  Cohort& cohort;
  std::size_t first;
  std::size_t n;
  IntercurrentProcess::Run events;

  std::span<float> floats(std::size_t i) const { return cohort.scratch.floats[i].first(n); }
  template <class T>
  std::span<T> patients(base::Columns<T>& columns, std::size_t i) const {
    return columns[i].subspan(first, n);
  }
};

PatientModel::Impl::VisitPlan PatientModel::Impl::plan_visits(const Needs& needs) const {
  const std::size_t n_visits = spec->course.visit_weeks.size();
  const auto& links = spec->linked.list();
  VisitPlan plan;
  for (std::size_t visit = 0; visit < n_visits; ++visit) {
    for (std::size_t measure = 0; measure < measure_infos.size(); ++measure) {
      if (!has(needs.measure_visits, measure, visit)) continue;
      plan.read[visit] = true;
      plan.n_steps = visit + 1;
      plan.reads_control =
          plan.reads_control || (measure > 0 && links[measure - 1].pathway == Pathway::null);
    }
  }
  plan.made = plan.read;
  plan.has_process = needs.intercurrent_events && process.any();
  if (!plan.has_process) return plan;
  // Who leaves after the last score that is read takes later adverse events along.
  if (needs.adverse_events && spec->events.dropout) plan.n_steps = n_visits;
  if (process.reads_ratios())
    for (std::size_t visit = 0; visit + 1 < plan.n_steps; ++visit) plan.made[visit] = true;
  return plan;
}

void PatientModel::Impl::draw_safety(rng::Key key, std::uint64_t trial, const Needs& needs,
                                     Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  cohort.adverse_events.clear();
  const auto& discontinuation = spec->events.discontinuation;
  if (discontinuation) {  // as if nobody stopped, until somebody does
    std::fill_n(cohort.discontinuation_weeks.begin(), n, k_never);
    for (std::size_t i = 0; i < n; ++i)
      cohort.scratch.infusions[i] = truth.full_variant(static_cast<std::size_t>(cohort.arm[i]));
  }
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
  const auto& regions = spec->recruitment->site_regions();
  auto& scratch = cohort.scratch;
  auto& table = scratch.site_effects;
  if (effects.site) {
    const SiteEffects& site = *effects.site;
    auto& words = scratch.site_words;
    rng::fill_words({key, rng::Purpose::site_response, trial, 0}, 0, regions.size(),
                    {words[0].data(), words[1].data(), words[2].data(), nullptr});
    rng::normals_of_words(words[0], scratch.site_normals[0]);
    rng::normals_of_words(words[1], scratch.site_normals[1]);
    for (std::size_t i = 0; i < regions.size(); ++i) {
      table[k_intercept][i] = site.intercept_sd * scratch.site_normals[0][i];
      table[k_effect][i] = site.effect_sd * scratch.site_normals[1][i];
      table[k_high_placebo][i] = rng::to_uniform(words[2][i]) < site.high_placebo_probability
                                     ? site.high_placebo_log_odds
                                     : 0.0;
    }
  } else {
    for (const auto column : {k_intercept, k_effect, k_high_placebo})
      std::fill(table[column].begin(), table[column].end(), 0.0);
  }
  if (!effects.region) return;
  double intercept = 0, effect = 0;
  int known = -1;  // sites stand by region
  for (std::size_t i = 0; i < regions.size(); ++i) {
    if (regions[i] != known) {
      known = regions[i];
      const auto region = static_cast<std::size_t>(known);
      rng::Stream stream(
          {key, rng::Purpose::region_response, trial, static_cast<std::uint32_t>(region)});
      intercept = effects.region->intercept[region] + effects.region->intercept_sd * stream.normal(0);
      effect = effects.region->effect[region] + effects.region->effect_sd * stream.normal(1);
    }
    table[k_intercept][i] += intercept;
    table[k_effect][i] += effect;
  }
}

// What the truth and the sites take off a patient's log odds, by variant and site.
void PatientModel::Impl::tabulate_shifts(rng::Key key, std::uint64_t trial,
                                         const TrialTruth& trial_truth, Cohort& cohort) const {
  const auto& effects = spec->course.effects;
  const bool has_sites = effects.site || effects.region;
  if (has_sites) draw_site_effects(key, trial, cohort);
  const auto& sites = cohort.scratch.site_effects;
  for (std::size_t variant = 0; variant < truth.n_variants(); ++variant) {
    const std::size_t arm = truth.arm_of(variant);
    const int given = truth.given_of(variant);
    const double common = truth.shift(trial_truth, arm, given),
                 scale = truth.scale(trial_truth, arm, given);
    const auto shifts = cohort.scratch.site_shifts[variant];
    if (!has_sites) shifts[0] = static_cast<float>(common);
    for (std::size_t i = 0; has_sites && i < shifts.size(); ++i) {
      const double high_placebo = sites[k_high_placebo][i];
      const double raised =
          high_placebo != 0 ? truth.high_placebo(trial_truth, arm, given, high_placebo) : 0;
      shifts[i] =
          static_cast<float>(common + sites[k_intercept][i] + scale * sites[k_effect][i] + raised);
    }
  }
}

// `variant` null: all patients as if on the control.
void PatientModel::Impl::fill_shifts(const Followed& f, const int* variant,
                                     std::span<float> shift) const {
  const auto& effects = spec->course.effects;
  Cohort& cohort = f.cohort;
  const float* table = cohort.scratch.site_shifts.data();
  const std::size_t stride = cohort.scratch.site_shifts.stride();
  const auto control = static_cast<std::size_t>(truth.first_variant(control_of(spec->arms)));
  const auto of = [&](std::size_t i) {
    return variant != nullptr ? static_cast<std::size_t>(variant[i]) : control;
  };
  const int* site = cohort.site.data() + f.first;
  if (effects.site || effects.region)
    for (std::size_t i = 0; i < f.n; ++i)
      shift[i] = table[of(i) * stride + static_cast<std::size_t>(site[i])];
  else
    for (std::size_t i = 0; i < f.n; ++i) shift[i] = table[of(i) * stride];
  for (const auto& stratum : effects.strata) {
    const auto level = f.patients(cohort.strata, static_cast<std::size_t>(stratum.factor));
    for (std::size_t i = 0; i < f.n; ++i) {
      const auto l = static_cast<std::size_t>(level[i]);
      const double scale = truth.scale(f.truth, truth.arm_of(of(i)), truth.given_of(of(i)));
      shift[i] += static_cast<float>(stratum.intercept[l] + scale * stratum.effect[l]);
    }
  }
  if (effects.calendar_drift != 0) {
    const double rate = effects.calendar_drift / 12, start = spec->recruitment->first_possible_month();
    const double* months = cohort.randomised_months.data() + f.first;
    for (std::size_t i = 0; i < f.n; ++i) shift[i] += static_cast<float>(rate * (months[i] - start));
  }
  if (effects.baseline == 0) return;
  const float* normal = cohort.baseline_normal.data() + f.first;
  const auto weight = static_cast<float>(effects.baseline);
  for (std::size_t i = 0; i < f.n; ++i) shift[i] += weight * normal[i];
}

// The ratio on the control, with the rescue the patient had.
std::span<const float> PatientModel::Impl::control_ratio(const Followed& f, std::size_t visit) const {
  const auto z =
      spec->course.correlation.combine(visit, f.cohort.scratch.floats, k_normals, f.floats(k_z));
  const auto ratio = f.floats(k_control_ratio);
  truth.control_ratios(f.truth, {visit, nullptr, z, f.floats(k_control_shift), f.floats(k_work)},
                       ratio);
  if (f.plan.has_process && process.has_rescue()) process.observe(f.events, visit, ratio, ratio);
  return ratio;
}

void PatientModel::Impl::fill_measures(const Followed& f, std::size_t visit,
                                       std::span<const float> unrescued) const {
  const std::size_t n_visits = spec->course.visit_weeks.size();
  const auto& links = spec->linked.list();
  const auto& wanted = f.needs.measure_visits;
  bool reads_score = has(wanted, 0, visit), reads_control = false;
  for (std::size_t link = 0; link < links.size(); ++link) {
    if (!has(wanted, 1 + link, visit)) continue;
    reads_score = reads_score || links[link].kind == LinkKind::graded;
    reads_control = reads_control || links[link].pathway == Pathway::null;
  }
  LinkedMeasures::VisitInput in;
  in.visit = visit;
  in.first = f.first;
  in.observed_ratio = unrescued;
  if (f.plan.has_process && process.has_rescue()) {
    const auto observed = f.patients(f.cohort.observed_ratio, visit);
    process.observe(f.events, visit, unrescued, observed);
    in.observed_ratio = observed;
  }
  in.ratio_sd = truth.control_moments().sd;
  if (reads_score) {
    const auto score = f.patients(f.cohort.values, visit);
    const std::span<const double> baseline =
        f.patients(f.cohort.covariates, static_cast<std::size_t>(spec->course.baseline_covariate));
    if (score_scale.fits())
      scores(score_scale, in.observed_ratio, baseline, score);
    else
      for (std::size_t i = 0; i < f.n; ++i)
        score[i] = spec->course.score(baseline[i], in.observed_ratio[i]);
    in.driving_score = score;
  }
  if (reads_control) in.control_ratio = control_ratio(f, visit);
  for (std::size_t link = 0; link < links.size(); ++link)
    if (has(wanted, 1 + link, visit))
      spec->linked.fill(f.key, f.trial, link, in, f.cohort, k_noise,
                        f.patients(f.cohort.values, (1 + link) * n_visits + visit));
}

void PatientModel::Impl::follow_window(const Followed& f) const {
  Cohort& cohort = f.cohort;
  const int* variant = cohort.arm.data() + f.first;
  if (f.plan.has_process) process.start(f.events);
  if (f.plan.made.any()) {
    if (spec->events.discontinuation) {
      const auto numbered = cohort.scratch.integers[k_variant].first(f.n);
      for (std::size_t i = 0; i < f.n; ++i)
        numbered[i] = truth.first_variant(static_cast<std::size_t>(variant[i])) +
                      cohort.scratch.infusions[f.first + i];
      variant = numbered.data();
    }
    if (truth.shifts_patients()) {
      fill_shifts(f, variant, f.floats(k_shift));
      if (f.plan.reads_control) fill_shifts(f, nullptr, f.floats(k_control_shift));
    }
    spec->course.correlation.draw(
        {f.key, rng::Purpose::course, f.trial, static_cast<std::uint32_t>(f.first)}, f.plan.made, f.n,
        cohort.scratch.words, cohort.scratch.floats, k_normals);
  }
  std::span<const float> previous;
  for (std::size_t visit = 0; visit < f.plan.n_steps; ++visit) {
    if (f.plan.has_process) process.step(f.events, visit, previous);
    if (!f.plan.made[visit]) continue;
    const auto z =
        spec->course.correlation.combine(visit, cohort.scratch.floats, k_normals, f.floats(k_z));
    const auto unrescued = f.patients(cohort.unrescued_ratio, visit);
    truth.ratios(f.truth, {visit, variant, z, f.floats(k_shift), f.floats(k_work)}, unrescued);
    previous = unrescued;
    if (f.plan.read[visit]) fill_measures(f, visit, unrescued);
  }
  if (f.plan.has_process) process.finish(f.events);
}

void PatientModel::Impl::follow(rng::Key key, std::uint64_t trial, const Needs& needs,
                                Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const VisitPlan plan = plan_visits(needs);
  draw_safety(key, trial, needs, cohort);
  if (!plan.has_process || plan.n_steps == 0) process.clear(cohort);
  if (plan.n_steps > 0) {
    const TrialTruth trial_truth = plan.made.any() ? truth.draw(key, trial) : TrialTruth{};
    if (plan.made.any() && truth.shifts_patients()) tabulate_shifts(key, trial, trial_truth, cohort);
    for (std::size_t first = 0; first < n; first += k_window) {
      const std::size_t n_window = std::min(k_window, n - first);
      follow_window({key,
                     trial,
                     needs,
                     plan,
                     trial_truth,
                     cohort,
                     first,
                     n_window,
                     {{key, rng::Purpose::rescue_and_dropout, trial, static_cast<std::uint32_t>(first)},
                      n_window,
                      plan.n_steps,
                      cohort,
                      k_events,
                      k_intervals}});
    }
  }
  if (!needs.adverse_events)
    cohort.adverse_events.clear();
  else if (spec->events.dropout && needs.intercurrent_events)
    AdverseEvents::hide_after_dropout(cohort);
}

}  // namespace trialwright::patient
