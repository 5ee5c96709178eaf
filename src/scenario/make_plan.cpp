#include "scenario/make_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "math/elementary.hpp"
#include "trial/plan_maintenance.hpp"

namespace trialwright::scenario {
namespace {

std::vector<int> active_arms(const design::DesignSpec& design, int control_arm) {
  std::vector<int> arms;
  for (const auto& share : design.arms)
    if (share.arm != control_arm) arms.push_back(share.arm);
  return arms;
}

// Where the published table's estimate lies on the scale that estimates are averaged on.
std::optional<double> published_estimate(const AnalysisEntry& entry) {
  if (!entry.published) return std::nullopt;
  const auto estimate = analysis::estimate(entry.spec.effect, entry.spec.interval,
                                           entry.spec.confidence_level, {&*entry.published, 1});
  if (!estimate.defined) return std::nullopt;
  return entry.spec.effect == analysis::EffectMeasure::risk_difference ? estimate.value
                                                                       : math::log(estimate.value);
}

std::optional<analysis::Commensurate> borrowing_of(const analysis::AnalysisSpec& spec) {
  if (!spec.borrowing) return std::nullopt;
  return analysis::Commensurate(spec.effect, *spec.borrowing, spec.test.sides, spec.test.alpha,
                                spec.test.direction, spec.confidence_level);
}

trial::PlannedAnalysis planned(const AnalysisEntry& entry, int i_estimand,
                               const design::DesignSpec& design, int control_arm) {
  return {entry.name,
          i_estimand,
          entry.arm.value_or(active_arms(design, control_arm).front()),
          entry.against.value_or(control_arm),
          entry.strata,
          analysis::BinaryTest(entry.spec.test),
          entry.spec.effect,
          entry.spec.interval,
          entry.spec.confidence_level,
          analysis::Estimator(
              entry.spec.effect, entry.spec.interval, entry.spec.confidence_level,
              entry.strata.empty() ? analysis::Stratification::none : analysis::Stratification::strata),
          published_estimate(entry),
          {},
          entry.subgroup,
          {},
          {},
          borrowing_of(entry.spec)};
}

void add_estimand(const StudySpec& spec, int i_estimand, trial::TrialPlan& plan) {
  const auto& estimand = spec.estimands[static_cast<std::size_t>(i_estimand)];
  plan.endpoints.push_back(
      endpoint::make(spec.endpoints[static_cast<std::size_t>(estimand.endpoint)], *plan.model));
  plan.estimands.emplace_back(estimand, *plan.endpoints.back(), *plan.model);
}

// Where a study's estimand stands among a plan's, added where it does not.
int place_of_estimand(const StudySpec& spec, int i_estimand, trial::TrialPlan& plan) {
  const auto& name = spec.estimands[static_cast<std::size_t>(i_estimand)].name;
  for (std::size_t i = 0; i < plan.estimands.size(); ++i)
    if (plan.estimands[i].name() == name) return static_cast<int>(i);
  add_estimand(spec, i_estimand, plan);
  return static_cast<int>(plan.estimands.size()) - 1;
}

// What the arms are chosen by: rates of an estimand, or means of one of numbers.
void plan_merit(const StudySpec& spec, int i_estimand, trial::TrialPlan& plan) {
  if (i_estimand < 0) return;
  const auto& estimand = spec.estimands[static_cast<std::size_t>(i_estimand)];
  const auto* change = spec.endpoints[static_cast<std::size_t>(estimand.endpoint)].change();
  if (change)
    plan.merit_mean.emplace(estimand, endpoint::Change(*change, endpoint::layout_of(*plan.model)),
                            estimand::events_of(*plan.model));
  else
    plan.merit_estimand = place_of_estimand(spec, i_estimand, plan);
}

// The hypotheses of a design: of several doses one for each, of nested populations one for each, else
// the primary analysis.
std::vector<trial::PlannedAnalysis> hypotheses(const trial::PlannedAnalysis& primary,
                                               const design::DesignSpec& design,
                                               const trial::TrialPlan& plan) {
  const bool is_of_arms = design.kind() == design::DesignKind::treatment_selection ||
                          design.kind() == design::DesignKind::multi_arm_multi_stage;
  std::vector<trial::PlannedAnalysis> all;
  if (const auto* enrichment = std::get_if<design::EnrichmentSpec>(&design.rules)) {
    const auto& [factor, level] = enrichment->subgroup;
    all = {primary, primary};
    all[0].name = fmt::format("{}[all]", primary.name);
    all[1].name = fmt::format("{}[{}]", primary.name,
                              plan.model->factors()[static_cast<std::size_t>(factor)]
                                  .levels[static_cast<std::size_t>(level)]);
    all[1].subgroup = enrichment->subgroup;
    return all;
  }
  if (const auto subgroup = design.subgroup()) {
    all = {primary};
    all[0].subgroup = subgroup;
    return all;
  }
  if (!is_of_arms) return {primary};
  for (const int arm : active_arms(design, plan.control_arm)) {
    all.push_back(primary);
    all.back().name =
        fmt::format("{}[{}]", primary.name, plan.model->arms()[static_cast<std::size_t>(arm)].name);
    all.back().arm_1 = arm;
  }
  return all;
}

// The analyses of a design, its hypotheses first, with the estimands and endpoints they need.
void plan_analyses(const StudySpec& spec, const design::DesignSpec& design, trial::TrialPlan& plan) {
  std::vector<int> i_analyses{design.primary};
  i_analyses.insert(i_analyses.end(), design.secondary.begin(), design.secondary.end());
  std::vector<int> place_of_analysis(spec.analyses.size(), 0);
  for (int i_analysis : i_analyses) {
    const auto& entry = spec.analyses[static_cast<std::size_t>(i_analysis)];
    const auto analysis =
        planned(entry, place_of_estimand(spec, entry.estimand, plan), design, plan.control_arm);
    if (i_analysis == design.primary) {
      plan.analyses = hypotheses(analysis, design, plan);
      plan.n_hypotheses = static_cast<int>(plan.analyses.size());
    } else {
      place_of_analysis[static_cast<std::size_t>(i_analysis)] = static_cast<int>(plan.analyses.size());
      plan.analyses.push_back(analysis);
    }
  }
  if (plan.staged) {
    plan_merit(spec, plan.staged->merit_estimand(), plan);
    if (const int safety = plan.staged->safety_estimand(); safety >= 0)
      plan.safety_estimand = place_of_estimand(spec, safety, plan);
  }
  for (const int i_analysis : design.secondary)
    if (const auto& consistency = spec.analyses[static_cast<std::size_t>(i_analysis)].consistency)
      plan.analyses[static_cast<std::size_t>(place_of_analysis[static_cast<std::size_t>(i_analysis)])]
          .consistency = {place_of_analysis[static_cast<std::size_t>(consistency->with)],
                          consistency->fraction};
}

std::shared_ptr<const design::StagedDesign> staged_design(
    const StudySpec& spec, const design::DesignSpec& design, const patient::PatientModel& model,
    std::shared_ptr<const analysis::ExactZ> exact_z) {
  if (design.primary < 0) return nullptr;
  const auto& primary = spec.analyses[static_cast<std::size_t>(design.primary)].spec;
  design::DesignContext context{primary.test, primary.effect, primary.interval,
                                primary.confidence_level, static_cast<int>(design.arms.size()) - 1};
  if (std::holds_alternative<design::EnrichmentSpec>(design.rules)) context.n_hypotheses = 2;
  context.exact_z = std::move(exact_z);
  if (const auto subgroup = design.subgroup())
    context.subgroup_share = model.level_share(subgroup->factor, subgroup->level).value_or(1);
  return design::make_staged_design(design, context);
}

// The columns of a plan: of a design that looks the most patients that it may come to (of enrichment
// those passed over as well), or as many as the sites may enrol.
int most_patients(const design::DesignSpec& design, const trial::TrialPlan& plan) {
  if (!plan.staged) return design.patients;
  return static_cast<int>(std::min<std::int64_t>(plan.staged->most_patients(), plan.model->capacity()));
}

// The factors that the allocation or an analysis reads.
std::vector<bool> factors_read(const trial::TrialPlan& plan) {
  std::vector<bool> read(plan.model->factors().size(), false);
  for (const int factor : plan.allocation->needs_factors())
    read[static_cast<std::size_t>(factor)] = true;
  for (const auto& analysis : plan.analyses) {
    for (const int factor : analysis.strata) read[static_cast<std::size_t>(factor)] = true;
    if (analysis.subgroup) read[static_cast<std::size_t>(analysis.subgroup->factor)] = true;
  }
  return read;
}

patient::Needs needs_of(const trial::TrialPlan& plan) {
  patient::Needs needs;
  needs.measure_visits.assign(plan.model->measures().size(),
                              std::vector<bool>(plan.model->visit_weeks().size(), false));
  needs.intercurrent_events = false;
  needs.adverse_events = false;
  needs.calendar = false;
  needs.factors = factors_read(plan);
  // Region and site are the last two.
  needs.sites = needs.factors.back() || needs.factors[needs.factors.size() - 2];
  needs.covariates.assign(plan.model->covariates().size(), false);  // but those that others hang on
  for (const auto& estimand : plan.estimands) estimand.add_needs(needs);
  if (plan.merit_mean) plan.merit_mean->add_needs(needs);
  return needs;
}

// Everything but endpoints, estimands, analyses and needs.
std::shared_ptr<trial::TrialPlan> bare_plan(const StudySpec& spec, const design::DesignSpec& design,
                                            const std::string& scenario,
                                            std::shared_ptr<const patient::PatientModel> model,
                                            std::shared_ptr<const analysis::ExactZ> exact_z) {
  auto plan = std::make_shared<trial::TrialPlan>();
  plan->design = design.name;
  plan->scenario = scenario;
  plan->model = std::move(model);
  plan->control_arm = plan->model->control_arm();
  plan->staged = staged_design(spec, design, *plan->model, std::move(exact_z));
  if (design.looks) plan->looks = *design.looks;
  plan->n_planned = design.patients;
  plan->n_patients = most_patients(design, *plan);
  plan->key = rng::key_from_seed(spec.simulation.seed);
  for (const auto& share : design.arms) plan->arms.push_back(share.arm);
  std::vector<int> levels;
  for (const auto& factor : plan->model->factors())
    levels.push_back(static_cast<int>(factor.levels.size()));
  plan->allocation =
      std::make_shared<design::Allocation>(design.randomisation, design.arms, plan->n_patients, levels);
  return plan;
}

}  // namespace

std::shared_ptr<trial::TrialPlan> make_plan(const StudySpec& spec, const design::DesignSpec& design,
                                            const std::string& scenario,
                                            std::shared_ptr<const patient::PatientModel> model,
                                            std::shared_ptr<const analysis::ExactZ> exact_z) {
  auto plan = bare_plan(spec, design, scenario, std::move(model), std::move(exact_z));
  plan_analyses(spec, design, *plan);
  if (const auto* withdrawal = std::get_if<design::WithdrawalSpec>(&design.rules)) {
    trial::plan_maintenance(*withdrawal, place_of_estimand(spec, withdrawal->responders, *plan), *plan);
  }
  plan->needs = needs_of(*plan);
  return plan;
}

std::shared_ptr<trial::TrialPlan> make_estimand_plan(const StudySpec& spec,
                                                     const std::vector<int>& estimands,
                                                     int patients_per_arm) {
  design::DesignSpec design;
  design.name = "calibration";
  design.primary = -1;
  for (std::size_t i = 0; i < spec.calibrated->arms().size(); ++i)
    design.arms.push_back({static_cast<int>(i), 1});
  design.patients = patients_per_arm * static_cast<int>(design.arms.size());
  auto plan = bare_plan(spec, design, "calibrated", spec.calibrated, nullptr);
  for (int i_estimand : estimands) add_estimand(spec, i_estimand, *plan);
  plan->needs = needs_of(*plan);
  return plan;
}

}  // namespace trialwright::scenario
