// How large the files of rows that a study's `outputs` asks for will be.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/row_layout.hpp"
#include "scenario/study.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::app {

struct RowSize {
  engine::RowKind kind = engine::RowKind::trials;
  double n_rows = 0;
  double bytes = 0;  // before compression
};

// Of each kind of rows that is asked for, with `n_trials` [i_point] of trials; bytes by some rows of
// the first point.
std::vector<RowSize> row_sizes(const scenario::Study& study,
                               std::span<const scenario::PointSpec> points,
                               std::span<const std::shared_ptr<const trial::TrialPlan>> plans,
                               std::span<const std::uint64_t> n_trials);

}  // namespace trialwright::app
