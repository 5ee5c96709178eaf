#include "design/reestimation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>

#include "design/batch_ends.hpp"
#include "design/design_spec.hpp"
#include "design/look_tables.hpp"
#include "design/reestimation_inference.hpp"
#include "design/reestimation_resizing.hpp"
#include "design/reestimation_stage_z.hpp"
#include "design/reestimation_stages.hpp"
#include "math/normal.hpp"

namespace trialwright::design {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

using OfStages = std::array<double, k_most_looks>;

ArmParts parts_of(const std::vector<ArmShare>& arms, int control_arm) {
  double treatment = 0, control = 0;
  for (const auto& arm : arms) (arm.arm == control_arm ? control : treatment) += arm.ratio;
  return {treatment / (treatment + control), control / (treatment + control)};
}

ArmRates rates_of(const analysis::TwoByTwo& table) {
  return {static_cast<double>(table.responders_1) / table.n_1,
          static_cast<double>(table.responders_0) / table.n_0};
}

std::string_view name_of(SizeAction action) {
  return k_size_actions[static_cast<std::size_t>(action)].name;
}

// [i_stage], of what replay and trials.csv tell.
constexpr std::array<std::string_view, k_most_looks> k_stage_z_names{
    "z",          "z_stage_2",  "z_stage_3",  "z_stage_4",  "z_stage_5",  "z_stage_6",  "z_stage_7",
    "z_stage_8",  "z_stage_9",  "z_stage_10", "z_stage_11", "z_stage_12", "z_stage_13", "z_stage_14",
    "z_stage_15", "z_stage_16", "z_stage_17", "z_stage_18", "z_stage_19", "z_stage_20"};
constexpr std::array<std::string_view, k_most_looks> k_critical_z_names{
    "efficacy_z",          "critical_z_stage_2",  "critical_z_stage_3",  "critical_z_stage_4",
    "critical_z_stage_5",  "critical_z_stage_6",  "critical_z_stage_7",  "critical_z_stage_8",
    "critical_z_stage_9",  "critical_z_stage_10", "critical_z_stage_11", "critical_z_stage_12",
    "critical_z_stage_13", "critical_z_stage_14", "critical_z_stage_15", "critical_z_stage_16",
    "critical_z_stage_17", "critical_z_stage_18", "critical_z_stage_19", "critical_z_stage_20"};

class Reestimation final : public StagedDesign, public BatchEnds {
 public:
  Reestimation(const DesignSpec& spec, const ReestimationSpec& rules, const DesignContext& context)
      : rules_(rules),
        resizing_(spec, rules),
        z_(context.test, context.exact_z),
        test_(rules.combination, context.test.one_sided_alpha(), rules.information, rules.efficacy,
              first_change(rules.at)),
        last_(rules.information.size() - 1),
        naive_z_(-math::normal_quantile(test_.alpha())),
        inference_(context, rules.rule->is_blinded() ? StagewiseInference::Rule::blinded
                                                     : StagewiseInference::Rule::unblinded),
        planned_(spec.patients),
        parts_(parts_of(spec.arms, rules.control_arm)),
        n_arms_(static_cast<int>(spec.arms.size())) {}

  int n_looks() const override { return static_cast<int>(last_) + 1; }
  int most_patients() const override { return rules_.most_patients; }
  bool may_shrink() const override { return resizing_.may_shrink(); }

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
    if (data.is_final && i_look > 0) return decide_end(data, state, told);
    const analysis::TwoByTwo table = table_of_stages(data, 0, 0, data.i_look);
    state.information[i_look] = static_cast<double>(table.n_1 + table.n_0) / planned_;
    return data.is_final ? decide_without_look(data, state, told)
                         : decide_look(data, table, state, told);
  }

  Bits naive_rejections(const LookData& data, const TrialState& state) const override {
    const auto rejects = [&](int last) {
      return z_(data, 0, last) > naive_z_ || (two_sided() && z_.against(data, 0, last) > naive_z_);
    };
    if (rejects(data.i_look)) return 1;
    if (rules_.efficacy)
      for (int look = state.n_looks - 2; look >= 0; --look)
        if (rejects(look)) return 1;
    return 0;
  }

