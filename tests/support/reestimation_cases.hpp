// Two-stage designs read from a study's text and followed exactly: every first-stage table, and behind
// it every second-stage table, decided by the design itself.
#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "design/design_spec.hpp"
#include "support/read_text.hpp"

namespace trialwright::test_support {

inline analysis::TestSpec one_sided_z() {
  return {analysis::Method::z_pooled, analysis::Sides::one, 0.025, 0.0,
          analysis::Direction::higher_is_better};
}

inline design::StudyNames reestimation_names(const analysis::TestSpec& test = one_sided_z()) {
  design::StudyNames names;
  names.arms = {"placebo", "active", "high"};
  names.analyses = {"response"};
  names.tests = {test};
  return names;
}

// `more` holds the design's own keys; the trial is 1:1 in blocks of 2.
inline auto read_reestimation_text(int patients, const std::string& more,
                                   const analysis::TestSpec& test = one_sided_z()) {
  const std::string yaml =
      "kind: sample_size_reestimation\narms: {placebo: 1, active: 1}\npatients: " +
      std::to_string(patients) +
      "\nprimary: response\nrandomisation: {method: permuted_block, block_size: 2}\n" + more;
  return read_text(yaml, [&](auto& reader) {
    return design::read_design("reestimated", reader, reestimation_names(test));
  });
}

inline std::shared_ptr<const design::StagedDesign> reestimated(
    int patients, const std::string& more, const analysis::TestSpec& test = one_sided_z(),
    analysis::EffectMeasure effect = analysis::EffectMeasure::risk_difference) {
  const auto read = read_reestimation_text(patients, more, test);
  if (!read.faults.empty()) throw std::runtime_error(read.text);
  design::DesignContext context;
  context.test = test;
  context.effect = effect;
  return design::make_staged_design(read.value, context);
}

// What a design makes of one first-stage table.
struct Looked {
  design::Decision decision;
  design::TrialState state;
  design::Statistics told;
};

inline Looked look_at(const design::StagedDesign& design, analysis::TwoByTwo table,
                      int n_enrolled = 0) {
  Looked looked;
  design.start(looked.state);
  design::LookData data;
  data.n_enrolled = n_enrolled;
  data.stages = {&table, 1};
  looked.decision = design.decide(data, looked.state, &looked.told);
  return looked;
}

inline double told(const design::Statistics& statistics, std::string_view name) {
  for (int i = 0; i < statistics.n; ++i)
    if (statistics.list[static_cast<std::size_t>(i)].name == name)
      return statistics.list[static_cast<std::size_t>(i)].value;
  return std::numeric_limits<double>::quiet_NaN();
}

struct Ended {
  design::Decision decision;
  design::TrialState state;
  design::Inference inference;
  design::Bits naive = 0;
};

inline Ended end_with(const design::StagedDesign& design,
                      const std::array<analysis::TwoByTwo, 2>& stages) {
  Ended ended;
  ended.state = look_at(design, stages[0]).state;
  design::LookData data;
  data.i_look = 1;
  data.is_final = true;
  data.stages = stages;
  ended.decision = design.decide(data, ended.state, nullptr);
  ended.inference = design.infer(data, ended.state, 0);
  ended.naive = design.naive_rejections(data, ended.state);
  return ended;
}

inline std::vector<double> binomial_probabilities(int n, double p) {
  std::vector<double> probabilities;
  for (int x = 0; x <= n; ++x)
    probabilities.push_back(std::exp(std::lgamma(n + 1.0) - std::lgamma(x + 1.0) -
                                     std::lgamma(n - x + 1.0) + x * std::log(p) +
                                     (n - x) * std::log1p(-p)));
  return probabilities;
}

struct TwoStageOutcome {
  double rejected_at_look = 0;
  double rejected_at_end = 0;
  double naive = 0;
  double expected_patients = 0;
  double changed = 0;  // probability that the look changes the size
  double power() const { return rejected_at_look + rejected_at_end; }
};

// How a second-stage table is followed: each, or, where more responders to treatment never undo a
// rejection, by bisection.
enum class Follow { every_table, bisection };

// Of a design without stops but for efficacy and futility, m patients an arm at the look, 1:1.
inline TwoStageOutcome enumerate(const design::StagedDesign& design, int m, double rate_1,
                                 double rate_0, Follow follow) {
  using analysis::TwoByTwo;
  const auto first_1 = binomial_probabilities(m, rate_1), first_0 = binomial_probabilities(m, rate_0);
  std::vector<std::vector<double>> second_1, second_0;
  TwoStageOutcome sum;
  design::TrialState fresh;
  design.start(fresh);
  const auto probabilities_of = [](std::vector<std::vector<double>>& by_n, int n, double rate) {
    if (static_cast<int>(by_n.size()) <= n) by_n.resize(static_cast<std::size_t>(n) + 1);
    auto& row = by_n[static_cast<std::size_t>(n)];
    if (row.empty()) row = binomial_probabilities(n, rate);
    return row;
  };
  for (int x_1 = 0; x_1 <= m; ++x_1) {
    for (int x_0 = 0; x_0 <= m; ++x_0) {
      const double weight =
          first_1[static_cast<std::size_t>(x_1)] * first_0[static_cast<std::size_t>(x_0)];
      if (weight < 1e-16) continue;
      std::array<TwoByTwo, 2> stages{TwoByTwo{x_1, m, x_0, m}, TwoByTwo{}};
      design::TrialState state = fresh;
      design::LookData look;
      look.n_enrolled = 2 * m;
      look.stages = {stages.data(), 1};
      const auto decision = design.decide(look, state, nullptr);
      if (decision.stop != design::StopReason::none) {
        sum.rejected_at_look += state.rejected != 0 ? weight : 0;
        sum.naive += design.naive_rejections(look, state) != 0 ? weight : 0;
        sum.expected_patients += weight * 2 * m;
        continue;
      }
      sum.expected_patients += weight * state.n_planned;
      sum.changed += state.n_planned != fresh.n_planned ? weight : 0;
      const int n = state.n_planned / 2 - m;
      const auto of_1 = probabilities_of(second_1, n, rate_1),
                 of_0 = probabilities_of(second_0, n, rate_0);
      for (int y_0 = 0; y_0 <= n; ++y_0) {
        const double weight_0 = weight * of_0[static_cast<std::size_t>(y_0)];
        if (weight_0 < 1e-17) continue;
        const auto follow_one = [&](int y_1, bool naive) {
          stages[1] = {y_1, n, y_0, n};
          design::LookData end;
          end.i_look = 1;
          end.is_final = true;
          end.n_enrolled = state.n_planned;
          end.stages = stages;
          design::TrialState last = state;
          design.decide(end, last, nullptr);
          return (naive ? design.naive_rejections(end, last) : last.rejected) != 0;
        };
        for (const bool naive : {false, true}) {
          double& target = naive ? sum.naive : sum.rejected_at_end;
          int from = n + 1;
          if (follow == Follow::every_table) {
            for (int y_1 = 0; y_1 <= n; ++y_1)
              if (follow_one(y_1, naive)) target += weight_0 * of_1[static_cast<std::size_t>(y_1)];
          } else {
            for (int lowest = 0; lowest < from;) {
              const int middle = (lowest + from) / 2;
              if (follow_one(middle, naive)) {
                from = middle;
              } else {
                lowest = middle + 1;
              }
            }
            double tail = 0;
            for (int y_1 = n; y_1 >= from; --y_1) tail += of_1[static_cast<std::size_t>(y_1)];
            target += weight_0 * tail;
          }
        }
      }
    }
  }
  return sum;
}

}  // namespace trialwright::test_support
