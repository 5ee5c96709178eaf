#include "design/enrichment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "design/design_spec.hpp"
#include "design/fixed_subgroup.hpp"
#include "design/look_tables.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "math/root.hpp"

namespace trialwright::design {

namespace {

using Look = ClosedTest::Look;

constexpr int k_all = 0, k_subgroup = 1;  // the hypotheses
constexpr Bits k_both = 3;
constexpr double k_infinity = std::numeric_limits<double>::infinity();

std::string_view name_of(EnrichmentAction action) {
  return k_enrichment_actions[static_cast<std::size_t>(action)].name;
}

// Hypotheses tested at the end.
Bits open_after(EnrichmentAction action) {
  switch (action) {
    case EnrichmentAction::all:
      return Bits{1} << k_all;
    case EnrichmentAction::both:
      return k_both;
    case EnrichmentAction::subgroup:
      return Bits{1} << k_subgroup;
    case EnrichmentAction::stop:
      return 0;
  }
  return 0;
}

// Of z statistics of nested populations the correlation is the root of their shares' ratio (Spiessens &
// Debois 2010), which is the product of two equal factors.
double nested_lambda(double share) {
  return std::sqrt(std::sqrt(std::clamp(share, 0.0, 1.0)));
}

int patients_of(const analysis::TwoByTwo& table) {
  return table.n_1 + table.n_0;
}

// One stage's estimate of a population's effect, on the scale where it is nearly normal.
struct StageEstimate {
  double value = 0;
  double error = 0;
};

class Enrichment final : public StagedDesign {
 public:
  Enrichment(const DesignSpec& spec, const EnrichmentSpec& rules, const DesignContext& context)
      : rules_(rules),
        n_planned_(spec.patients),
        share_(context.subgroup_share),
        all_arms_((Bits{1} << spec.arms.size()) - 1),
        alpha_(context.test.one_sided_alpha()),
        tail_((1 - context.confidence_level) / 2),
        effect_(context.effect),
        z_(context.test, context.exact_z),
        estimator_(context.effect, analysis::IntervalMethod::wald, context.confidence_level,
                   analysis::stratification_of(context.test.method)),
        closed_(rules.test, alpha_, std::array{rules.information, 1.0},
                std::array{nested_lambda(share_), nested_lambda(share_)}),
        naive_z_(-math::normal_quantile(alpha_)) {}

  int n_looks() const override { return 2; }
  int most_patients() const override;
  void start(TrialState& state) const override;
  Decision decide(const LookData& data, TrialState& state, Statistics* told) const override;
  Bits naive_rejections(const LookData& data, const TrialState& state) const override;
  Inference infer(const LookData& data, const TrialState& state, int i_hypothesis) const override;

 private:
  Decision decide_interim(const LookData& data, TrialState& state, Statistics* told) const;
  Decision decide_final(const LookData& data, TrialState& state, Statistics* told) const;
  StageEvidence evidence(const LookData& data, int i_stage, Bits tested) const;
  // The stages so far, and how many; the second is of the hypotheses still open.
  int evidence_of(const LookData& data, Bits open, std::array<StageEvidence, 2>& stages) const;
  std::array<double, 2> statistics(const LookData& data, const TrialState& state,
                                   const StageEvidence& stage) const;
  double conditional_power(double z, double n_known, double n_to_come) const;
  // The z that stage 2 has to exceed for the combination test without an intersection to reject.
  double needed_z(double z) const;
  double rate_advantage(const analysis::TwoByTwo& table) const;
  int restricted_size(const LookData& data, const TrialState& state) const;
  std::optional<StageEstimate> estimate_of(const LookData& data, int i_stage, int i_hypothesis) const;
  // Of the first stages; nothing where one of them has none.
  std::optional<std::array<StageEstimate, 2>> estimates_of(const LookData& data, int n_stages,
                                                           int i_hypothesis) const;

