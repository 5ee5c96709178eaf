// What is known of a point beside its trials: true values, exact powers, which hypotheses are true.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::engine {

// The true value of one analysis on its effect measure, and that value's own Monte Carlo standard error
// (0 where it is exact).
struct TrueValue {
  double value = 0;
  double mcse = 0;
  friend bool operator==(const TrueValue&, const TrueValue&) = default;
};

// The exact probability that a trial ends at a look (from 1) for a reason.
struct ExactStop {
  int look = 1;
  design::StopReason reason = design::StopReason::none;
  double probability = 0;
  friend bool operator==(const ExactStop&, const ExactStop&) = default;
};

// What is calculated of one analysis: exact power, and whether its null hypothesis is true; of the
// first analysis of a design with looks, where these have exact probabilities, how trials end.
struct Calculated {
  trial::TrialPlan::ExactPower power;
  bool is_null = false;
  std::vector<ExactStop> stops{};
};

struct PointValues {
  std::size_t i_point = 0;                       // into Study::points()
  std::vector<std::optional<TrueValue>> truths;  // [i_analysis]
  std::vector<Calculated> calculated;            // [i_analysis]; empty where not asked for
};
void write(const PointValues& values, base::ByteWriter& out);
// Throws base::BadBytes.
PointValues read_point_values(base::ByteReader& in);

}  // namespace trialwright::engine
