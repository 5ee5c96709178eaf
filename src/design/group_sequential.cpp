#include "design/group_sequential.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "analysis/estimate.hpp"
#include "analysis/restricted_ml.hpp"
#include "analysis/z_statistic.hpp"
#include "design/design_spec.hpp"
#include "design/look_tables.hpp"
#include "math/elementary.hpp"
#include "sequential/inference.hpp"

namespace trialwright::design {

namespace {

using analysis::Direction;
using analysis::EffectMeasure;
using analysis::Sides;
using analysis::TwoByTwo;
using sequential::Binding;
using sequential::RunningBoundary;

constexpr double k_infinity = std::numeric_limits<double>::infinity();
// Beyond it the normal distribution has nothing left to tell apart.
constexpr double k_largest_z = 38;

// Is the effect measured on the log scale?
bool is_ratio(EffectMeasure measure) {
  return measure != EffectMeasure::risk_difference;
}

// The null hypothesis on the (log) scale of the effect: of ratios under a margin, that of the likeliest
// rates there; NaN where these leave it undefined.
double null_effect(const DesignContext& context, const TwoByTwo& table) {
  const double margin = context.test.margin;
  if (margin == 0) return 0;
  const double difference = context.test.direction == Direction::higher_is_better ? -margin : margin;
  if (!is_ratio(context.effect)) return difference;
  const auto rates = analysis::restricted_by_difference(table, difference);
  const double ratio = rates.rate_1 / rates.rate_0;
  return context.effect == EffectMeasure::risk_ratio
             ? math::log(ratio)
             : math::log(ratio * ((1 - rates.rate_0) / (1 - rates.rate_1)));
}

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
  double planned_drift(const GroupSequentialSpec& rules) const;
  double limit_of(int i_look, double information) const;
  bool is_as_planned(const LookData& data, const TrialState& state, double information) const;
  Bounds running_bounds(const LookData& data, const TrialState& state, double information) const;
  std::optional<double> advantage(const LookData& data, double z) const;
  double z_of_effect_limit(const LookData& data) const;
  StopReason reason(const LookData& data, double z, const Bounds& bounds) const;
  void tell(const LookData& data, double z, double information, const Bounds& bounds,
            Statistics& told) const;