  bool decides_ends() const override { return z_.is_pooled() && !is_unweighted(); }
  void decide_ends(std::span<const LastLook> looks, std::span<LastDecision> out) const override;

  Inference infer(const LookData& data, const TrialState& state, int) const override {
    const auto n = static_cast<std::size_t>(state.n_looks);
    OfStages futility_z;
    StagewiseTest::Bounds own;
    const auto& bounds = test_.bounds(information_so_far(state).first(data.is_final ? n - 1 : n), own);
    for (std::size_t i = 0; i < n; ++i) futility_z[i] = futility_limit(i, bounds);
    return inference_(test_, bounds, z_, data, std::span(futility_z).first(n));
  }

 private:
  static int first_change(Bits at) {
    int look = 0;
    while ((at >> look & 1) == 0) ++look;
    return look;
  }

  bool two_sided() const { return z_.spec().sides == analysis::Sides::two; }
  bool is_unweighted() const { return test_.combination() == sequential::Combination::unweighted; }
  static std::span<const double> information_so_far(const TrialState& state) {
    return {state.information.data(), static_cast<std::size_t>(state.n_looks)};
  }

  static Decision end(TrialState& state, StopReason reason, SizeAction action) {
    state.stop = reason;
    if (reason == StopReason::efficacy || reason == StopReason::harm) state.rejected = state.open;
    return {reason, name_of(action)};
  }

  Decision decide_look(const LookData& data, const analysis::TwoByTwo& table, TrialState& state,
                       Statistics* told) const;
  Decision decide_end(const LookData& data, TrialState& state, Statistics* told) const;
  Decision decide_without_look(const LookData& data, TrialState& state, Statistics* told) const;
  // Whether a look before the end stops for efficacy or harm; its critical values into the state.
  StopReason cross(const LookData& data, const StagewiseTest::Bounds& bounds,
                   std::span<const double> stage_z, TrialState& state) const;
  // What the end is held against if it is the next look, into the state.
  void prepare_next(const LookData& data, const StagewiseTest::Bounds& bounds,
                    std::span<const double> stage_z, TrialState& state) const;
  void prepare_rest(const LookData& data, TrialState& state) const;
  void prepare_unweighted(double share, TrialState& state) const;
  InterimView view_of(const analysis::TwoByTwo& table, std::size_t i_look,
                      const TrialState& state) const;
  // At the observed rates, each with its own variance, with the number planned.
  double conditional_power(const InterimView& view) const {
    return power_of(view.prospect(view.observed, SizingVariance::unpooled), view.to_come(view.planned),
                    view.critical_z_2);
  }
  bool is_futile(const InterimView& at_the_end, std::size_t i_look) const;
  // The z at a look up to which is_futile(), by the normal form of conditional power (Jennison &
  // Turnbull 2000, eq. 10.1, under the observed effect): -infinity without futility.
  double futility_limit(std::size_t i_look, const StagewiseTest::Bounds& bounds) const;

  ReestimationSpec rules_;
  Resizing resizing_;
  StageZ z_;
  StagewiseTest test_;
  std::size_t last_;  // look
  double naive_z_;    // of one analysis with all of alpha
  StagewiseInference inference_;
  int planned_;
  ArmParts parts_;
  int n_arms_;
};

// But for z and critical_z_2, of the end.
InterimView Reestimation::view_of(const analysis::TwoByTwo& table, std::size_t i_look,
                                  const TrialState& state) const {
  const double with_value = table.n_1 + table.n_0;
  InterimView view;
  view.observed = rates_of(table);
  view.blinded_rate = (table.responders_1 + table.responders_0) / with_value;
  view.critical_z = test_.planned().critical_z[last_];
  view.planned = state.n_planned;
  view.planned_at_start = planned_;
  view.n_passed = std::max(static_cast<double>(resizing_.awaited(i_look, state)), with_value);
  view.completeness = with_value / view.n_passed;
  view.parts = parts_;
  view.sign = z_.spec().direction == analysis::Direction::higher_is_better ? 1.0 : -1.0;
  view.margin = z_.spec().margin;
  return view;
}

