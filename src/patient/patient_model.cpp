#include "patient/patient_model.hpp"

#include <algorithm>

#include "patient/patient_model_impl.hpp"

namespace trialwright::patient {

PatientModel::Impl::Impl(std::shared_ptr<const PatientSpec> spec_in, const Truth& truth_in,
                         input::Diagnostics& faults, const input::Position& at, CourseTableCache* known)
    : spec(std::move(spec_in)),
      truth(spec->course, spec->arms, truth_in,
            spec->events.discontinuation ? CourseTruth::Variants::by_infusions
                                         : CourseTruth::Variants::full_only,
            faults, at, known),
      process(spec->events, spec->course.visit_weeks),
      score_scale(spec->course.grid.per_unit(), spec->course.maximum) {
  for (const auto& arm : spec->arms)
    arm_infos.push_back({arm.name, arm.is_control, arm.dose_cells_per_kg.value_or(0)});
  const auto& course = spec->course;
  measure_infos.push_back(
      {course.name, course.baseline_covariate, course.minimum, course.maximum, course.grid.step()});
  for (const auto& measure : spec->linked.list()) measure_infos.push_back(measure.info);
  for (const auto& stratum : spec->population->strata())
    factor_infos.push_back({stratum.name, stratum.levels});
  factor_infos.push_back({"region", spec->recruitment->region_names()});
  factor_infos.push_back({"site", spec->recruitment->site_names()});
}

bool PatientModel::Impl::needs_sites(const Needs& needs) const {
  if (spec->recruitment->is_trivial()) return false;
  const auto& effects = spec->course.effects;
  const auto& strata = spec->population->strata();
  const bool by_region = std::any_of(strata.begin(), strata.end(),
                                     [](const Stratum& stratum) { return stratum.covariate < 0; });
  return needs.sites || effects.site || effects.region || by_region;
}

CovariateMask PatientModel::Impl::covariates_made(const Needs& needs) const {
  CovariateMask made;
  if (needs.covariates.empty()) return made.set();
  for (std::size_t i = 0; i < needs.covariates.size() && i < made.size(); ++i)
    made[i] = needs.covariates[i];
  made[static_cast<std::size_t>(spec->course.baseline_covariate)] = true;
  for (std::size_t measure = 0; measure < needs.measure_visits.size() && measure < measure_infos.size();
       ++measure) {
    const auto& visits_needed = needs.measure_visits[measure];
    if (std::find(visits_needed.begin(), visits_needed.end(), true) != visits_needed.end())
      made[static_cast<std::size_t>(measure_infos[measure].baseline_covariate)] = true;
  }
  return spec->population->closure(made);
}

PatientModel::PatientModel(std::shared_ptr<const PatientSpec> spec, const Truth& truth,
                           input::Diagnostics& faults, const input::Position& at,
                           CourseTableCache* known)
    : impl_(std::make_unique<Impl>(std::move(spec), truth, faults, at, known)) {}
PatientModel::~PatientModel() = default;
PatientModel::PatientModel(PatientModel&&) noexcept = default;

const std::vector<ArmInfo>& PatientModel::arms() const {
  return impl_->arm_infos;
}
int PatientModel::control_arm() const {
  return static_cast<int>(control_of(impl_->spec->arms));
}
const std::vector<MeasureInfo>& PatientModel::measures() const {
  return impl_->measure_infos;
}
const std::vector<double>& PatientModel::visit_weeks() const {
  return impl_->spec->course.visit_weeks;
}
const std::vector<std::string>& PatientModel::covariates() const {
  return impl_->spec->population->names();
}
const std::vector<FactorInfo>& PatientModel::factors() const {
  return impl_->factor_infos;
}
const std::vector<std::string>& PatientModel::adverse_event_categories() const {
  return impl_->spec->adverse_events.categories();
}
double PatientModel::follow_up_weeks() const {
  return std::max(visit_weeks().back(), impl_->spec->adverse_events.follow_up_weeks());
}
int PatientModel::n_sites() const {
  return impl_->spec->recruitment->n_sites();
}
bool PatientModel::truth_is_drawn() const {
  return impl_->truth.is_drawn();
}
bool PatientModel::is_null() const {
  return impl_->truth.is_null() && impl_->spec->events.are_same_in_all_arms();
}
bool PatientModel::stops_infusions_alike(int arm, int other) const {
  const auto& discontinuation = impl_->spec->events.discontinuation;
  if (!discontinuation || arm == other) return true;
  const auto a = static_cast<std::size_t>(arm), b = static_cast<std::size_t>(other);
  const bool same_weeks = impl_->spec->arms[a].infusion_weeks == impl_->spec->arms[b].infusion_weeks;
  return same_weeks &&
         (discontinuation->after_grade_3_event == 0 || impl_->spec->adverse_events.are_same(a, b));
}
bool PatientModel::patients_are_independent() const {
  const auto& effects = impl_->spec->course.effects;
  const auto& site = effects.site;
  const auto& region = effects.region;
  const bool random_sites =
      site && (site->intercept_sd > 0 || site->effect_sd > 0 ||
               (site->high_placebo_probability > 0 && site->high_placebo_log_odds != 0));
  const bool random_regions = region && (region->intercept_sd > 0 || region->effect_sd > 0);
  return !random_sites && !random_regions && !drifts_with_calendar() && !truth_is_drawn();
}
bool PatientModel::drifts_with_calendar() const {
  return impl_->spec->course.effects.calendar_drift != 0;
}
std::optional<double> PatientModel::level_share(int factor, int level) const {
  const auto i = static_cast<std::size_t>(factor);
  if (i >= impl_->spec->population->strata().size()) return std::nullopt;
  return impl_->spec->population->level_share(i, static_cast<std::size_t>(level));
}
std::int64_t PatientModel::capacity() const {
  return impl_->spec->recruitment->capacity();
}
bool PatientModel::has_rescue() const {
  return impl_->spec->events.rescue.has_value();
}
std::vector<std::string> PatientModel::rescue_tiers() const {
  std::vector<std::string> names;
  if (has_rescue())
    for (const auto& tier : impl_->spec->events.rescue->tiers) names.push_back(tier.name);
  return names;
}
bool PatientModel::has_dropout() const {
  return impl_->spec->events.dropout.has_value();
}
bool PatientModel::has_discontinuation() const {
  return impl_->spec->events.discontinuation.has_value();
}

void PatientModel::Impl::prepare(int n_patients, Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(n_patients);
  const std::size_t n_visits = spec->course.visit_weeks.size();
  auto& scratch = cohort.scratch;
  const auto room = [&](auto& columns, std::size_t n_columns) {
    columns.resize(n, std::max(columns.n_columns(), n_columns));
  };
  room(scratch.floats, k_normals + n_visits);
  room(scratch.integers, k_integers);
  room(scratch.words, IntercurrentProcess::k_words);
  scratch.infusions.resize(n);
  const std::size_t n_sites = spec->recruitment->site_regions().size();
  scratch.site_effects.resize(n_sites, 3);
  scratch.site_words.resize(n_sites, 3);
  scratch.site_normals.resize(n_sites, 2);
  scratch.site_shifts.resize(n_sites, truth.n_variants());
  cohort.arm.resize(n);
  cohort.unrescued_ratio.resize(n, n_visits);
  cohort.observed_ratio.resize(n, n_visits);
  cohort.values.resize(n, measure_infos.size() * n_visits);
  // As they stay where the study has no such event.
  cohort.rescue_weeks.assign(n, k_never);
  cohort.rescue_tier.assign(n, -1);
  cohort.discontinuation_weeks.assign(n, k_never);
  cohort.dropout_weeks.assign(n, k_never);
}

void PatientModel::prepare(int n_patients, Cohort& cohort, std::optional<int> n_planned) const {
  cohort.n_patients = n_patients;
  cohort.strata.resize(static_cast<std::size_t>(n_patients), factors().size());
  impl_->spec->population->prepare(n_patients, cohort);
  impl_->spec->recruitment->prepare(n_patients, n_planned.value_or(n_patients), cohort);
  impl_->spec->adverse_events.prepare(n_patients, cohort);
  impl_->prepare(n_patients, cohort);
}

void PatientModel::enrol(rng::Key key, std::uint64_t trial, const Needs& needs, Cohort& cohort) const {
  const PatientSpec& spec = *impl_->spec;
  using Extent = Recruitment::Extent;
  if (spec.recruitment->is_trivial() || !makes_calendar(needs))
    Recruitment::skip(cohort);
  else
    spec.recruitment->enrol(key, trial, cohort,
                            impl_->needs_sites(needs) ? Extent::calendar_and_sites : Extent::calendar);
  const int driving = spec.course.effects.baseline != 0 ? spec.course.baseline_covariate : -1;
  const CovariateMask made = impl_->covariates_made(needs);
  spec.population->draw(key, trial, made, driving, cohort);
  for (std::size_t link = 0; link < spec.linked.list().size(); ++link) {
    const int i_graded = spec.linked.list()[link].i_graded;
    if (i_graded < 0 || 1 + link >= needs.measure_visits.size()) continue;
    const auto& read = needs.measure_visits[1 + link];
    if (std::find(read.begin(), read.end(), true) != read.end())
      spec.population->fill_graded_factors(i_graded, cohort);
  }
  impl_->fill_strata(key, trial, needs, cohort);
}

void PatientModel::Impl::fill_strata(rng::Key key, std::uint64_t trial, const Needs& needs,
                                     Cohort& cohort) const {
  const auto& effects = spec->course.effects.strata;
  const auto is_made = [&](std::size_t factor) {
    return needs.factors.empty() || needs.factors[factor] ||
           std::any_of(effects.begin(), effects.end(), [&](const auto& effect) {
             return static_cast<std::size_t>(effect.factor) == factor;
           });
  };
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const std::size_t region = spec->population->strata().size(), site = region + 1;
  for (std::size_t factor = 0; factor < region; ++factor)
    if (is_made(factor)) spec->population->stratify(key, trial, factor, cohort);
  if (is_made(region)) std::copy_n(cohort.region.begin(), n, cohort.strata[region].begin());
  if (is_made(site)) std::copy_n(cohort.site.begin(), n, cohort.strata[site].begin());
}

void PatientModel::enrol_sites(rng::Key key, std::uint64_t trial, Cohort& cohort) const {
  if (impl_->spec->recruitment->is_trivial())
    Recruitment::skip(cohort);
  else
    impl_->spec->recruitment->enrol(key, trial, cohort, Recruitment::Extent::calendar);
}

bool PatientModel::makes_calendar(const Needs& needs) const {
  return needs.calendar || drifts_with_calendar() || impl_->needs_sites(needs);
}

void PatientModel::follow(rng::Key key, std::uint64_t trial, const Needs& needs, Cohort& cohort) const {
  impl_->follow(key, trial, needs, cohort);
}

}  // namespace trialwright::patient
