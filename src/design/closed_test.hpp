// Closed testing over several hypotheses in stages: intersection tests, combined over the stages, held
// against one boundary.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "base/named_table.hpp"
#include "design/staged_design.hpp"
#include "math/cubic_table.hpp"
#include "sequential/boundary.hpp"
#include "sequential/combination.hpp"
#include "sequential/dunnett.hpp"

namespace trialwright::design {

inline constexpr int k_most_closed = 7;  // hypotheses

enum class Intersection { dunnett, simes, bonferroni, hierarchical };

inline constexpr std::array<base::Named<Intersection>, 4> k_intersections{{
    {"dunnett", "the largest z, with the correlation that the shared control gives", "Dunnett 1955",
     Intersection::dunnett},
    {"simes", "the smallest m p(k) / k of the m ordered p-values", "Simes 1986", Intersection::simes},
    {"bonferroni", "m times the smallest of the m p-values", "Bretz et al. 2009",
     Intersection::bonferroni},
    {"hierarchical", "the first of the hypotheses that are there, in their order",
     "Maurer, Hothorn & Lehmacher 1995", Intersection::hierarchical},
}};

struct ClosedTestSpec {
  Intersection intersection = Intersection::dunnett;
  // inverse_normal or fisher.
  sequential::Combination combination = sequential::Combination::inverse_normal;
  // Every intersection is held against it, look by look; absent: nothing is rejected before the end.
  std::optional<sequential::BoundarySpec> efficacy;
};

// What one stage says of the hypotheses: bit h of `tested` tells whether h has patients in it.
struct StageEvidence {
  Bits tested = 0;
  std::array<double, k_most_closed> z{};
  // dunnett: z_i and z_j have correlation lambda_i lambda_j; of arms of n_i patients to n_0 controls
  // lambda_i = sqrt(n_i / (n_i + n_0)) (shared_control_lambda).
  std::array<double, k_most_closed> lambda{};
};

double shared_control_lambda(int n_arm, int n_control);

// One plan's test (Marcus, Peritz & Gabriel 1976; Bauer & Kieser 1999; Posch et al. 2005; Koenig et al.
// 2008). The test of an intersection in a stage is that of its members tested there, so an arm that was
// dropped leaves it; without any the intersection stands. A hypothesis is rejected where every
// intersection that holds it is. Const, shared by threads; no allocation after it was made; decisions
// are the same bits everywhere.
class ClosedTest {
 public:
  enum class Look { interim, final };

  // alpha: one-sided. information: planned, cumulative and ascending, of each look, the last one 1.
  // planned_lambda[h]: what the stages' arms come to if nobody is missing; stages at these values are
  // fast.
  ClosedTest(const ClosedTestSpec& spec, double alpha, std::span<const double> information,
             std::span<const double> planned_lambda);

  int n_hypotheses() const { return n_hypotheses_; }
  // Of the combined statistic at a look: a z, of fisher a product of p-values; infinite (fisher: 0)
  // where nothing can be rejected. `Look::final` before the last planned look exhausts alpha there.
  double critical_value(int i_look, Look look) const;

  struct Result {
    Bits rejected = 0;
    // [i_hypothesis] the weakest statistic of the intersections that hold it.
    std::array<double, k_most_closed> statistic{};
    double critical_value = 0;
  };
  // After the stages so far, at least one and at most as many as planned.
  Result operator()(std::span<const StageEvidence> stages, Look look) const;

  // The z of an intersection (a non-empty set) in a stage; -infinity where none of its members is
  // tested.
  double intersection_z(const StageEvidence& stage, Bits members) const;

  // The smallest overall z of the intersections that hold a hypothesis: the standard normal z of the
  // closed test's p-value, allowing for a first look that could have rejected (Brannath, Posch & Bauer
  // 2002, eq. 4). One stage, or two of a plan of two looks.
  double closed_z(std::span<const StageEvidence> stages, int i_hypothesis) const;
  // The same of one intersection's stagewise z.
  double overall_z(std::span<const double> stage_z) const;

  // The p-values of the two.
  double p_value(std::span<const StageEvidence> stages, int i_hypothesis) const;
  double overall_p_value(std::span<const double> stage_z) const;

 private:
  double single_step_z(const StageEvidence& stage, Bits members) const;
  double of_p_values(const StageEvidence& stage, Bits members) const;
  double combined(std::span<const double> stage_z) const;
  void make_tables(std::span<const double> planned_lambda);
  void make_critical_values(double alpha, std::span<const double> information);
  void make_overall_table();
  double overall_fisher_p(double product) const;

  ClosedTestSpec spec_;
  int n_hypotheses_;
  std::vector<double> weights_;         // of the stages
  std::vector<double> scale_;           // [number of stages - 1] of their weighted sum
  std::vector<double> fisher_weights_;  // exponents of the stages' p-values
  std::vector<double> interim_;         // critical values, [i_look]
  std::vector<double> final_;
  double alpha_first_ = 0;  // spent at the first look
  double first_bound_ = 0;  // the first stage's z at it
  std::array<double, k_most_closed> planned_lambda_{};
  std::vector<sequential::DunnettTable> tables_;
  std::vector<int> table_of_;  // [set of hypotheses]
  // Of a plan of two looks, the first of which may reject by inverse_normal: overall z of a combined z.
  std::optional<math::CubicTable> overall_;
};

}  // namespace trialwright::design
