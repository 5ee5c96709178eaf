// The notes of the points, told once.
#pragma once

#include <cstddef>
#include <string>

#include "trialwright/results.hpp"

namespace trialwright::report {

// "Note: TEXT" a line for each different text, with the hypotheses (of notes that read "HYPOTHESIS:
// TEXT") and the designs, scenarios or number of points that it holds for, unless it holds for all.
std::string told_notes(const Results& results, std::size_t width);

}  // namespace trialwright::report
