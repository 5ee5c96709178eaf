#include "design/group_sequential.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/z_statistic.hpp"
#include "design/design_spec.hpp"
#include "design/look_inference.hpp"
#include "design/look_tables.hpp"

namespace trialwright::design {

namespace {

using analysis::Direction;
using analysis::Sides;
using analysis::TwoByTwo;
using sequential::Binding;
using sequential::RunningBoundary;

constexpr double k_infinity = std::numeric_limits<double>::infinity();

std::string_view action_of(StopReason reason) {
  switch (reason) {
    case StopReason::efficacy:
      return "reject";
    case StopReason::futility:
      return "stop_for_futility";
    case StopReason::harm:
      return "stop_for_harm";
    case StopReason::completed:
      return "accept";
    case StopReason::none:
    case StopReason::no_arm_left:
      break;
  }
  return "go_on";
}

class GroupSequential final : public StagedDesign {
 public:
  GroupSequential(const DesignSpec& spec, const GroupSequentialSpec& rules,
                  const DesignContext& context);

  int n_looks() const override { return static_cast<int>(planned_.size()); }
  void start(TrialState& state) const override;
  Decision decide(const LookData& data, TrialState& state, Statistics* told) const override;
  Bits naive_rejections(const LookData& data, const TrialState& state) const override;
  Inference infer(const LookData& data, const TrialState& state, int i_hypothesis) const override;
  int most_patients() const override { return n_patients_; }
  bool decides_by_totals() const override { return true; }

 private:
  // What z is held against; infinite where there is nothing.
  struct Bounds {
    double efficacy_z = k_infinity;
    double futility_z = -k_infinity;
    double harm_z = k_infinity;  // of the evidence that treatment is worse
    bool is_open = true;         // false where information has not grown
  };

  void plan_bounds(const GroupSequentialSpec& rules);
  // Efficacy and harm at the planned looks.
  sequential::Boundary planned_sides(const GroupSequentialSpec& rules) const;
  // Futility by limits of z, and what it spares of alpha where it is binding.
  void plan_limits(const GroupSequentialSpec& rules, sequential::Boundary& boundary);
  double planned_drift(const GroupSequentialSpec& rules) const;
  double limit_of(int i_look, double information) const;
  double information_of(const LookData& data) const;
  bool is_as_planned(const LookData& data, const TrialState& state, double information) const;
  Bounds bounds_at(const LookData& data, const TrialState& state, double information) const;
  Bounds running_bounds(const LookData& data, const TrialState& state, double information) const;
  // The efficacy boundary's value at a look if futility spares no alpha: repeated intervals hold for
  // any effect, of which the stops for futility are not those under the null hypothesis.
  double efficacy_alone(const LookData& data, const TrialState& state, double information,
                        const Bounds& bounds) const;
  std::optional<EffectInterval> repeated(const LookData& data, const TrialState& state,
                                         double information, const Bounds& bounds) const;
  StopReason reason(const LookData& data, const Bounds& bounds) const;
  // Of all patients known at a look.
  bool exceeds(const LookData& data, int i_look, double z) const;
  bool against_exceeds(const LookData& data, int i_look, double z) const;
  void tell(const LookData& data, const TrialState& state, double z, double information,
            const Bounds& bounds, Statistics& told) const;

