#include "design/reestimation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "analysis/z_statistic.hpp"
#include "design/design_spec.hpp"
#include "design/look_tables.hpp"
#include "design/reestimation_inference.hpp"
#include "design/reestimation_stages.hpp"
#include "math/normal.hpp"

namespace trialwright::design {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

double one_sided_alpha(const analysis::TestSpec& test) {
  return test.sides == analysis::Sides::one ? test.alpha : 0.5 * test.alpha;
}

// A trial's size moves in steps of this many patients, so that the arms stay in their ratio.
int size_step(const DesignSpec& spec) {
  const auto* block = std::get_if<PermutedBlock>(&spec.randomisation);
  if (block != nullptr && block->factors.empty()) return block->block_size;
  int sum = 0;
  for (const int ratio : reduced_ratio(spec.arms)) sum += ratio;
  return std::max(1, sum);
}

ArmParts parts_of(const std::vector<ArmShare>& arms, int control_arm) {
  double treatment = 0, control = 0;
  for (const auto& arm : arms) (arm.arm == control_arm ? control : treatment) += arm.ratio;
  return {treatment / (treatment + control), control / (treatment + control)};
}

ArmRates rates_of(const analysis::TwoByTwo& table) {
  return {static_cast<double>(table.responders_1) / table.n_1,
          static_cast<double>(table.responders_0) / table.n_0};
}

// The planned test's z of a trial's stages; of the pooled z in place, for that is decided by the
// million and gives the same bits.
class StageZ {
 public:
  StageZ(const analysis::TestSpec& test, std::shared_ptr<const analysis::ExactZ> exact_z)
      : z_(test, std::move(exact_z)),
        is_pooled_(test.method == analysis::Method::chi_square ||
                   test.method == analysis::Method::z_pooled),
        is_symmetric_(!analysis::is_exact(test.method)),
        sign_(test.direction == analysis::Direction::higher_is_better ? 1.0 : -1.0) {}

  const analysis::ZStatistic& statistic() const { return z_; }
  const analysis::TestSpec& spec() const { return z_.spec(); }
  bool is_symmetric() const { return is_symmetric_; }

  double operator()(const LookData& data, int first, int last) const {
    if (is_pooled_ && data.n_strata == 1) return pooled(stratum_table(data, 0, 0, first, last));
    return z_of_stages(z_, data, 0, first, last);
  }
  // Evidence that treatment is worse.
  double against(const LookData& data, int first, int last) const {
    return is_symmetric() ? -(*this)(data, first, last) : z_against_of_stages(z_, data, 0, first, last);
  }

 private:
  double pooled(const analysis::TwoByTwo& table) const {
    const double n_1 = table.n_1, n_0 = table.n_0, total = table.n_1 + table.n_0;
    const double responders = table.responders_1 + table.responders_0;
    const double variance = n_1 * n_0 * (responders * (total - responders)) / total;
    if (!(variance > 0)) return 0.0;
    return sign_ * (table.responders_1 * n_0 - table.responders_0 * n_1) / std::sqrt(variance);
  }

  analysis::ZStatistic z_;
  bool is_pooled_;
  bool is_symmetric_;  // of exact tests the tails are not each other's mirror image
  double sign_;
};

std::string_view name_of(SizeAction action) {
  return k_size_actions[static_cast<std::size_t>(action)].name;
}

class Reestimation final : public StagedDesign {
 public:
  Reestimation(const DesignSpec& spec, const ReestimationSpec& rules, const DesignContext& context)
      : rules_(rules),
        z_(context.test, context.exact_z),
        test_(rules.combination, one_sided_alpha(context.test), rules.information, rules.efficacy),
        naive_z_(-math::normal_quantile(test_.alpha())),
        inference_(context, rules.rule->is_blinded() ? TwoStageInference::Rule::blinded
                                                     : TwoStageInference::Rule::unblinded),
        planned_(spec.patients),
        step_(size_step(spec)),
        parts_(parts_of(spec.arms, rules.control_arm)),
        n_arms_(static_cast<int>(spec.arms.size())) {}

  int n_looks() const override { return 2; }
  int most_patients() const override { return rules_.most_patients; }

  void start(TrialState& state) const override {
    state = {};
    state.n_planned = planned_;
    state.arms = (Bits{1} << n_arms_) - 1;
    state.open = 1;
    state.futility_z.fill(-k_infinity);
  }