bool Reestimation::is_futile(const InterimView& at_the_end, std::size_t i_look) const {
  if (!rules_.futility) return false;
  const double below = rules_.futility->below[i_look];
  if (rules_.futility->rule == StopRule::z) return at_the_end.z <= below;
  return conditional_power(at_the_end) < below;
}

double Reestimation::futility_limit(std::size_t i_look, const StagewiseTest::Bounds& bounds) const {
  if (!rules_.futility || i_look >= last_) return -k_infinity;
  const double below = rules_.futility->below[i_look];
  if (rules_.futility->rule == StopRule::z) return below;
  const double t = bounds.information[i_look];
  return std::sqrt(t) * (bounds.critical_z[last_] + std::sqrt(1.0 - t) * math::normal_quantile(below));
}

StopReason Reestimation::cross(const LookData& data, const StagewiseTest::Bounds& bounds,
                               std::span<const double> stage_z, TrialState& state) const {
  const std::size_t i_look = stage_z.size() - 1;
  state.efficacy_z[i_look] = test_.critical_z(stage_z.first(i_look), bounds, i_look);
  if (stage_z[i_look] > state.efficacy_z[i_look]) return StopReason::efficacy;
  if (!two_sided()) return StopReason::none;
  OfStages own;
  const auto against = z_.against_of_stages(data, i_look + 1, own);
  const double critical = test_.critical_z(against.first(i_look), bounds, i_look);
  if (i_look > 0) state.futility_z[i_look] = -critical;
  return against[i_look] > critical ? StopReason::harm : StopReason::none;
}

void Reestimation::prepare_next(const LookData& data, const StagewiseTest::Bounds& bounds,
                                std::span<const double> stage_z, TrialState& state) const {
  const std::size_t next = stage_z.size();
  state.efficacy_z[next] =
      is_unweighted() ? bounds.critical_z[1] : test_.critical_z(stage_z, bounds, next);
  if (!two_sided()) return;
  OfStages own;
  state.futility_z[next] = is_unweighted()
                               ? -bounds.critical_z[1]
                               : -test_.critical_z(z_.against_of_stages(data, next, own), bounds, next);
}

// A rule that learns nothing of the effect may spend alpha at the information really there; after one
// that enlarges from an even chance on the planned value is the one that is known to keep alpha.
void Reestimation::prepare_unweighted(double share, TrialState& state) const {
  if (!is_unweighted() || !rules_.efficacy || !rules_.rule->is_blinded()) return;
  StagewiseTest::Bounds own;
  const auto& bounds = test_.bounds(information_so_far(state).first(1), own);
  state.efficacy_z[1] = test_.unweighted_final_z(share, bounds);
  if (two_sided()) state.futility_z[1] = -state.efficacy_z[1];
}

Decision Reestimation::decide_look(const LookData& data, const analysis::TwoByTwo& table,
                                   TrialState& state, Statistics* told) const {
  const auto i_look = static_cast<std::size_t>(data.i_look);
  OfStages own_z;
  StagewiseTest::Bounds own;
  const auto stage_z = z_.of_stages(data, i_look + 1, own_z);
  const auto& bounds = test_.bounds(information_so_far(state), own);
  const StopReason crossed = cross(data, bounds, stage_z, state);
  if (told != nullptr) {
    told->add(k_stage_z_names[i_look], stage_z[i_look]);
    if (rules_.efficacy) told->add(k_critical_z_names[i_look], state.efficacy_z[i_look]);
    if (i_look > 0) told->add("z_unweighted", z_(data, 0, data.i_look));
  }
  if (crossed == StopReason::efficacy) return end(state, crossed, SizeAction::stop_efficacy);
  if (crossed == StopReason::harm) return end(state, crossed, SizeAction::stop_harm);

  prepare_next(data, bounds, stage_z, state);
  SizeAnswer answer;
  // An arm without a patient foretells nothing.
  const bool is_blank = table.n_1 == 0 || table.n_0 == 0;
  if (!is_blank) {
    InterimView at_the_end = view_of(table, i_look, state);
    at_the_end.z = i_look == 0 ? stage_z[0] : test_.combined_z(stage_z, bounds);
    at_the_end.critical_z_2 = test_.critical_z(stage_z, bounds, last_);
    InterimView view = at_the_end;
    if (resizing_.sets_next_stage()) {
      view.planned = resizing_.planned_horizon(i_look, state);
      view.critical_z_2 = test_.critical_z(stage_z, bounds, i_look + 1);
    }
    if (resizing_.is_at(i_look)) answer = rules_.rule->decide(view);
    if (told != nullptr) {
      // As the rule reckons it, where it does.
      told->add("conditional_power", std::isnan(answer.conditional_power)
                                         ? conditional_power(at_the_end)
                                         : answer.conditional_power);
      told->add("blinded_rate", view.blinded_rate);
      told->add(k_critical_z_names[i_look + 1], test_.critical_z(stage_z, bounds, i_look + 1));
    }
    if (is_futile(at_the_end, i_look))
      return end(state, StopReason::futility, SizeAction::stop_futility);
  }
  const auto action = resizing_.apply(answer, i_look, data.n_enrolled, state);
  if (i_look == 0) prepare_unweighted(state.information[0] * planned_ / state.n_planned, state);
  if (told != nullptr && !is_blank) {
    told->add("patients", state.n_planned);
    if (state.outcomes_at_next_look > 0)
      told->add("patients_at_next_look", state.outcomes_at_next_look);
  }
  return {StopReason::none, name_of(action)};
}