  int n_patients_;
  DesignContext context_;
  analysis::ZStatistic z_;
  LookInference inference_;
  double critical_z_;  // of an analysis without looks
  std::vector<double> information_;
  RunningBoundary efficacy_;
  std::optional<RunningBoundary> efficacy_alone_;  // where futility is binding
  std::optional<RunningBoundary> harm_;
  bool is_two_sided_;  // rejects on both sides
  bool heeds_harm_;    // each side's alpha counts on the other's stops
  std::optional<FutilityRuleSpec> futility_;
  std::unique_ptr<const FutilityLimit> limit_;
  double final_z_ = 0;
  std::vector<Bounds> planned_;
};

bool is_binding(const GroupSequentialSpec& rules) {
  return rules.futility && rules.futility->binding == Binding::binding;
}

RunningBoundary running(const GroupSequentialSpec& rules) {
  const auto& efficacy = rules.efficacy;
  if (rules.futility && rules.futility->rule == FutilityRule::beta_spending)
    return RunningBoundary(efficacy.boundary, efficacy.alpha, rules.planned_information,
                           rules.futility->beta, rules.futility->binding);
  return RunningBoundary(efficacy.boundary, efficacy.alpha, rules.planned_information);
}

GroupSequential::GroupSequential(const DesignSpec& spec, const GroupSequentialSpec& rules,
                                 const DesignContext& context)
    : n_patients_(spec.patients),
      context_(context),
      z_(context.test, context.exact_z),
      inference_(context),
      critical_z_(analysis::critical_z(context.test)),
      information_(rules.planned_information),
      efficacy_(running(rules)),
      is_two_sided_(rules.harm && context.test.sides == Sides::two),
      heeds_harm_(is_two_sided_ && !is_binding(rules)),
      futility_(rules.futility) {
  const auto& efficacy = rules.efficacy;
  if (is_binding(rules)) efficacy_alone_.emplace(efficacy.boundary, efficacy.alpha, information_);
  if (rules.harm) harm_.emplace(rules.harm->boundary, rules.harm->alpha, information_);
  if (futility_) limit_ = make_futility_limit(*futility_, planned_drift(rules));
  plan_bounds(rules);
}

double GroupSequential::planned_drift(const GroupSequentialSpec& rules) const {
  const double p_1 = futility_->planned_rate_1, p_0 = futility_->planned_rate_0;
  const double n_1 = n_patients_ * rules.treatment_share, n_0 = n_patients_ - n_1;
  const double advantage =
      context_.test.direction == Direction::higher_is_better ? p_1 - p_0 : p_0 - p_1;
  return (advantage + context_.test.margin) / std::sqrt(p_1 * (1 - p_1) / n_1 + p_0 * (1 - p_0) / n_0);
}

double GroupSequential::limit_of(int i_look, double information) const {
  return limit_->z_limit({i_look, information, final_z_});
}

sequential::Boundary GroupSequential::planned_sides(const GroupSequentialSpec& rules) const {
  sequential::Boundary boundary = efficacy_.planned();
  if (heeds_harm_) {
    auto both = sequential::two_sided_boundary(rules.efficacy.boundary, rules.efficacy.alpha,
                                               rules.harm->boundary, rules.harm->alpha, information_);
    boundary.efficacy_z = std::move(both.efficacy_z);
    boundary.harm_z = std::move(both.harm_z);
  } else if (harm_) {
    for (std::size_t k = 0; k < information_.size(); ++k)
      boundary.harm_z[k] = -harm_->planned().efficacy_z[k];
  }
  return boundary;
}

void GroupSequential::plan_limits(const GroupSequentialSpec& rules, sequential::Boundary& boundary) {
  std::vector<double> limits(information_.size(), -k_infinity);
  const auto set_limits = [&] {
    for (std::size_t k = 0; k + 1 < limits.size(); ++k)
      limits[k] = limit_of(static_cast<int>(k), information_[k]);
  };
  set_limits();
  // Binding limits hang on the last critical value, and the value on the limits.
  double moved = is_binding(rules) ? 1 : 0;
  for (int round = 0; round < 50 && moved >= 1e-13; ++round) {
    boundary.efficacy_z = sequential::efficacy_boundary(rules.efficacy.boundary, rules.efficacy.alpha,
                                                        information_, limits)
                              .efficacy_z;
    moved = std::abs(boundary.efficacy_z.back() - final_z_);
    final_z_ = boundary.efficacy_z.back();
    set_limits();
  }
  boundary.futility_z = limits;
}

void GroupSequential::plan_bounds(const GroupSequentialSpec& rules) {
  sequential::Boundary boundary = planned_sides(rules);
  final_z_ = boundary.efficacy_z.back();
  if (limit_) plan_limits(rules, boundary);
  for (std::size_t k = 0; k < information_.size(); ++k) {
    Bounds bounds;
    bounds.efficacy_z = boundary.efficacy_z[k];
    if (k + 1 < information_.size()) bounds.futility_z = boundary.futility_z[k];
    bounds.harm_z = -boundary.harm_z[k];
    planned_.push_back(bounds);
  }
}

void GroupSequential::start(TrialState& state) const {
  state = {};
  state.n_planned = n_patients_;
  state.arms = 3;
  state.open = 1;
}

bool GroupSequential::is_as_planned(const LookData& data, const TrialState& state,
                                    double information) const {
  const auto k = static_cast<std::size_t>(state.n_looks);
  if (k >= information_.size() || data.is_final != (k + 1 == information_.size())) return false;
  return information == information_[k] &&
         std::equal(information_.begin(), information_.begin() + static_cast<std::ptrdiff_t>(k),
                    state.information.begin());
}

GroupSequential::Bounds GroupSequential::bounds_at(const LookData& data, const TrialState& state,
                                                   double information) const {
  return is_as_planned(data, state, information) ? planned_[static_cast<std::size_t>(state.n_looks)]
                                                 : running_bounds(data, state, information);
}

GroupSequential::Bounds GroupSequential::running_bounds(const LookData& data, const TrialState& state,
                                                        double information) const {
  using Look = RunningBoundary::Look;
  const bool heeds_limits = limit_ && futility_->binding == Binding::binding;
  RunningBoundary::Path above, below;
  efficacy_.start(above);
  if (harm_) harm_->start(below);
  double grown = 0;
  for (int j = 0; j < state.n_looks; ++j) {
    const double then = state.information[static_cast<std::size_t>(j)];
    const double efficacy_z = efficacy_.next(above, then, Look::interim);
    const double harm_z = harm_ ? harm_->next(below, then, Look::interim) : k_infinity;
    if (!(then > 0 && then >= grown * (1 + sequential::k_least_growth))) continue;
    grown = then;
    if (heeds_limits) efficacy_.heed(above, limit_of(j, then));
    if (!heeds_harm_) continue;
    efficacy_.heed(above, -harm_z);
    harm_->heed(below, -efficacy_z);
  }
  const Look look = data.is_final ? Look::final : Look::interim;
  const auto next = efficacy_.next_bounds(above, information, look);
  Bounds bounds;
  bounds.efficacy_z = next.efficacy_z;
  bounds.is_open = information > 0 && information >= grown * (1 + sequential::k_least_growth);
  if (!data.is_final && bounds.is_open)
    bounds.futility_z = limit_ ? limit_of(state.n_looks, information) : next.futility_z;
  if (harm_) bounds.harm_z = harm_->next(below, information, look);
  return bounds;
}

double GroupSequential::efficacy_alone(const LookData& data, const TrialState& state,
                                       double information, const Bounds& bounds) const {
  if (!efficacy_alone_) return bounds.efficacy_z;
  const auto k = static_cast<std::size_t>(state.n_looks);
  if (is_as_planned(data, state, information)) return efficacy_alone_->planned().efficacy_z[k];
  using Look = RunningBoundary::Look;
  RunningBoundary::Path path;
  efficacy_alone_->start(path);
  for (std::size_t j = 0; j < k; ++j) efficacy_alone_->next(path, state.information[j], Look::interim);
  return efficacy_alone_->next(path, information, data.is_final ? Look::final : Look::interim);
}

std::optional<EffectInterval> GroupSequential::repeated(const LookData& data, const TrialState& state,
                                                        double information,
                                                        const Bounds& bounds) const {
  const double upper_z = efficacy_alone(data, state, information, bounds);
  return inference_.repeated(data, 0, upper_z, is_two_sided_ ? bounds.harm_z : upper_z);
}

bool GroupSequential::exceeds(const LookData& data, int i_look, double z) const {
  return z_.exceeds_over(
      data.n_strata, [&](int s) { return stratum_table(data, 0, s, 0, i_look); }, z);
}

bool GroupSequential::against_exceeds(const LookData& data, int i_look, double z) const {
  return z_.against_exceeds_over(
      data.n_strata, [&](int s) { return stratum_table(data, 0, s, 0, i_look); }, z);
}

StopReason GroupSequential::reason(const LookData& data, const Bounds& bounds) const {
  if (exceeds(data, data.i_look, bounds.efficacy_z)) return StopReason::efficacy;
  if (harm_ && against_exceeds(data, data.i_look, bounds.harm_z)) return StopReason::harm;
  if (data.is_final) return StopReason::completed;
  if (bounds.futility_z > -k_infinity && !exceeds(data, data.i_look, bounds.futility_z))
    return StopReason::futility;
  if (!futility_ || futility_->rule != FutilityRule::effect || !bounds.is_open) return StopReason::none;
  const auto effect = inference_.advantage(data, 0, z_of_stages(z_, data, 0, 0, data.i_look));
  const bool is_below = effect && *effect < futility_->below[static_cast<std::size_t>(data.i_look)];
  return is_below ? StopReason::futility : StopReason::none;
}

void GroupSequential::tell(const LookData& data, const TrialState& state, double z, double information,
                           const Bounds& bounds, Statistics& told) const {
  told.add("z", z, 0);
  told.add("information", information);
  told.add("efficacy_z", bounds.efficacy_z, 0);
  if (harm_) told.add("harm_z", -bounds.harm_z, 0);
  if (const auto interval = repeated(data, state, information, bounds)) {
    told.add("repeated_lower", interval->lower, 0);
    told.add("repeated_upper", interval->upper, 0);
  }
  if (!futility_ || data.is_final) return;
  if (bounds.futility_z > -k_infinity) told.add("futility_z", bounds.futility_z, 0);
  if (limit_ && futility_->rule != FutilityRule::z)
    told.add(limit_->statistic(), limit_->value(z, {data.i_look, information, final_z_}), 0);
  if (futility_->rule != FutilityRule::effect) return;
  if (const auto effect = inference_.advantage(data, 0, z)) told.add("effect", *effect, 0);
}

double GroupSequential::information_of(const LookData& data) const {
  const TwoByTwo table = table_of_stages(data, 0, 0, data.i_look);
  return static_cast<double>(table.n_1 + table.n_0) / n_patients_;
}

Decision GroupSequential::decide(const LookData& data, TrialState& state, Statistics* told) const {
  const double information = information_of(data);
  const Bounds bounds = bounds_at(data, state, information);
  if (told != nullptr)
    tell(data, state, z_of_stages(z_, data, 0, 0, data.i_look), information, bounds, *told);
  const auto k = static_cast<std::size_t>(state.n_looks);
  state.information[k] = information;
  state.efficacy_z[k] = bounds.efficacy_z;
  state.futility_z[k] = data.is_final ? -k_infinity : std::max(bounds.futility_z, -bounds.harm_z);
  const bool has_effect_limit = futility_ && futility_->rule == FutilityRule::effect && bounds.is_open;
  if (has_effect_limit && !data.is_final)
    state.futility_z[k] =
        std::max(state.futility_z[k],
                 inference_.z_of_advantage(data, 0, futility_->below[static_cast<std::size_t>(k)]));
  state.open_at[k] = 1;
  ++state.n_looks;

  state.stop = reason(data, bounds);
  const bool rejects =
      state.stop == StopReason::efficacy || (state.stop == StopReason::harm && is_two_sided_);
  if (rejects) state.rejected = 1;
  if (state.stop != StopReason::none) state.open = 0;
  return {state.stop, action_of(state.stop)};
}

Bits GroupSequential::naive_rejections(const LookData& data, const TrialState&) const {
  for (int last = 0; last <= data.i_look; ++last) {
    if (exceeds(data, last, critical_z_)) return 1;
    if (context_.test.sides == Sides::two && against_exceeds(data, last, critical_z_)) return 1;
  }
  return 0;
}

Inference GroupSequential::infer(const LookData& data, const TrialState& state, int) const {
  if (state.n_looks == 0) return {};
  TrialState before = state;
  const auto last = static_cast<std::size_t>(--before.n_looks);
  // More than the last look knew, where over-run is analysed.
  const double known = information_of(data);
  const bool is_as_decided = known == state.information[last];
  before.information[last] = known;
  const std::size_t n = last + 1;
  Inference made = inference_(
      data, 0,
      {{before.information.data(), n}, {state.efficacy_z.data(), n}, {state.futility_z.data(), n}},
      z_of_stages(z_, data, 0, 0, data.i_look));
  Bounds bounds;
  bounds.efficacy_z = state.efficacy_z[last];
  if (is_two_sided_ || !is_as_decided) bounds = bounds_at(data, before, known);
  if (const auto interval = repeated(data, before, known, bounds)) {
    made.repeated_lower = interval->lower;
    made.repeated_upper = interval->upper;
  }
  return made;
}

}  // namespace

std::shared_ptr<const StagedDesign> make_group_sequential(const DesignSpec& spec,
                                                          const GroupSequentialSpec& rules,
                                                          const DesignContext& context) {
  return std::make_shared<GroupSequential>(spec, rules, context);
}

}  // namespace trialwright::design
