// What a heap of pieces covers: of overlapping ones those that cover most, and what is missing.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/piece.hpp"
#include "engine/run_portions.hpp"

namespace trialwright::shard {

// Of pieces of one point and track, in any order, with any overlaps: indices of those without common
// trials that together cover the most (weighted interval scheduling), in ascending order of range. Of
// equal ranges the first.
std::vector<std::size_t> cover(const std::vector<engine::TrialRange>& ranges);

}  // namespace trialwright::shard
