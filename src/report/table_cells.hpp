// Numbers as cells of the text table: with as many digits as their Monte Carlo error supports.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "trialwright/results.hpp"

namespace trialwright::report {

// Decimals so that the largest Monte Carlo error among the metrics shows `n_digits_of_error` digits of
// its own, and at least `fewest`.
int decimals_for(const std::vector<const Metric*>& metrics, int fewest, int n_digits_of_error);

// "n/a" for NaN; no minus before what rounds to zero.
std::string fixed(double value, int decimals);

// "0.8123 ± 0.0012", without the error where it is none.
std::string with_error(const Metric& metric, int decimals);

// "[0.8099, 0.8147]".
std::string interval(const Metric& metric, int decimals);

// `text` with line breaks between its words so that a line has at most `width` characters.
std::string wrapped(const std::string& text, std::size_t width);

// The parts joined by commas, with line breaks between them only.
std::string flowed(const std::vector<std::string>& parts, std::size_t width);

}  // namespace trialwright::report