// The looks between were never reached.
void Reestimation::prepare_rest(const LookData& data, TrialState& state) const {
  const auto i_look = static_cast<std::size_t>(data.i_look);
  OfStages own_z;
  StagewiseTest::Bounds own;
  const auto& bounds = test_.bounds(information_so_far(state).first(i_look), own);
  state.efficacy_z[i_look] = test_.critical_z_of_rest(z_.of_stages(data, i_look, own_z), bounds);
  if (two_sided())
    state.futility_z[i_look] =
        -test_.critical_z_of_rest(z_.against_of_stages(data, i_look, own_z), bounds);
}

Decision Reestimation::decide_end(const LookData& data, TrialState& state, Statistics* told) const {
  const auto i_look = static_cast<std::size_t>(data.i_look);
  const int first = is_unweighted() ? 0 : data.i_look;
  const analysis::TwoByTwo table = table_of_stages(data, 0, 0, data.i_look);
  state.information[i_look] = static_cast<double>(table.n_1 + table.n_0) / planned_;
  if (i_look < last_) prepare_rest(data, state);
  // As many as the look planned have been reckoned with there.
  if (is_unweighted() && table.n_1 + table.n_0 > 0 && table.n_1 + table.n_0 != state.n_planned)
    prepare_unweighted(state.information[0] / state.information[i_look], state);
  const double z = z_(data, first, data.i_look), critical_z = state.efficacy_z[i_look];
  if (told != nullptr) {
    told->add(first == 0 ? "z" : k_stage_z_names[i_look], z);
    told->add(first == 0 ? "efficacy_z" : k_critical_z_names[i_look], critical_z);
    told->add("z_unweighted", z_(data, 0, data.i_look));
  }
  if (z > critical_z) return end(state, StopReason::efficacy, SizeAction::reject);
  if (two_sided()) {
    const double against = z_.is_symmetric() ? -z : z_.against(data, first, data.i_look);
    if (against > -state.futility_z[i_look])
      return end(state, StopReason::harm, SizeAction::reject_harm);
  }
  return end(state, StopReason::completed, SizeAction::accept);
}

void Reestimation::decide_ends(std::span<const LastLook> looks, std::span<LastDecision> out) const {
  const bool is_two_sided = two_sided(), has_looks = rules_.efficacy.has_value();
  for (std::size_t i = 0; i < looks.size(); ++i) {
    const LastLook& look = looks[i];
    const double z = z_.pooled(look.stage), z_all = z_.pooled(look.all);
    const bool rejects = z > look.efficacy_z;
    const bool harms = is_two_sided && !rejects && -z > -look.futility_z;
    const bool naive = z_all > naive_z_ || (is_two_sided && -z_all > naive_z_);
    out[i].stop = rejects ? StopReason::efficacy : harms ? StopReason::harm : StopReason::completed;
    out[i].rejects = rejects || harms;
    out[i].naive = naive || (has_looks && look.naive_before);
  }
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