  Decision decide(const LookData& data, TrialState& state, Statistics* told) const override {
    const auto i_look = static_cast<std::size_t>(data.i_look);
    state.open_at[i_look] = 1;
    state.n_looks = data.i_look + 1;
    if (data.i_look > 0) return decide_end(data, state, told);
    const analysis::TwoByTwo table = table_of_stages(data, 0, 0, 0);
    state.information[0] = static_cast<double>(table.n_1 + table.n_0) / planned_;
    return data.is_final ? decide_without_look(data, state, told)
                         : decide_look(data, table, state, told);
  }

  Bits naive_rejections(const LookData& data, const TrialState& state) const override {
    const auto rejects = [&](int last) {
      return z_(data, 0, last) > naive_z_ || (two_sided() && z_.against(data, 0, last) > naive_z_);
    };
    const bool looked = rules_.efficacy && state.n_looks > 1;
    return rejects(data.i_look) || (looked && rejects(0)) ? 1 : 0;
  }

  Inference infer(const LookData& data, const TrialState& state, int) const override {
    return inference_(test_, z_.statistic(), data, state.information[0],
                      futility_limit(state.information[0]));
  }

 private:
  bool two_sided() const { return z_.spec().sides == analysis::Sides::two; }

  static Decision end(TrialState& state, StopReason reason, SizeAction action) {
    state.stop = reason;
    if (reason == StopReason::efficacy || reason == StopReason::harm) state.rejected = state.open;
    return {reason, name_of(action)};
  }

  Decision decide_look(const LookData& data, const analysis::TwoByTwo& table, TrialState& state,
                       Statistics* told) const;
  Decision decide_end(const LookData& data, TrialState& state, Statistics* told) const;
  Decision decide_without_look(const LookData& data, TrialState& state, Statistics* told) const;
  InterimView view_of(const analysis::TwoByTwo& table, double z, double critical_z_2) const;
  // At the observed rates, each with its own variance, with the planned number.
  double conditional_power(const InterimView& view) const {
    return power_of(view.prospect(view.observed, SizingVariance::unpooled), view.to_come(view.planned),
                    view.critical_z_2);
  }
  bool is_futile(const InterimView& view) const;
  // The first-stage z up to which is_futile(), by the normal form of conditional power (Jennison &
  // Turnbull 2000, eq. 10.1, under the observed effect): -infinity without futility.
  double futility_limit(double information) const;
  Decision set_size(const SizeAnswer& answer, int n_enrolled, TrialState& state) const;

