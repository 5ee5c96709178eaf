// How a patient's standing among patients hangs together from visit to visit:
// unit-variance normals z_j.
#pragma once

#include <bitset>
#include <cstdint>
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
// Draws of (course, patient): 0 the shared normal, 1 the serial and 2 the nugget normal of the anchor
// visit, 4 + 2j and 5 + 2j those of any other visit j. O runs from the anchor in both directions (it is
// reversible), so that a plan that needs the anchor alone makes one Philox block a patient.
class VisitCorrelation {
 public:
  static VisitCorrelation read(input::Reader& measure, const std::vector<double>& visit_weeks,
                               double anchor_week);

  // corr(z_i, z_j) of two visits.
  double correlation(std::size_t i, std::size_t j) const;

  // Fills columns first_column + j of `work` with z_j of all patients for every visit j that is wanted.
  // Works in n_columns() columns from first_column on.
  std::size_t n_columns() const;
  void draw(rng::Key key, std::uint64_t trial, const VisitMask& wanted, std::size_t n_patients,
            base::Columns<double>& work, std::size_t first_column) const;

 private:
  struct Run;

  std::vector<double> weeks_;
  std::size_t anchor_ = 0;
  double shared_ = 0;  // weights
  double serial_ = 0;
  double nugget_ = 0;
  double decay_weeks_ = 1;
  std::vector<double> carry_;  // correlation of O_j with its neighbour nearer to the anchor
  std::vector<double> renew_;  // sqrt(1 - carry^2)
};

}  // namespace trialwright::patient
