// The test of a trial of several stages whose later ones' sizes were chosen at the looks between them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "design/staged_design.hpp"
#include "sequential/boundary.hpp"
#include "sequential/combination.hpp"

namespace trialwright::design {

// One-sided; of a two-sided analysis once for each side. Looks and stages count from 0, stage i ends at
// look i. Made once a plan, const, shared by threads.
class StagewiseTest {
 public:
  // `information`: planned, of 2 to 20 looks, ascending, the last one's 1. Without `efficacy` no look
  // before the end stops for efficacy and all of alpha is left for it. `first_change`: the first look
  // that may change the size. Unweighted tests are of two looks.
  StagewiseTest(sequential::Combination combination, double alpha, std::vector<double> information,
                std::optional<sequential::BoundarySpec> efficacy, int first_change);

  sequential::Combination combination() const { return combination_; }
  double alpha() const { return alpha_; }
  std::size_t n_looks() const { return information_.size(); }
  int first_change() const { return first_change_; }
  bool stops_for_efficacy() const { return efficacy_.has_value(); }

  // On the scale of the z that the stages so far combine to. [i_look]
  struct Bounds {
    // The squared weight of the stages so far; 1 at the last look. A stage's weight is the root of its
    // growth.
    std::array<double, k_most_looks> information{};
    std::array<double, k_most_looks> critical_z{};  // infinity: no stop
    std::size_t n_empty = 0;                        // stages before the first that has patients
  };
  // The planned design's, in `own` or kept here. Of conditional_error, up to the first look that may
  // change the size, at the information really there (`there`, of the looks so far, as fractions of the
  // planned): that design's conditional rejection probability is then handed on, by keeping the stages
  // to come at the weights and critical values that they had in it (Mueller & Schaefer 2001). Of
  // unweighted the critical values at the information really there. A stage before the last that brought
  // no patient has no p-value and is not combined: its weight goes to the next one. That keeps alpha,
  // since what the looks to come are held against, and the growth of information from the last patients
  // seen to any of them, stay as planned; of Fisher's combination the products are those of the stages
  // that are left, at the alpha which their looks were to have spent by then.
  const Bounds& bounds(std::span<const double> there, Bounds& own) const;
  const Bounds& planned() const { return planned_; }

  // Weighted sum of the stages' z, to variance 1.
  double combined_z(std::span<const double> stage_z, const Bounds& bounds) const;

  // The critical value that one z of all stages from stage_z.size() to i_look is held against after
  // these stages, looks in between left out of account: infinity where it is in vain, -infinity where
  // anything will do. Of unweighted, whose test at the end is of all patients, that of the planned
  // weights, by which conditional power and size are reckoned (Mehta & Pocock 2011, eq. 5).
  double critical_z(std::span<const double> stage_z, const Bounds& bounds, std::size_t i_look) const;

  // The same at the end of a trial in which the looks between were never reached: all patients since
  // the last look are tested once, at the conditional rejection probability of the looks that were
  // planned (Mueller & Schaefer 2001). Without any stage before them it is alpha's.
  double critical_z_of_rest(std::span<const double> stage_z, const Bounds& bounds) const;

  // Of an unweighted test of two looks after a rule that learns nothing of the effect: the critical
  // value at the end which exhausts alpha, where the first stage has this share of all patients.
  double unweighted_final_z(double share, const Bounds& bounds) const;

  // Overall one-sided p-value of a trial that ended with these stages, the last of them tested at look
  // stage_z.size() - 1 or, where `of_rest`, at the end in place of all looks from there: by stagewise
  // ordering under the null, whatever was changed; at most alpha where the trial rejects.
  enum class Last { at_its_look, of_rest };
  double p_value(std::span<const double> stage_z, const Bounds& bounds, Last last) const;

  // Of Fisher's combination: the products of p-values up to it reject at the look; 0: none does.
  double fisher_product(std::size_t i_look, const Bounds& bounds) const {
    return fisher_products_[bounds.n_empty][i_look];
  }

 private:
  void plan_fisher();
  const Bounds& without_empty(std::span<const double> there, Bounds& own) const;
  double fisher_critical_z(std::span<const double> stage_z, const Bounds& bounds,
                           std::size_t i_look) const;
  double conditional_rejection(std::span<const double> stage_z, const Bounds& bounds) const;
  double fisher_conditional_rejection(std::span<const double> stage_z, const Bounds& bounds) const;
  double fisher_p_value(std::span<const double> stage_z, const Bounds& bounds) const;
  double fisher_p_value_of_rest(std::span<const double> stage_z, const Bounds& bounds) const;
  // The outcome of the planned looks to come that is as rare, given the stages before the last, as that
  // one's z is by itself: the backward image of Brannath, Mehta & Posch 2009.
  struct Outcome {
    std::size_t i_look;
    double z;
  };
  Outcome planned_outcome(std::span<const double> stage_z, const Bounds& bounds) const;

  sequential::Combination combination_;
  double alpha_;
  std::vector<double> information_;
  std::optional<sequential::BoundarySpec> efficacy_;
  int first_change_;
  bool has_weights_as_there_;
  Bounds planned_;
  std::vector<double> alpha_spent_;
  std::vector<std::array<double, k_most_looks>> fisher_products_;  // [stages without a patient][i_look]
  std::optional<sequential::RunningBoundary> running_;
};

}  // namespace trialwright::design
