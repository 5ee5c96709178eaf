// One look's efficacy critical value by a boundary's family, planned or in a trial under way.
#pragma once

#include <cstddef>

#include "sequential/boundary.hpp"

namespace trialwright::sequential {

// Is it one constant times a known function of the information: obrien_fleming, pocock, wang_tsiatis?
bool has_shape(Family family);

// What the constant is multiplied with at an information fraction.
double shape(const BoundarySpec& spec, double information);

// The upper critical value that brings the error spent from `spent` to `target`; infinity where nothing
// but a rounding error is left.
double spending_z(const Recursion& null, double target, double spent);

struct EfficacyRule {
  const BoundarySpec& spec;
  double alpha = 0;
  double constant = 0;  // of families that have a shape

  // Before the end, where the null process stands at this look (of index i_look) and `spent` has been
  // spent.
  double interim(std::size_t i_look, double information, const Recursion& null, double spent) const;
  // At the planned end. Of families that have a shape the constant's value, whatever it spends.
  double planned_end(std::size_t i_look, double information, const Recursion& null, double spent) const;
};

}  // namespace trialwright::sequential
