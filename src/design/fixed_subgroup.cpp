#include "design/fixed_subgroup.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "design/design_spec.hpp"
#include "design/look_tables.hpp"

namespace trialwright::design {

namespace {

class FixedSubgroup final : public StagedDesign {
 public:
  FixedSubgroup(const DesignSpec& spec, int level, const DesignContext& context)
      : n_planned_(spec.patients),
        all_arms_((Bits{1} << spec.arms.size()) - 1),
        level_(level),
        share_(context.subgroup_share),
        test_(context.test),
        z_(context.test, context.exact_z),
        estimator_(context.effect, context.interval, context.confidence_level,
                   analysis::stratification_of(context.test.method)) {}

  int n_looks() const override { return 1; }
  int most_patients() const override { return candidates_for(n_planned_, share_); }
  void start(TrialState& state) const override {
    state = {};
    state.n_planned = n_planned_;
    state.arms = all_arms_;
    state.population = level_;
    state.open = 1;
  }
  Decision decide(const LookData& data, TrialState& state, Statistics* told) const override {
    state.open_at[0] = state.open;
    state.information[0] = 1;
    state.efficacy_z[0] = analysis::critical_z(test_);
    state.futility_z[0] = -std::numeric_limits<double>::infinity();
    state.n_looks = 1;
    if (told) told->add("z", z_(data.stage(0, 0)), 0);
    state.rejected = rejections(data);
    state.stop = state.rejected != 0 ? StopReason::efficacy : StopReason::completed;
    return {state.stop, state.rejected != 0 ? "reject" : "accept"};
  }
  Bits naive_rejections(const LookData& data, const TrialState&) const override {
    return rejections(data);
  }
  Inference infer(const LookData& data, const TrialState&, int) const override {
    const auto tables = data.stage(0, 0);
    const auto estimate = estimator_(tables);
    analysis::TestSpec one_sided = test_;
    one_sided.sides = analysis::Sides::one;
    return {analysis::test(one_sided, tables).p_value, estimate.value, estimate.lower, estimate.upper,
            estimate.defined};
  }

 private:
  Bits rejections(const LookData& data) const {
    return analysis::test(test_, data.stage(0, 0)).reject ? 1 : 0;
  }

  int n_planned_;
  Bits all_arms_;
  int level_;
  double share_;
  analysis::TestSpec test_;
  analysis::ZStatistic z_;
  analysis::Estimator estimator_;
};

}  // namespace

int candidates_for(int n_patients, double share) {
  const double n = n_patients;
  return static_cast<int>(std::ceil((n + 7.2 * std::sqrt(n) + 30) / std::max(share, 1e-3)));
}

std::shared_ptr<const StagedDesign> make_fixed_subgroup(const DesignSpec& spec, const FixedRules& rules,
                                                        const DesignContext& context) {
  if (!rules.subgroup) return nullptr;
  return std::make_shared<FixedSubgroup>(spec, rules.subgroup->level, context);
}

}  // namespace trialwright::design
