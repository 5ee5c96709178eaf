#include "design/multi_stage.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "analysis/z_statistic.hpp"
#include "design/active_arms.hpp"
#include "design/design_spec.hpp"
#include "design/look_inference.hpp"
#include "design/look_tables.hpp"
#include "math/normal.hpp"

namespace trialwright::design {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

int rounded(double x) {
  return static_cast<int>(std::floor(x + 0.5));
}

class MultiStage final : public StagedDesign {
 public:
  MultiStage(const DesignSpec& spec, const MultiStageSpec& rules, const DesignContext& context);

  int n_looks() const override { return static_cast<int>(rules_.information.size()); }
  void start(TrialState& state) const override { arms_.start(state, patients_); }
  Decision decide(const LookData& data, TrialState& state, Statistics* told) const override;
  Bits naive_rejections(const LookData& data, const TrialState& state) const override;
  Inference infer(const LookData& data, const TrialState& state, int i_hypothesis) const override;
  int most_patients() const override { return patients_; }

 private:
  void drop_arms(const LookData& data, TrialState& state) const;
  std::optional<EffectInterval> repeated(const LookData& data, int i_hypothesis) const;

  MultiStageSpec rules_;
  ActiveArms arms_;
  int patients_;
  analysis::ZStatistic z_;
  double alpha_;
  double naive_z_;
  LookInference inference_;
  sequential::MultiArmBoundary boundary_;
  sequential::MultiArmPValues p_values_;
  // [i_look] of the same shape if no arm is dropped: repeated intervals hold for any effect, of which
  // the stops for futility are not those under the null hypothesis.
  std::vector<double> repeated_z_;
};

MultiStage::MultiStage(const DesignSpec& spec, const MultiStageSpec& rules,
                       const DesignContext& context)
    : rules_(rules),
      arms_(spec, rules.i_control),
      patients_(spec.patients),
      z_(context.test, context.exact_z),
      alpha_(context.test.one_sided_alpha()),
      naive_z_(-math::normal_quantile(alpha_)),
      inference_(context),
      boundary_(sequential::multi_arm_boundary(rules.shape, rules.futility, alpha_,
                                               arms_.n_hypotheses(), rules.control_ratio,
                                               rules.information)),
      p_values_(rules.shape, boundary_, alpha_, arms_.n_hypotheses(), rules.control_ratio,
                rules.information),
      repeated_z_(boundary_.efficacy_z) {
  using sequential::MultiArmFutility;
  if (rules.futility != MultiArmFutility::none)
    repeated_z_ =
        sequential::multi_arm_boundary(rules.shape, MultiArmFutility::none, alpha_,
                                       arms_.n_hypotheses(), rules.control_ratio, rules.information)
            .efficacy_z;
  // At the end there is nothing to drop an arm from.
  boundary_.futility_z.resize(rules.information.size(), -k_infinity);
  boundary_.futility_z.back() = -k_infinity;
}

Decision MultiStage::decide(const LookData& data, TrialState& state, Statistics* told) const {
  const auto i_look = static_cast<std::size_t>(data.i_look);
  // In a trial that ends before its last planned look the error of the looks to come is not spent.
  const double upper = boundary_.efficacy_z[i_look];
  const double lower = data.is_final ? -k_infinity : boundary_.futility_z[i_look];
  Bits crossed = 0, dropped = 0;
  for (Bits left = state.open; left != 0; left &= left - 1) {
    const int h = std::countr_zero(left);
    const double z = z_of_stages(z_, data, h, 0, data.i_look);
    if (z > upper)
      crossed |= Bits{1} << h;
    else if (lower > -k_infinity && z <= lower &&
             is_known(data, h))  // an arm without an outcome has shown nothing
      dropped |= Bits{1} << h;
    if (!told) continue;
    told->add("z", z, h);
    if (const auto interval = repeated(data, h)) {
      told->add("repeated_lower", interval->lower, h);
      told->add("repeated_upper", interval->upper, h);
    }
  }
  if (told) {
    told->add("efficacy_z", upper);
    if (lower > -k_infinity) told->add("futility_z", lower);
  }
  state.information[i_look] = data.is_final ? 1.0 : rules_.information[i_look];
  state.efficacy_z[i_look] = upper;
  state.futility_z[i_look] = lower;
  state.open_at[i_look] = state.open;
  state.rejected |= crossed;
  ++state.n_looks;
  state.open &= ~(crossed | dropped);
  const bool is_settled = state.open == 0 || (rules_.stop_when == StopWhen::any && state.rejected != 0);
  if (data.is_final || is_settled) {
    state.stop = state.rejected != 0 ? StopReason::efficacy
                 : data.is_final     ? StopReason::completed
                                     : StopReason::futility;
    return {state.stop, state.rejected != 0 ? "reject" : data.is_final ? "accept" : "drop_all"};
  }
  if ((crossed | dropped) == 0) return {StopReason::none, "go_on"};
  drop_arms(data, state);
  return {StopReason::none, crossed == 0 ? "drop_arms" : "reject_and_go_on"};
}

void MultiStage::drop_arms(const LookData& data, TrialState& state) const {
  const double per_part = static_cast<double>(patients_) / arms_.all_parts();
  const int before = arms_.parts(state.arms);
  state.arms = arms_.arms_of(state.open);
  const int after = arms_.parts(state.arms);
  // Patients still to come to one part of the ratio.
  const double to_come = std::max(0.0, static_cast<double>(state.n_planned - data.n_enrolled) / before);
  const auto next = static_cast<std::size_t>(data.i_look) + 1;
  state.n_planned = data.n_enrolled + rounded(to_come * after);
  if (next + 1 >= rules_.information.size()) return;
  const double wanted = rules_.information[next] * per_part, there = per_part - to_come;
  state.outcomes_at_next_look = data.n_enrolled + rounded((wanted - there) * after);
}

Bits MultiStage::naive_rejections(const LookData& data, const TrialState& state) const {
  Bits rejected = 0;
  for (int k = 0; k < state.n_looks; ++k)
    for (Bits left = state.open_at[static_cast<std::size_t>(k)] & ~rejected; left != 0;
         left &= left - 1) {
      const int h = std::countr_zero(left);
      if (z_of_stages(z_, data, h, 0, k) > naive_z_) rejected |= Bits{1} << h;
    }
  return rejected;
}

Inference MultiStage::infer(const LookData& data, const TrialState& state, int i_hypothesis) const {
  std::size_t n = 0;
  while (n < static_cast<std::size_t>(state.n_looks) && (state.open_at[n] >> i_hypothesis & 1) != 0)
    ++n;
  if (n == 0) return {};
  std::array<double, k_most_looks> information{};
  for (std::size_t k = 0; k < n; ++k) {
    const auto table = table_of_stages(data, i_hypothesis, 0, static_cast<int>(k));
    information[k] = static_cast<double>(table.n_1 + table.n_0) / patients_;
  }
  LookData own = data;  // as at the last look that tested it
  own.i_look = static_cast<int>(n) - 1;
  const double z = z_of_stages(z_, own, i_hypothesis, 0, own.i_look);
  Inference made = inference_(
      own, i_hypothesis,
      {{information.data(), n}, {state.efficacy_z.data(), n}, {state.futility_z.data(), n}}, z);
  made.p_value = p_values_(own.i_look, z);
  const auto interval = repeated(own, i_hypothesis);
  if (!made.defined || !interval) return made;
  made.lower = made.repeated_lower = interval->lower;
  made.upper = made.repeated_upper = interval->upper;
  return made;
}

std::optional<EffectInterval> MultiStage::repeated(const LookData& data, int i_hypothesis) const {
  const double z = repeated_z_[static_cast<std::size_t>(data.i_look)];
  return inference_.repeated(data, i_hypothesis, z, z);
}

}  // namespace

std::shared_ptr<const StagedDesign> make_multi_stage(const DesignSpec& spec,
                                                     const MultiStageSpec& rules,
                                                     const DesignContext& context) {
  return std::make_shared<MultiStage>(spec, rules, context);
}

}  // namespace trialwright::design