  int n_patients_;
  DesignContext context_;
  analysis::ZStatistic z_;
  analysis::Estimator estimator_;
  double critical_z_;  // of an analysis without looks
  std::vector<double> information_;
  RunningBoundary efficacy_;
  std::optional<RunningBoundary> harm_;
  std::optional<FutilityRuleSpec> futility_;
  std::unique_ptr<const FutilityLimit> limit_;
  double final_z_ = 0;
  std::vector<Bounds> planned_;
};

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
      estimator_(context.effect, analysis::IntervalMethod::wald, context.confidence_level,
                 analysis::stratification_of(context.test.method)),
      critical_z_(analysis::critical_z(context.test)),
      information_(rules.planned_information),
      efficacy_(running(rules)),
      futility_(rules.futility) {
  if (rules.harm) harm_.emplace(rules.harm->boundary, rules.harm->alpha, rules.planned_information);
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

void GroupSequential::plan_bounds(const GroupSequentialSpec& rules) {
  const auto n = information_.size();
  sequential::Boundary boundary = efficacy_.planned();
  final_z_ = boundary.efficacy_z.back();
  std::vector<double> limits(n, -k_infinity);
  const auto set_limits = [&] {
    for (std::size_t k = 0; k + 1 < n; ++k) limits[k] = limit_of(static_cast<int>(k), information_[k]);
  };
  if (limit_) set_limits();
  if (limit_ && futility_->binding == Binding::binding) {
    // Limits that hang on the last critical value, and the value on the limits.
    for (int round = 0; round < 50; ++round) {
      boundary = sequential::efficacy_boundary(rules.efficacy.boundary, rules.efficacy.alpha,
                                               information_, limits);
      const double moved = std::abs(boundary.efficacy_z.back() - final_z_);
      final_z_ = boundary.efficacy_z.back();
      set_limits();
      if (moved < 1e-13) break;
    }
  }
  for (std::size_t k = 0; k < n; ++k) {
    Bounds bounds;
    bounds.efficacy_z = boundary.efficacy_z[k];
    if (k + 1 < n) {
      if (limit_) bounds.futility_z = limits[k];
      if (futility_ && futility_->rule == FutilityRule::beta_spending)
        bounds.futility_z = boundary.futility_z[k];
    }
    if (harm_) bounds.harm_z = harm_->planned().efficacy_z[k];
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

GroupSequential::Bounds GroupSequential::running_bounds(const LookData& data, const TrialState& state,
                                                        double information) const {
  const bool heeds = limit_ && futility_->binding == Binding::binding;
  const auto look = data.is_final ? RunningBoundary::Look::final : RunningBoundary::Look::interim;
  RunningBoundary::Path path;
  efficacy_.start(path);
  double grown = 0;
  for (int j = 0; j < state.n_looks; ++j) {
    const double then = state.information[static_cast<std::size_t>(j)];
    efficacy_.next_bounds(path, then, RunningBoundary::Look::interim);
    if (!(then > 0 && then >= grown * (1 + sequential::k_least_growth))) continue;
    grown = then;
    if (heeds) efficacy_.heed(path, limit_of(j, then));
  }
  const auto next = efficacy_.next_bounds(path, information, look);
  Bounds bounds;
  bounds.efficacy_z = next.efficacy_z;
  bounds.is_open = information > 0 && information >= grown * (1 + sequential::k_least_growth);
  if (!data.is_final && bounds.is_open)
    bounds.futility_z = limit_ ? limit_of(state.n_looks, information) : next.futility_z;
  if (!harm_) return bounds;
  harm_->start(path);
  for (int j = 0; j < state.n_looks; ++j)
    harm_->next(path, state.information[static_cast<std::size_t>(j)], RunningBoundary::Look::interim);
  bounds.harm_z = harm_->next(path, information, look);
  return bounds;
}

// The estimated effect so far, on its own scale as if higher were better; nothing where there is none.
// A ratio without a finite estimate is 0 or infinite, as z has it.
std::optional<double> GroupSequential::advantage(const LookData& data, double z) const {
  const auto estimate = data.n_strata == 1 ? estimator_(table_of_stages(data, 0, 0, data.i_look))
                                           : estimator_(strata_of_stages(data, 0, 0, data.i_look));
  const bool higher = context_.test.direction == Direction::higher_is_better;
  if (!is_ratio(context_.effect)) {
    if (!estimate.defined) return std::nullopt;
    return higher ? estimate.value : -estimate.value;
  }
  if (estimate.defined) return higher ? estimate.value : 1 / estimate.value;
  if (z == 0) return std::nullopt;
  return z > 0 ? k_infinity : 0;
}

// The z that a limit of the effect stands for at a look, on the scale of infer(): -infinity where no
// standard error is known.
double GroupSequential::z_of_effect_limit(const LookData& data) const {
  const auto estimate = estimator_(strata_of_stages(data, 0, 0, data.i_look));
  const double below = futility_->below[static_cast<std::size_t>(data.i_look)];
  const bool ratio = is_ratio(context_.effect);
  const double sign = context_.test.direction == Direction::higher_is_better ? 1 : -1;
  const double null = null_effect(context_, table_of_stages(data, 0, 0, data.i_look));
  if (!estimate.defined || !(estimate.standard_error > 0) || !std::isfinite(null)) return -k_infinity;
  return ((ratio ? math::log(below) : below) - sign * null) / estimate.standard_error;
}

StopReason GroupSequential::reason(const LookData& data, double z, const Bounds& bounds) const {
  if (z > bounds.efficacy_z) return StopReason::efficacy;
  if (harm_ && z_against_of_stages(z_, data, 0, 0, data.i_look) > bounds.harm_z)
    return StopReason::harm;
  if (data.is_final) return StopReason::completed;
  if (z <= bounds.futility_z) return StopReason::futility;
  if (!futility_ || futility_->rule != FutilityRule::effect || !bounds.is_open) return StopReason::none;
  const auto effect = advantage(data, z);
  const bool is_below = effect && *effect < futility_->below[static_cast<std::size_t>(data.i_look)];
  return is_below ? StopReason::futility : StopReason::none;
}

void GroupSequential::tell(const LookData& data, double z, double information, const Bounds& bounds,
                           Statistics& told) const {
  told.add("z", z, 0);
  told.add("information", information);
  told.add("efficacy_z", bounds.efficacy_z, 0);
  if (harm_) told.add("harm_z", -bounds.harm_z, 0);
  if (!futility_ || data.is_final) return;
  if (bounds.futility_z > -k_infinity) told.add("futility_z", bounds.futility_z, 0);
  if (limit_ && futility_->rule != FutilityRule::z)
    told.add(limit_->statistic(), limit_->value(z, {data.i_look, information, final_z_}), 0);
  if (futility_->rule != FutilityRule::effect) return;
  if (const auto effect = advantage(data, z)) told.add("effect", *effect, 0);
}

Decision GroupSequential::decide(const LookData& data, TrialState& state, Statistics* told) const {
  const TwoByTwo table = table_of_stages(data, 0, 0, data.i_look);
  const double information = static_cast<double>(table.n_1 + table.n_0) / n_patients_;
  const double z = z_of_stages(z_, data, 0, 0, data.i_look);
  const auto k = static_cast<std::size_t>(state.n_looks);
  const Bounds bounds =
      is_as_planned(data, state, information) ? planned_[k] : running_bounds(data, state, information);
  state.information[k] = information;
  state.efficacy_z[k] = bounds.efficacy_z;
  state.futility_z[k] = data.is_final ? -k_infinity : std::max(bounds.futility_z, -bounds.harm_z);
  const bool has_effect_limit = futility_ && futility_->rule == FutilityRule::effect && bounds.is_open;
  if (has_effect_limit && !data.is_final)
    state.futility_z[k] = std::max(state.futility_z[k], z_of_effect_limit(data));
  state.open_at[k] = 1;
  ++state.n_looks;
  if (told != nullptr) tell(data, z, information, bounds, *told);

  state.stop = reason(data, z, bounds);
  const bool rejects = state.stop == StopReason::efficacy ||
                       (state.stop == StopReason::harm && context_.test.sides == Sides::two);
  if (rejects) state.rejected = 1;
  if (state.stop != StopReason::none) state.open = 0;
  return {state.stop, action_of(state.stop)};
}

Bits GroupSequential::naive_rejections(const LookData& data, const TrialState&) const {
  for (int last = 0; last <= data.i_look; ++last) {
    const double z = z_of_stages(z_, data, 0, 0, last);
    if (z > critical_z_) return 1;
    if (context_.test.sides == Sides::two && z_against_of_stages(z_, data, 0, 0, last) > critical_z_)
      return 1;
  }
  return 0;
}

Inference GroupSequential::infer(const LookData& data, const TrialState& state, int) const {
  const auto n = static_cast<std::size_t>(state.n_looks);
  const std::span<const double> efficacy_z(state.efficacy_z.data(), n);
  const std::span<const double> futility_z(state.futility_z.data(), n);
  std::vector<double> information(state.information.begin(),
                                  state.information.begin() + static_cast<std::ptrdiff_t>(n));
  Inference inference;
  if (n == 0 || !(information.back() > 0)) return inference;
  const double z = std::clamp(z_of_stages(z_, data, 0, 0, data.i_look), -k_largest_z, k_largest_z);
  inference.p_value = sequential::stagewise_p_value({information, efficacy_z, futility_z, z});

  const auto estimate = estimator_(strata_of_stages(data, 0, 0, data.i_look));
  const double error = estimate.standard_error;
  if (!estimate.defined || !(error > 0) || !std::isfinite(error)) return inference;
  const bool ratio = is_ratio(context_.effect);
  const double sign = context_.test.direction == Direction::higher_is_better ? 1 : -1;
  const double null = null_effect(context_, table_of_stages(data, 0, 0, data.i_look));
  if (!std::isfinite(null)) return inference;
  const double theta = sign * ((ratio ? math::log(estimate.value) : estimate.value) - null);
  const double scale = 1 / (error * error * information.back());
  for (double& i : information) i *= scale;
  const auto adjusted = sequential::sequential_estimate(
      {information, efficacy_z, futility_z, theta / error}, context_.confidence_level);
  const auto back = [&](double x) {
    const double effect = null + sign * x;
    return ratio ? math::exp(effect) : effect;
  };
  inference.estimate = back(adjusted.median_unbiased);
  inference.lower = back(sign > 0 ? adjusted.lower : adjusted.upper);
  inference.upper = back(sign > 0 ? adjusted.upper : adjusted.lower);
  inference.defined = true;
  return inference;
}

}  // namespace

std::shared_ptr<const StagedDesign> make_group_sequential(const DesignSpec& spec,
                                                          const GroupSequentialSpec& rules,
                                                          const DesignContext& context) {
  return std::make_shared<GroupSequential>(spec, rules, context);
}

}  // namespace trialwright::design
