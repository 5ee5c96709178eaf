// The test of a trial of two stages whose second one's size was chosen at the look between them.
#pragma once

#include <optional>

#include "sequential/boundary.hpp"
#include "sequential/combination.hpp"

namespace trialwright::design {

// One-sided; of a two-sided analysis once for each side. Made once a plan, const, shared by threads.
class TwoStageTest {
 public:
  // `information`: the planned share of the first stage, 0 < information < 1. Without `efficacy` there
  // is no stop for efficacy at the look and all of alpha is left for the end.
  TwoStageTest(sequential::Combination combination, double alpha, double information,
               std::optional<sequential::BoundarySpec> efficacy);

  sequential::Combination combination() const { return combination_; }
  double alpha() const { return alpha_; }
  double information() const { return information_; }

  struct Bounds {
    double interim_z = 0;  // infinity: no stop
    double final_z = 0;
  };
  // The planned design's; of conditional_error at the information really there, for it is that design's
  // conditional error there which is handed on (Mueller & Schaefer 2001).
  Bounds bounds(double information) const;

  // The critical value that the second stage's own z is held against after z_1: infinity where it is in
  // vain, -infinity where anything will do. Of unweighted, whose test at the end is of all patients,
  // that of the planned weights, by which conditional power and size are reckoned (Mehta & Pocock 2011,
  // eq. 5).
  double critical_z_2(double z_1, double information) const;

  // The weight of stage 1's z in the sum, squared; that of stage 2 is 1 less it.
  double weight(double information) const;

  // Of Fisher's combination: the products p_1 p_2 up to it reject at the end.
  double fisher_product() const { return fisher_product_; }

 private:
  sequential::Combination combination_;
  double alpha_;
  double information_;
  std::optional<sequential::BoundarySpec> efficacy_;
  Bounds planned_;
  double fisher_product_ = 0;
  std::optional<sequential::RunningBoundary> running_;
};

}  // namespace trialwright::design
