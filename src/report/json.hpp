// results.json: written and read.
#pragma once

#include <string>
#include <string_view>

#include "trialwright/results.hpp"

namespace trialwright::report {

// The text of results.json. Optional keys (a metric's hypothesis, look, reason, arm, scale; a point's
// engine, notes, null_hypotheses; interrupted, partial) stand only where they say something; a metric's
// n_trials only where it differs from its point's. Doubles are written so that they read back to the
// same bits, whole numbers without a point, NaN as null. Sweep values are numbers where their text is
// one. Equal results give equal bytes.
std::string write_json(const Results& results);

// Reads what write_json wrote; `name` is what faults call the text. Throws io_error, with the place,
// for what is cut short, not JSON, of another format, or has missing, unknown or mistyped keys.
Results read_json(std::string_view text, std::string_view name = "results.json");

}  // namespace trialwright::report
