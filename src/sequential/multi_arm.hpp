// Several arms against one control in several stages: multi-arm multi-stage boundaries and what a
// design with them does.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "base/named_table.hpp"
#include "math/cubic_table.hpp"
#include "sequential/boundary.hpp"
#include "sequential/dunnett.hpp"

namespace trialwright::sequential {

enum class MultiArmShape { obrien_fleming, pocock, triangular };
enum class MultiArmFutility { none, zero, triangular };

inline constexpr std::array<base::Named<MultiArmShape>, 3> k_multi_arm_shapes{{
    {"obrien_fleming", "critical values falling as 1 / sqrt(information)",
     "Magirr, Jaki & Whitehead 2012", MultiArmShape::obrien_fleming},
    {"pocock", "one critical value for every look", "Magirr, Jaki & Whitehead 2012",
     MultiArmShape::pocock},
    {"triangular", "critical values in proportion to (1 + t) / sqrt(t), t the information",
     "Whitehead 1997; Magirr, Jaki & Whitehead 2012", MultiArmShape::triangular},
}};
inline constexpr std::array<base::Named<MultiArmFutility>, 3> k_multi_arm_futilities{{
    {"none", "no arm is dropped before the end", "", MultiArmFutility::none},
    {"zero", "an arm is dropped where it is not better than control", "Magirr, Jaki & Whitehead 2012",
     MultiArmFutility::zero},
    {"triangular", "an arm is dropped below c (3 t - 1) / (2 sqrt(t)), c the last critical value",
     "Whitehead 1997; Magirr, Jaki & Whitehead 2012", MultiArmFutility::triangular},
}};

// [i_look]; an arm is dropped where z <= futility_z (-infinity: never), and is better than control
// where z >= efficacy_z. The two are the same at the last look.
struct MultiArmBoundary {
  std::vector<double> efficacy_z;
  std::vector<double> futility_z;
};

// The most looks that boundaries are solved for: each look more is one more dimension.
inline constexpr int k_most_multi_arm_looks = 5;

// Boundaries of 1 to 5 looks with n_arms arms to one control, `control_ratio` control patients to one
// of each arm: the familywise error of crossing any efficacy bound, where futility is heeded, is alpha
// under the global null (Magirr, Jaki & Whitehead 2012, eq. 3 to 6). `information` of each arm's
// comparison, ascending, as shares of any total. By nested quadrature over the control's path; alpha to
// 1e-6. Milliseconds to three looks, about a second at four and some seconds at five. One look is
// Dunnett's test.
MultiArmBoundary multi_arm_boundary(MultiArmShape shape, MultiArmFutility futility, double alpha,
                                    int n_arms, double control_ratio,
                                    std::span<const double> information);

// What a design does that stops at the first look at which any arm crosses its efficacy bound, or when
// none is left, and in which all arms between the bounds go on.
struct MultiArmCharacteristics {
  double any_rejection = 0;           // P(some arm crosses its efficacy bound)
  std::vector<double> arm_rejection;  // [i_arm] P(it crosses when the trial stops for efficacy)
  std::vector<double> efficacy_stop;  // [i_look] P(the trial ends there for efficacy)
  std::vector<double> futility_stop;  // [i_look] P(it ends there since no arm is left)
  double expected_size = 0;           // patients of all arms, in units of one arm's planned number
};

// `drift` [i_arm]: the arm's expected z at the last information. Arms of the same drift cost as one. To
// 1e-6.
MultiArmCharacteristics multi_arm_characteristics(const MultiArmBoundary& boundary,
                                                  std::span<const double> drift, double control_ratio,
                                                  std::span<const double> information);

// One-sided p-values after such a design, adjusted for all its arms and looks: the least familywise
// error at which a boundary of the design's shape would have rejected, its futility bounds kept and
// heeded. The design rejects an arm where its p-value is below alpha, at whichever look; and the
// probability that some arm without an effect has a p-value below p is at most p, for whatever reason
// the trial ended (repeated p-values: Jennison & Turnbull 2000, section 9.5). Exact at the boundary;
// elsewhere to 1% of the p-value down to 1e-4, below that to a third. Made once a plan, in about the
// time of the boundary itself; const.
class MultiArmPValues {
 public:
  // `boundary` is multi_arm_boundary's of this shape and with the same arguments.
  MultiArmPValues(MultiArmShape shape, const MultiArmBoundary& boundary, double alpha, int n_arms,
                  double control_ratio, std::span<const double> information);
  // Of an arm that has this z at a look.
  double operator()(int i_look, double z) const;

 private:
  std::vector<double> per_constant_;  // [i_look] the efficacy bound of constant 1
  math::CubicTable z_;                // the normal z of the error, by the boundary's constant
  double offset_ = 0;                 // that makes it exact at the design's own
};

}  // namespace trialwright::sequential
