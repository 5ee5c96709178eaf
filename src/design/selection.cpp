#include "design/selection.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "analysis/estimate.hpp"
#include "analysis/z_statistic.hpp"
#include "design/active_arms.hpp"
#include "design/closed_inference.hpp"
#include "design/design_spec.hpp"
#include "design/look_tables.hpp"
#include "math/normal.hpp"

namespace trialwright::design {

namespace {

constexpr int k_n_looks = 2;
constexpr double k_infinity = std::numeric_limits<double>::infinity();

class Selection final : public StagedDesign {
 public:
  Selection(const DesignSpec& spec, const SelectionSpec& rules, const DesignContext& context);

  int n_looks() const override { return k_n_looks; }
  void start(TrialState& state) const override { arms_.start(state, first_stage_); }
  Decision decide(const LookData& data, TrialState& state, Statistics* told) const override;
  Bits naive_rejections(const LookData& data, const TrialState& state) const override;
  Inference infer(const LookData& data, const TrialState& state, int i_hypothesis) const override;
  int most_patients() const override { return first_stage_ + most_of_second_stage(); }
  StageBy stages_by() const override { return rules_.stages_by; }
  int merit_estimand() const override { return rules_.on; }
  int safety_estimand() const override { return rules_.safety ? rules_.safety->estimand : -1; }

 private:
  using Evidence = std::array<StageEvidence, k_n_looks>;

  Evidence evidence(const LookData& data, const TrialState& state) const;
  Decision choose(const LookData& data, TrialState& state, Statistics* told) const;
  // Advantage over the control; -infinity where it is not known.
  double merit(const LookData& data, int i_hypothesis) const;
  double excess_risk(const LookData& data, int i_hypothesis) const;
  int second_stage(Bits arms) const;
  int most_of_second_stage() const;

