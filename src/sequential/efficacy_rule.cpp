#include "sequential/efficacy_rule.hpp"

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"
#include "math/elementary.hpp"

namespace trialwright::sequential {

bool has_shape(Family family) {
  return family == Family::obrien_fleming || family == Family::pocock || family == Family::wang_tsiatis;
}

double shape(const BoundarySpec& spec, double information) {
  TRIALWRIGHT_EXPECT(has_shape(spec.family));
  if (spec.family == Family::obrien_fleming) return 1 / std::sqrt(information);
  if (spec.family == Family::pocock) return 1;
  return math::pow(information, spec.parameter.value_or(0) - 0.5);
}

double spending_z(const Recursion& null, double target, double spent_before) {
  const double left = target - spent_before;
  return null.upper_z(left > 1e-13 * spent_before ? left : 0);
}

double EfficacyRule::interim(std::size_t i_look, double information, const Recursion& null,
                             double spent_before) const {
  if (has_shape(spec.family)) return constant * shape(spec, information);
  if (spec.family == Family::haybittle_peto) {
    const double z = spec.parameter.value_or(*parameter_rule(spec.family).usual);
    // Many looks at a low value must not spend more than there is.
    return null.above(z) > alpha - spent_before ? spending_z(null, alpha, spent_before) : z;
  }
  if (spec.family == Family::user) {
    if (!spec.z.empty()) return spec.z[std::min(i_look, spec.z.size() - 1)];
    return spending_z(null, spec.alpha_spent[std::min(i_look, spec.alpha_spent.size() - 1)],
                      spent_before);
  }
  return spending_z(null, spent(spec, alpha, information), spent_before);
}

double EfficacyRule::planned_end(std::size_t i_look, double information, const Recursion& null,
                                 double spent_before) const {
  const bool stands = has_shape(spec.family) || !spec.z.empty();
  return stands ? interim(i_look, information, null, spent_before)
                : spending_z(null, alpha, spent_before);
}

}  // namespace trialwright::sequential
