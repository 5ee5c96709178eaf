// Plans that look before the end, with rules made for a test.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/studies.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::support {

// A design whose decision at each look is a function of the test's own.
class ScriptedDesign final : public design::StagedDesign {
 public:
  using Rule = std::function<design::Decision(const design::LookData&, design::TrialState&)>;

  ScriptedDesign(int n_looks, int n_planned, int n_most, Rule rule)
      : n_looks_(n_looks), n_planned_(n_planned), n_most_(n_most), rule_(std::move(rule)) {}

  design::StageBy stages_by() const override { return stages; }
  int n_looks() const override { return n_looks_; }
  int most_patients() const override { return n_most_; }
  void start(design::TrialState& state) const override {
    state = {};
    state.n_planned = n_planned_;
    state.arms = ~design::Bits{0};
    state.open = 1;
  }
  design::Decision decide(const design::LookData& data, design::TrialState& state,
                          design::Statistics* told) const override {
    if (told != nullptr) told->add("n_enrolled", data.n_enrolled);
    auto decision = rule_(data, state);
    ++state.n_looks;
    if (data.is_final && decision.stop == design::StopReason::none)
      decision.stop = design::StopReason::completed;
    state.stop = decision.stop;
    return decision;
  }
  design::Bits naive_rejections(const design::LookData&, const design::TrialState&) const override {
    return 0;
  }
  design::Inference infer(const design::LookData&, const design::TrialState&, int) const override {
    return {};
  }

  design::StageBy stages = design::StageBy::outcome;

 private:
  int n_looks_;
  int n_planned_;
  int n_most_;
  Rule rule_;
};

inline design::Decision go_on(const design::LookData&, design::TrialState&) {
  return {design::StopReason::none, "go_on"};
}

// The fixed design of `sections` with these looks and this rule in its place. The rule's design may ask
// for more patients than the study's.
inline std::shared_ptr<const trial::TrialPlan> staged_plan(
    const std::string& sections, design::LookPlan looks, int n_planned, ScriptedDesign::Rule rule,
    const std::string& library = "library/hcmsc.yaml",
    design::StageBy stages = design::StageBy::outcome) {
  auto made = std::const_pointer_cast<trial::TrialPlan>(plan(sections, library));
  auto design =
      std::make_shared<ScriptedDesign>(looks.n_looks(), n_planned, made->n_patients, std::move(rule));
  design->stages = stages;
  made->staged = std::move(design);
  made->looks = std::move(looks);
  made->n_planned = n_planned;
  return made;
}

}  // namespace trialwright::support