  SelectionSpec rules_;
  ActiveArms arms_;
  int first_stage_;
  analysis::ZStatistic z_;
  double alpha_;
  double naive_z_;
  double confidence_level_;
  analysis::EffectMeasure effect_;
  analysis::Estimator estimator_;
  ClosedTest closed_test_;
};

std::vector<double> planned_lambda(const std::vector<int>& ratio, int i_control) {
  std::vector<double> lambda;
  const auto control = static_cast<std::size_t>(i_control);
  for (std::size_t a = 0; a < ratio.size(); ++a)
    if (a != control) lambda.push_back(shared_control_lambda(ratio[a], ratio[control]));
  return lambda;
}

Selection::Selection(const DesignSpec& spec, const SelectionSpec& rules, const DesignContext& context)
    : rules_(rules),
      arms_(spec, rules.i_control),
      first_stage_(spec.patients),
      z_(context.test, context.exact_z),
      alpha_(context.test.one_sided_alpha()),
      naive_z_(-math::normal_quantile(alpha_)),
      confidence_level_(context.confidence_level),
      effect_(context.effect),
      estimator_(context.effect, analysis::IntervalMethod::wald, context.confidence_level,
                 analysis::stratification_of(context.test.method)),
      closed_test_(rules.closed_test, alpha_, std::array{rules.information, 1.0},
                   planned_lambda(arms_.ratio(), rules.i_control)) {}

int Selection::second_stage(Bits arms) const {
  if (const auto* in_all = std::get_if<PatientsInAll>(&rules_.second_stage)) return in_all->patients;
  return std::get<PatientsPerArm>(rules_.second_stage).patients * arms_.parts(arms);
}

int Selection::most_of_second_stage() const {
  const auto needs = rules_.rule.needs;
  const bool is_counted = needs == RuleNeeds::nothing || needs == RuleNeeds::count;
  const int most_arms = is_counted ? rules_.count : arms_.n_hypotheses();
  int most = 0;
  for (Bits chosen = 1; chosen <= arms_.all_hypotheses(); ++chosen)
    if (std::popcount(chosen) <= most_arms) most = std::max(most, second_stage(arms_.arms_of(chosen)));
  return most;
}

// Who is tested in stage 2 has been chosen at the look.
Selection::Evidence Selection::evidence(const LookData& data, const TrialState& state) const {
  Evidence stages;
  for (int k = 0; k <= data.i_look; ++k) {
    auto& stage = stages[static_cast<std::size_t>(k)];
    stage.tested = k < state.n_looks ? state.open_at[static_cast<std::size_t>(k)] : state.open;
    for (Bits left = stage.tested; left != 0; left &= left - 1) {
      const int h = std::countr_zero(left);
      const auto i = static_cast<std::size_t>(h);
      stage.z[i] = z_of_stages(z_, data, h, k, k);
      const auto table = analysis::collapsed(data.stage(k, h));
      stage.lambda[i] = shared_control_lambda(table.n_1, table.n_0);
    }
  }
  return stages;
}

Decision Selection::decide(const LookData& data, TrialState& state, Statistics* told) const {
  const auto i_look = static_cast<std::size_t>(data.i_look);
  const Evidence stages = evidence(data, state);
  const auto look = data.is_final ? ClosedTest::Look::final : ClosedTest::Look::interim;
  ClosedTest::Result result;
  // A look that cannot reject has nothing to test.
  const bool tests = data.is_final || rules_.closed_test.efficacy.has_value();
  if (tests) result = closed_test_({stages.data(), i_look + 1}, look);

  state.information[i_look] = data.is_final ? 1.0 : rules_.information;
  state.efficacy_z[i_look] = closed_test_.critical_value(data.i_look, look);
  state.futility_z[i_look] = -k_infinity;
  state.open_at[i_look] = state.open;
  state.rejected |= result.rejected;
  ++state.n_looks;
  if (told) {
    for (Bits left = state.open; left != 0; left &= left - 1) {
      const int h = std::countr_zero(left);
      told->add("stage_z", stages[i_look].z[static_cast<std::size_t>(h)], h);
      if (tests) told->add("combined", result.statistic[static_cast<std::size_t>(h)], h);
    }
    if (tests) told->add("critical_value", result.critical_value);
  }
  if (data.is_final) {
    state.stop = state.rejected != 0 ? StopReason::efficacy : StopReason::completed;
    return {state.stop, state.rejected != 0 ? "reject" : "accept"};
  }
  const bool stops = rules_.stop_when == StopWhen::any ? state.rejected != 0
                                                       : state.rejected == arms_.all_hypotheses();
  if (stops) {
    state.stop = StopReason::efficacy;
    return {state.stop, "reject"};
  }
  return choose(data, state, told);
}

double Selection::merit(const LookData& data, int i_hypothesis) const {
  if (rules_.on >= 0) return data.merits[static_cast<std::size_t>(i_hypothesis)];
  const auto table = table_of_stages(data, i_hypothesis, 0, data.i_look);
  if (table.n_1 == 0 || table.n_0 == 0) return -k_infinity;
  const double difference = static_cast<double>(table.responders_1) / table.n_1 -
                            static_cast<double>(table.responders_0) / table.n_0;
  return z_.spec().direction == analysis::Direction::higher_is_better ? difference : -difference;
}

double Selection::excess_risk(const LookData& data, int i_hypothesis) const {
  const auto rate = [&](int arm) {
    const Rate& seen = data.safety[static_cast<std::size_t>(arm)];
    return seen.patients > 0 ? static_cast<double>(seen.events) / seen.patients : 0.0;
  };
  return rate(arms_.arm_of(i_hypothesis)) - rate(rules_.i_control);
}

Decision Selection::choose(const LookData& data, TrialState& state, Statistics* told) const {
  std::array<double, k_most_closed> merits{};
  Bits allowed = 0;
  bool anything_known = false;
  for (int h = 0; h < arms_.n_hypotheses(); ++h) {
    const double gain = merits[static_cast<std::size_t>(h)] = merit(data, h);
    bool is_safe = true;
    anything_known = anything_known || gain > -k_infinity;
    if (told) told->add("merit", gain, h);
    if (rules_.safety) {
      const double excess = excess_risk(data, h);
      is_safe = excess <= rules_.safety->at_most + k_equal_merit;
      if (told) told->add("excess_risk", excess, h);
    }
    // Negated, so that a merit that is no number is not chosen by.
    if (is_safe && gain > -k_infinity && gain >= rules_.at_least - k_equal_merit)
      allowed |= Bits{1} << h;
  }
  // A look ahead of the first outcome shows nothing to choose by: no arm is dropped.
  if (!anything_known) {
    state.n_planned = std::min(data.n_enrolled + second_stage(state.arms), most_patients());
    return {StopReason::none, "go_on"};
  }
  state.open = rules_.rule.choose({{merits.data(), static_cast<std::size_t>(arms_.n_hypotheses())},
                                   allowed,
                                   rules_.count,
                                   rules_.within,
                                   rules_.ties});
  state.arms = arms_.arms_of(state.open);
  if (state.open == 0) {
    state.stop = state.rejected != 0 ? StopReason::efficacy : StopReason::no_arm_left;
    return {state.stop, "drop_all"};
  }
  state.n_planned = data.n_enrolled + second_stage(state.arms);
  return {StopReason::none, rules_.rule.action};
}

Bits Selection::naive_rejections(const LookData& data, const TrialState& state) const {
  Bits rejected = 0;
  if (state.n_looks == 0 || state.stop == StopReason::no_arm_left) return rejected;
  for (Bits left = state.open; left != 0; left &= left - 1) {
    const int h = std::countr_zero(left);
    if (z_of_stages(z_, data, h, 0, data.i_look) > naive_z_) rejected |= Bits{1} << h;
  }
  return rejected;
}

Inference Selection::infer(const LookData& data, const TrialState& state, int i_hypothesis) const {
  // The state tells who was tested at each look decided.
  const Evidence stages = evidence(data, state);
  const auto n_stages = static_cast<std::size_t>(data.i_look) + 1;
  std::array<StagePrecision, k_n_looks> precision{};
  for (std::size_t k = 0; k < n_stages; ++k)
    for (Bits left = stages[k].tested; left != 0; left &= left - 1) {
      const int h = std::countr_zero(left);
      const auto estimate = estimator_(data.stage(static_cast<int>(k), h));
      precision[k][static_cast<std::size_t>(h)] =
          estimate.standard_error > 0 ? 1 / estimate.standard_error : 0;
    }
  Inference inference = closed_inference(closed_test_, {stages.data(), n_stages},
                                         {precision.data(), n_stages}, i_hypothesis, confidence_level_);
  if (!inference.defined) return inference;
  put_on_scale(z_.spec().direction, effect_, inference);
  return inference;
}

}  // namespace

std::shared_ptr<const StagedDesign> make_selection(const DesignSpec& spec, const SelectionSpec& rules,
                                                   const DesignContext& context) {
  return std::make_shared<Selection>(spec, rules, context);
}

}  // namespace trialwright::design
