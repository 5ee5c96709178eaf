// A plain design with looks for tests: the pooled z of all known against a critical value a look.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "design/staged_design.hpp"
#include "support/studies.hpp"

namespace trialwright::support {

inline double pooled_z(const analysis::TwoByTwo& table) {
  const double n_1 = table.n_1, n_0 = table.n_0, n = n_1 + n_0;
  const double p = (table.responders_1 + table.responders_0) / n;
  const double variance = p * (1 - p) * (1 / n_1 + 1 / n_0);
  return variance > 0 ? (table.responders_1 / n_1 - table.responders_0 / n_0) / std::sqrt(variance) : 0;
}

class ThresholdDesign : public design::StagedDesign {
 public:
  // [i_look]; a futility value of -infinity stops nothing.
  ThresholdDesign(int n_patients, std::vector<double> efficacy_z, std::vector<double> futility_z)
      : n_patients_(n_patients),
        efficacy_z_(std::move(efficacy_z)),
        futility_z_(std::move(futility_z)) {}

  int n_looks() const override { return static_cast<int>(efficacy_z_.size()); }
  int most_patients() const override { return n_patients_; }
  bool decides_by_totals() const override { return true; }
  void start(design::TrialState& state) const override {
    state = {};
    state.n_planned = n_patients_;
    state.arms = 0b11;
    state.open = 1;
  }
  design::Decision decide(const design::LookData& data, design::TrialState& state,
                          design::Statistics* told) const override {
    const auto look = static_cast<std::size_t>(data.i_look);
    const double z = pooled_z(total(data));
    if (told) told->add("z", z, 0);
    state.n_looks = data.i_look + 1;
    state.open_at[look] = state.open;
    state.efficacy_z[look] = efficacy_z_[look];
    if (z > efficacy_z_[look]) {
      state.rejected = 1;
      state.stop = design::StopReason::efficacy;
    } else if (data.is_final) {
      state.stop = design::StopReason::completed;
    } else if (z <= futility_z_[look]) {
      state.stop = design::StopReason::futility;
    }
    return {state.stop, state.stop == design::StopReason::none ? "go_on" : "stop"};
  }
  design::Bits naive_rejections(const design::LookData& data,
                                const design::TrialState&) const override {
    constexpr double k_fixed_z = 1.959963984540054;
    analysis::TwoByTwo sum{};
    for (int stage = 0; stage <= data.i_look; ++stage) {
      add(data.stage(stage, 0).front(), sum);
      if (pooled_z(sum) > k_fixed_z) return 1;
    }
    return 0;
  }
  // The rates' difference with Wald's interval, unadjusted.
  design::Inference infer(const design::LookData& data, const design::TrialState&, int) const override {
    const auto sum = total(data);
    const double p_1 = sum.responders_1 / double(sum.n_1), p_0 = sum.responders_0 / double(sum.n_0);
    const double error = std::sqrt(p_1 * (1 - p_1) / sum.n_1 + p_0 * (1 - p_0) / sum.n_0);
    return {0.5, p_1 - p_0, p_1 - p_0 - 1.96 * error, p_1 - p_0 + 1.96 * error, true};
  }

 protected:
  static void add(const analysis::TwoByTwo& table, analysis::TwoByTwo& sum) {
    sum.responders_1 += table.responders_1;
    sum.n_1 += table.n_1;
    sum.responders_0 += table.responders_0;
    sum.n_0 += table.n_0;
  }
  static analysis::TwoByTwo total(const design::LookData& data) {
    analysis::TwoByTwo sum{};
    for (int stage = 0; stage <= data.i_look; ++stage) add(data.stage(stage, 0).front(), sum);
    return sum;
  }

 private:
  int n_patients_;
  std::vector<double> efficacy_z_;
  std::vector<double> futility_z_;
};

// The plan of a study with one fixed design, turned into one that looks when so many outcomes are
// known.
inline std::shared_ptr<const trial::TrialPlan> staged_plan(
    const std::string& all_sections, std::shared_ptr<const design::StagedDesign> design,
    const std::vector<int>& interim_outcomes) {
  auto plan = std::const_pointer_cast<trial::TrialPlan>(support::plan(all_sections));
  plan->n_planned = plan->n_patients;
  plan->n_patients = std::max(plan->n_patients, design->most_patients());
  plan->staged = std::move(design);
  for (const int outcomes : interim_outcomes)
    plan->looks.interim.push_back({design::OutcomesKnown{{static_cast<double>(outcomes), false}}});
  return plan;
}

}  // namespace trialwright::support