  ReestimationSpec rules_;
  StageZ z_;
  TwoStageTest test_;
  double naive_z_;  // of one analysis with all of alpha
  TwoStageInference inference_;
  int planned_;
  int step_;
  ArmParts parts_;
  int n_arms_;
};

InterimView Reestimation::view_of(const analysis::TwoByTwo& table, double z,
                                  double critical_z_2) const {
  const double with_value = table.n_1 + table.n_0;
  InterimView view;
  view.z = z;
  view.observed = rates_of(table);
  view.blinded_rate = (table.responders_1 + table.responders_0) / with_value;
  view.critical_z_2 = critical_z_2;
  view.critical_z = test_.bounds(rules_.information).final_z;
  view.planned = planned_;
  view.n_passed = std::max(static_cast<double>(rules_.n_interim), with_value);
  view.completeness = with_value / view.n_passed;
  view.parts = parts_;
  view.sign = z_.spec().direction == analysis::Direction::higher_is_better ? 1.0 : -1.0;
  view.margin = z_.spec().margin;
  return view;
}

bool Reestimation::is_futile(const InterimView& view) const {
  if (!rules_.futility) return false;
  if (rules_.futility->rule == StopRule::z) return view.z <= rules_.futility->below;
  return conditional_power(view) < rules_.futility->below;
}

double Reestimation::futility_limit(double information) const {
  if (!rules_.futility) return -k_infinity;
  if (rules_.futility->rule == StopRule::z) return rules_.futility->below;
  const double t = test_.weight(information);
  return std::sqrt(t) * (test_.bounds(information).final_z +
                         std::sqrt(1.0 - t) * math::normal_quantile(rules_.futility->below));
}

Decision Reestimation::set_size(const SizeAnswer& answer, int n_enrolled, TrialState& state) const {
  if (answer.action != SizeAction::enlarge) return {StopReason::none, name_of(answer.action)};
  const int least = std::min(std::max(rules_.fewest_patients, n_enrolled), rules_.most_patients);
  int size = rules_.most_patients;
  if (answer.patients < rules_.most_patients) {
    const int steps = static_cast<int>(std::ceil(answer.patients / step_));
    size = std::clamp(steps * step_, least, rules_.most_patients);
  }
  state.n_planned = size;
  const auto action = size == planned_              ? SizeAction::keep
                      : size < planned_             ? SizeAction::reduce
                      : size < rules_.most_patients ? SizeAction::enlarge
                                                    : SizeAction::enlarge_to_cap;
  return {StopReason::none, name_of(action)};
}

Decision Reestimation::decide_look(const LookData& data, const analysis::TwoByTwo& table,
                                   TrialState& state, Statistics* told) const {
  const double z = z_(data, 0, 0), information = state.information[0];
  const auto bounds = test_.bounds(information);
  state.efficacy_z[0] = bounds.interim_z;
  if (told != nullptr) told->add("z", z);
  if (told != nullptr && rules_.efficacy) told->add("efficacy_z", bounds.interim_z);
  if (z > bounds.interim_z) return end(state, StopReason::efficacy, SizeAction::stop_efficacy);
  if (two_sided() && z_.against(data, 0, 0) > bounds.interim_z)
    return end(state, StopReason::harm, SizeAction::stop_harm);

  const bool is_unweighted = test_.combination() == sequential::Combination::unweighted;
  const double critical_z_2 = test_.critical_z_2(z, information);
  state.efficacy_z[1] = is_unweighted ? bounds.final_z : critical_z_2;
  if (two_sided())
    state.futility_z[1] =
        is_unweighted ? -bounds.final_z : -test_.critical_z_2(z_.against(data, 0, 0), information);
  // An arm without a patient foretells nothing.
  if (table.n_1 == 0 || table.n_0 == 0) return {StopReason::none, name_of(SizeAction::keep)};
  const InterimView view = view_of(table, z, critical_z_2);
  const SizeAnswer answer = rules_.rule->decide(view);
  if (told != nullptr) {
    // As the rule reckons it, where it does.
    told->add("conditional_power", std::isnan(answer.conditional_power) ? conditional_power(view)
                                                                        : answer.conditional_power);
    told->add("blinded_rate", view.blinded_rate);
    told->add("critical_z_stage_2", critical_z_2);
  }
  if (is_futile(view)) return end(state, StopReason::futility, SizeAction::stop_futility);
  const Decision decision = set_size(answer, data.n_enrolled, state);
  if (told != nullptr) told->add("patients", state.n_planned);
  return decision;
}

Decision Reestimation::decide_end(const LookData& data, TrialState& state, Statistics* told) const {
  const int first = test_.combination() == sequential::Combination::unweighted ? 0 : 1;
  const double z = z_(data, first, 1), critical_z = state.efficacy_z[1];
  if (told != nullptr) {
    told->add(first == 0 ? "z" : "z_stage_2", z);
    told->add(first == 0 ? "efficacy_z" : "critical_z_stage_2", critical_z);
    told->add("z_unweighted", z_(data, 0, 1));
  }
  const analysis::TwoByTwo table = table_of_stages(data, 0, 0, 1);
  state.information[1] = static_cast<double>(table.n_1 + table.n_0) / planned_;
  if (z > critical_z) return end(state, StopReason::efficacy, SizeAction::reject);
  if (two_sided()) {
    const double against = z_.is_symmetric() ? -z : z_.against(data, first, 1);
    if (against > -state.futility_z[1]) return end(state, StopReason::harm, SizeAction::reject_harm);
  }
  return end(state, StopReason::completed, SizeAction::accept);
}

// Recruitment ended before the look: one analysis, with all of alpha.
Decision Reestimation::decide_without_look(const LookData& data, TrialState& state,
                                           Statistics* told) const {
  const double z = z_(data, 0, 0);
  state.efficacy_z[0] = naive_z_;
  if (told != nullptr) {
    told->add("z", z);
    told->add("efficacy_z", naive_z_);
  }
  if (z > naive_z_) return end(state, StopReason::efficacy, SizeAction::reject);
  if (two_sided() && z_.against(data, 0, 0) > naive_z_)
    return end(state, StopReason::harm, SizeAction::reject_harm);
  return end(state, StopReason::completed, SizeAction::accept);
}

}  // namespace

std::shared_ptr<const StagedDesign> make_reestimation(const DesignSpec& spec,
                                                      const ReestimationSpec& rules,
                                                      const DesignContext& context) {
  return std::make_shared<Reestimation>(spec, rules, context);
}

}  // namespace trialwright::design