  EnrichmentSpec rules_;
  int n_planned_;
  double share_;  // of the patients who are of the subgroup
  Bits all_arms_;
  double alpha_;
  double tail_;  // of the confidence interval
  analysis::EffectMeasure effect_;
  analysis::ZStatistic z_;
  analysis::Estimator estimator_;
  ClosedTest closed_;
  double naive_z_;
};

int Enrichment::most_patients() const {
  const int before = rules_.n_interim;
  if (rules_.stage_2_patients) return n_planned_ + candidates_for(*rules_.stage_2_patients, share_);
  return std::max(n_planned_, before + candidates_for(n_planned_ - before, share_));
}

void Enrichment::start(TrialState& state) const {
  state = {};
  state.n_planned = n_planned_;
  state.arms = all_arms_;
  state.open = k_both;
}

Decision Enrichment::decide(const LookData& data, TrialState& state, Statistics* told) const {
  const auto i = static_cast<std::size_t>(state.n_looks);
  state.open_at[i] = state.open;
  state.information[i] = data.is_final ? 1 : rules_.information;
  state.futility_z[i] = -k_infinity;
  state.efficacy_z[i] =
      closed_.critical_value(data.i_look, data.is_final ? Look::final : Look::interim);
  const Decision decision =
      data.is_final ? decide_final(data, state, told) : decide_interim(data, state, told);
  ++state.n_looks;
  state.stop = decision.stop;
  return decision;
}

StageEvidence Enrichment::evidence(const LookData& data, int i_stage, Bits tested) const {
  StageEvidence stage;
  stage.tested = tested;
  for (const int h : {k_all, k_subgroup})
    stage.z[static_cast<std::size_t>(h)] = z_of_stages(z_, data, h, i_stage, i_stage);
  const int n_all = patients_of(table_of_stages(data, k_all, i_stage, i_stage));
  const int n_subgroup = patients_of(table_of_stages(data, k_subgroup, i_stage, i_stage));
  const double lambda = n_all > 0 ? nested_lambda(static_cast<double>(n_subgroup) / n_all) : 0;
  stage.lambda[k_all] = stage.lambda[k_subgroup] = lambda;
  return stage;
}

int Enrichment::evidence_of(const LookData& data, Bits open,
                            std::array<StageEvidence, 2>& stages) const {
  stages[0] = evidence(data, 0, k_both);
  if (data.i_look > 0) stages[1] = evidence(data, 1, open);
  return data.i_look + 1;
}

double Enrichment::rate_advantage(const analysis::TwoByTwo& table) const {
  if (table.n_1 == 0 || table.n_0 == 0) return 0;
  const double difference = static_cast<double>(table.responders_1) / table.n_1 -
                            static_cast<double>(table.responders_0) / table.n_0;
  const bool higher = z_.spec().direction == analysis::Direction::higher_is_better;
  return higher ? difference : -difference;
}

double Enrichment::needed_z(double z) const {
  const double critical = closed_.critical_value(1, Look::final);
  const double t = rules_.information;
  if (rules_.test.combination == sequential::Combination::inverse_normal)
    return (critical - std::sqrt(t) * z) / std::sqrt(1 - t);
  // p1 p2^w below the critical value, w the root of the stages' ratio.
  const double p = math::normal_survival(z);
  if (p < critical) return -k_infinity;
  return -math::normal_quantile(math::pow(critical / p, std::sqrt(t / (1 - t))));
}

double Enrichment::conditional_power(double z, double n_known, double n_to_come) const {
  const double needed = needed_z(z);
  if (!(n_to_come > 0)) return needed < 0 ? 1 : 0;
  const double drift = n_known > 0 ? z * std::sqrt(n_to_come / n_known) : 0;
  return math::normal_survival(needed - drift);
}

int Enrichment::restricted_size(const LookData& data, const TrialState& state) const {
  if (rules_.stage_2_patients) return data.n_enrolled + *rules_.stage_2_patients;
  return std::max(state.n_planned, data.n_enrolled);
}

// Of all patients and of the subgroup; patients to come are counted as if all of them will be known.
std::array<double, 2> Enrichment::statistics(const LookData& data, const TrialState& state,
                                             const StageEvidence& stage) const {
  if (rules_.statistic == EnrichmentStatistic::z) return {stage.z[k_all], stage.z[k_subgroup]};
  const auto all = table_of_stages(data, k_all, 0, 0), part = table_of_stages(data, k_subgroup, 0, 0);
  if (rules_.statistic == EnrichmentStatistic::rate_difference)
    return {rate_advantage(all), rate_advantage(part)};
  const double n_all = patients_of(all), n_part = patients_of(part);
  const double pipeline = std::max(0.0, data.n_enrolled - n_all);
  const double in_pipeline = n_all > 0 ? pipeline * n_part / n_all : 0;
  return {conditional_power(stage.z[k_all], n_all, state.n_planned - n_all),
          conditional_power(stage.z[k_subgroup], n_part,
                            in_pipeline + restricted_size(data, state) - data.n_enrolled)};
}

Decision Enrichment::decide_interim(const LookData& data, TrialState& state, Statistics* told) const {
  const StageEvidence stage = evidence(data, 0, k_both);
  const auto values = statistics(data, state, stage);
  // A look ahead of the first outcome shows nothing to choose by.
  const EnrichmentAction action = is_known(data, k_all)
                                      ? choose(rules_, values[k_all], values[k_subgroup])
                                      : EnrichmentAction::both;
  if (told) {
    for (const int h : {k_all, k_subgroup}) {
      const auto i = static_cast<std::size_t>(h);
      told->add("z", stage.z[i], h);
      if (rules_.statistic != EnrichmentStatistic::z)
        told->add(k_enrichment_statistics[static_cast<std::size_t>(rules_.statistic)].name, values[i],
                  h);
    }
  }
  if (rules_.test.efficacy) {
    state.rejected = closed_({&stage, 1}, Look::interim).rejected;
    if (state.rejected != 0) return {StopReason::efficacy, "reject"};
  }
  if (action == EnrichmentAction::stop) return {StopReason::futility, name_of(action)};
  state.open = open_after(action);
  if (action == EnrichmentAction::subgroup) {
    state.population = rules_.subgroup.level;
    state.n_planned = restricted_size(data, state);
  }
  return {StopReason::none, name_of(action)};
}

Decision Enrichment::decide_final(const LookData& data, TrialState& state, Statistics* told) const {
  std::array<StageEvidence, 2> stages;
  const int n = evidence_of(data, state.open, stages);
  const auto result = closed_({stages.data(), static_cast<std::size_t>(n)}, Look::final);
  state.rejected = result.rejected & state.open;
  if (told)
    for (const int h : {k_all, k_subgroup}) {
      if ((state.open >> h & 1) == 0) continue;
      const auto i = static_cast<std::size_t>(h);
      told->add("z", stages[static_cast<std::size_t>(n) - 1].z[i], h);
      told->add("closed_statistic", result.statistic[i], h);
    }
  if (state.rejected != 0) return {StopReason::efficacy, "reject"};
  return {StopReason::completed, "accept"};
}

Bits Enrichment::naive_rejections(const LookData& data, const TrialState& state) const {
  if (state.stop == StopReason::futility) return 0;
  Bits rejected = 0;
  for (const int h : {k_all, k_subgroup})
    if ((state.open >> h & 1) != 0 && z_of_stages(z_, data, h, 0, data.i_look) > naive_z_)
      rejected |= Bits{1} << h;
  return rejected;
}

std::optional<StageEstimate> Enrichment::estimate_of(const LookData& data, int i_stage,
                                                     int i_hypothesis) const {
  const auto estimate = estimator_(data.stage(i_stage, i_hypothesis));
  if (!estimate.defined || !(estimate.standard_error > 0) || !std::isfinite(estimate.standard_error))
    return std::nullopt;
  const bool is_difference = effect_ == analysis::EffectMeasure::risk_difference;
  return StageEstimate{is_difference ? estimate.value : math::log(estimate.value),
                       estimate.standard_error};
}

std::optional<std::array<StageEstimate, 2>> Enrichment::estimates_of(const LookData& data, int n_stages,
                                                                     int i_hypothesis) const {
  std::array<StageEstimate, 2> parts;
  for (int stage = 0; stage < n_stages; ++stage) {
    const auto part = estimate_of(data, stage, i_hypothesis);
    if (!part) return std::nullopt;
    parts[static_cast<std::size_t>(stage)] = *part;
  }
  return parts;
}

// z of the stage that chose, as adjusted for two populations.
double adjusted_for_two(double z) {
  constexpr double k_least = -30;
  const double p = 2 * math::normal_survival(z);
  return p < 1 ? -math::normal_quantile(p) : k_least;
}

Inference Enrichment::infer(const LookData& data, const TrialState& state, int i_hypothesis) const {
  Inference result;
  const bool has_two = data.i_look > 0 && (state.open >> i_hypothesis & 1) != 0;
  std::array<StageEvidence, 2> stages;
  const int n_stages = evidence_of(data, state.open, stages);
  if (has_two || n_stages == 1)
    result.p_value = closed_.p_value({stages.data(), static_cast<std::size_t>(n_stages)}, i_hypothesis);
  const int n = has_two ? 2 : 1;
  const auto estimates = estimates_of(data, n, i_hypothesis);
  if (!estimates) return result;
  const auto& parts = *estimates;
  // The p-value of `no better than value` (sign 1) or `no worse` (-1).
  const auto p_of = [&](double value, double sign, bool adjusted) {
    std::array<double, 2> z{};
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
      z[i] = sign * (parts[i].value - value) / parts[i].error;
    if (adjusted) z[0] = adjusted_for_two(z[0]);
    return closed_.overall_p_value({z.data(), static_cast<std::size_t>(n)});
  };
  const double reach = 12 * std::max(parts[0].error, n == 2 ? parts[1].error : 0.0);
  const double low = std::min(parts[0].value, n == 2 ? parts[1].value : k_infinity) - reach;
  const double high = std::max(parts[0].value, n == 2 ? parts[1].value : -k_infinity) + reach;
  const double tolerance = 1e-9 * reach;
  const auto middle =
      math::brent_root([&](double x) { return p_of(x, 1, false) - 0.5; }, low, high, tolerance);
  const auto lower =
      math::brent_root([&](double x) { return p_of(x, 1, true) - tail_; }, low, high, tolerance);
  const auto upper =
      math::brent_root([&](double x) { return p_of(x, -1, true) - tail_; }, low, high, tolerance);
  if (!middle || !lower || !upper) return result;
  result.estimate = *middle;
  result.lower = *lower;
  result.upper = *upper;
  if (effect_ != analysis::EffectMeasure::risk_difference)
    for (double* value : {&result.estimate, &result.lower, &result.upper}) *value = math::exp(*value);
  result.defined = true;
  return result;
}

}  // namespace

EnrichmentAction choose(const EnrichmentSpec& rules, double of_all, double of_subgroup) {
  switch (rules.rule) {
    case EnrichmentRule::thresholds: {
      const bool all = of_all >= rules.least_all, subgroup = of_subgroup >= rules.least_subgroup;
      if (all) return subgroup ? EnrichmentAction::both : EnrichmentAction::all;
      return subgroup ? EnrichmentAction::subgroup : EnrichmentAction::stop;
    }
    case EnrichmentRule::all_first:
      if (of_all >= rules.least_all) return EnrichmentAction::both;
      return of_subgroup >= rules.least_subgroup ? EnrichmentAction::subgroup : EnrichmentAction::stop;
    case EnrichmentRule::closeness:
      if (std::max(of_all, of_subgroup) < rules.at_least) return EnrichmentAction::stop;
      if (std::abs(of_all - of_subgroup) <= rules.within) return EnrichmentAction::both;
      return of_all > of_subgroup ? EnrichmentAction::all : EnrichmentAction::subgroup;
  }
  return EnrichmentAction::stop;
}

std::shared_ptr<const StagedDesign> make_enrichment(const DesignSpec& spec, const EnrichmentSpec& rules,
                                                    const DesignContext& context) {
  return std::make_shared<Enrichment>(spec, rules, context);
}

}  // namespace trialwright::design
