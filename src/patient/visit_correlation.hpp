// How a patient's standing among patients hangs together from visit to visit:
// unit-variance normals z_j.
#pragma once

#include <bitset>
#include <cstdint>
#include <span>
#include <vector>

#include "base/named_table.hpp"
#include "input/reader.hpp"
#include "patient/cohort.hpp"
#include "rng/stream.hpp"

namespace trialwright::patient {

// One bit a visit.
using VisitMask = std::bitset<64>;

enum class VisitCorrelationKind { exponential, compound_symmetry, autoregressive };

std::span<const base::Named<VisitCorrelationKind>> visit_correlation_table();

// z_j = shared S + serial O_j + nugget E_j, weights squared summing to 1,
// O an Ornstein-Uhlenbeck process (corr e^(-d / decay)). Exponential:
// corr(d) = (1 - nugget)(floor + (1 - floor) e^(-d / decay)) for d > 0 (DOMAIN section 3);
// compound symmetry and the autoregressive kind are its special cases.
//
// Compiled to z_j = sum over k <= j of L[j][k] e_k, L the Cholesky factor of the visits' correlation in
// the order anchor, earlier visits, later visits, each rising. e_k is the normal of word k of (course,
// patient): one normal a visit, and a plan that needs the anchor alone makes one word a patient.
class VisitCorrelation {
 public:
  static VisitCorrelation read(input::Reader& measure, const std::vector<double>& visit_weeks,
                               double anchor_week);

  // corr(z_i, z_j) of two visits.
  double correlation(std::size_t i, std::size_t j) const;

  // The weights of visit j's normals: L[position of j][0 .. position of j], the last of them not 0
  // unless it is the row's own; in single precision, as they are used.
  std::span<const float> weights(std::size_t visit) const { return rows_[place_[visit]]; }

  // Fills columns first_column + k of `normals` with e_k of n_patients patients from `first` on, for
  // every k that a wanted visit has a weight for. Needs n_columns() columns of `normals` from
  // first_column on, and the first four of `words`.
  std::size_t n_columns() const { return rows_.size(); }
  void draw(const rng::Address& first, const VisitMask& wanted, std::size_t n_patients,
            base::Columns<std::uint32_t>& words, base::Columns<float>& normals,
            std::size_t first_column) const;
  // z_j of a visit that was wanted: the anchor's own column, else `out`, filled.
  std::span<const float> combine(std::size_t visit, base::Columns<float>& normals,
                                 std::size_t first_column, std::span<float> out) const;

 private:
  void compile();

  std::vector<double> weeks_;
  std::size_t anchor_ = 0;
  double shared_ = 0;  // weights
  double serial_ = 0;
  double decay_weeks_ = 1;
  std::vector<std::size_t> place_;        // of each visit in the order of the draws
  std::vector<std::vector<float>> rows_;  // L, in the order of the draws
};

}  // namespace trialwright::patient
