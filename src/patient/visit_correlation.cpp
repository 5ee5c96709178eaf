#include "patient/visit_correlation.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "math/elementary.hpp"
#include "patient/course_kernels.hpp"
#include "rng/batch.hpp"

namespace trialwright::patient {

namespace {

constexpr std::array<base::Named<VisitCorrelationKind>, 3> k_kinds{{
    {"exponential",
     "(1 - nugget)(floor + (1 - floor) exp(-weeks / decay_weeks)): nugget, floor, decay_weeks", "",
     VisitCorrelationKind::exponential},
    {"compound_symmetry", "the same correlation between any two visits: correlation", "",
     VisitCorrelationKind::compound_symmetry},
    {"autoregressive", "correlation^(weeks / per_weeks): correlation, per_weeks", "",
     VisitCorrelationKind::autoregressive},
}};

constexpr input::Bounds k_share{0, 1, false, true, "a share"};
constexpr input::Bounds k_inner{0, 1, true, true, "a correlation between visits"};

}  // namespace

std::span<const base::Named<VisitCorrelationKind>> visit_correlation_table() {
  return k_kinds;
}

VisitCorrelation VisitCorrelation::read(input::Reader& measure, const std::vector<double>& visit_weeks,
                                        double anchor_week) {
  auto reader = measure.map("visit_correlation");
  double nugget = 0, floor = 0;
  VisitCorrelation result;
  switch (reader.choice<VisitCorrelationKind>("kind", k_kinds)) {
    case VisitCorrelationKind::exponential:
      nugget = reader.number("nugget", k_share, 0.0);
      floor = reader.number("floor", k_share, 0.0);
      result.decay_weeks_ = reader.number("decay_weeks", input::k_positive);
      break;
    case VisitCorrelationKind::compound_symmetry:
      nugget = 1 - reader.number("correlation", k_share);
      floor = 1;
      break;
    case VisitCorrelationKind::autoregressive: {
      const double correlation = reader.number("correlation", k_inner);
      result.decay_weeks_ = reader.number("per_weeks", input::k_positive) / -math::log(correlation);
      break;
    }
  }
  result.shared_ = std::sqrt((1 - nugget) * floor);
  result.serial_ = std::sqrt((1 - nugget) * (1 - floor));
  result.weeks_ = visit_weeks;
  for (std::size_t j = 0; j < visit_weeks.size(); ++j)
    if (visit_weeks[j] <= anchor_week) result.anchor_ = j;
  result.compile();
  return result;
}

double VisitCorrelation::correlation(std::size_t i, std::size_t j) const {
  if (i == j) return 1;
  return shared_ * shared_ +
         serial_ * serial_ * math::exp(-std::abs(weeks_[i] - weeks_[j]) / decay_weeks_);
}

void VisitCorrelation::compile() {
  // A visit that others determine has no normal of its own: what is left of its variance is rounding.
  constexpr double k_nothing = 1e-12;
  const std::size_t n = weeks_.size();
  std::vector<std::size_t> order{anchor_};
  for (std::size_t j = 0; j < n; ++j)
    if (j != anchor_) order.push_back(j);
  place_.assign(n, 0);
  for (std::size_t p = 0; p < n; ++p) place_[order[p]] = p;
  std::vector<std::vector<double>> factor(n);
  for (std::size_t p = 0; p < n; ++p) {
    double rest = 1;
    for (std::size_t k = 0; k < p; ++k) {
      double sum = correlation(order[p], order[k]);
      for (std::size_t m = 0; m < k; ++m) sum -= factor[p][m] * factor[k][m];
      const double weight = factor[k][k] > 0 ? sum / factor[k][k] : 0;
      factor[p].push_back(std::abs(weight) > k_nothing ? weight : 0);
      rest -= factor[p][k] * factor[p][k];
    }
    factor[p].push_back(rest > k_nothing ? std::sqrt(rest) : 0);
    rows_.emplace_back(factor[p].begin(), factor[p].end());
  }
}

void VisitCorrelation::draw(const rng::Address& first, const VisitMask& wanted, std::size_t n_patients,
                            base::Columns<std::uint32_t>& words, base::Columns<float>& normals,
                            std::size_t first_column) const {
  VisitMask needed;
  for (std::size_t j = 0; j < weeks_.size(); ++j)
    if (wanted[j])
      for (std::size_t k = 0; k <= place_[j]; ++k) needed[k] = needed[k] || rows_[place_[j]][k] != 0;
  for (std::size_t block = 0; 4 * block < rows_.size(); ++block) {
    rng::WordColumns columns{};
    bool any = false;
    for (std::size_t word = 0; word < 4; ++word) {
      if (!needed[4 * block + word]) continue;
      columns[word] = words[word].data();
      any = true;
    }
    if (!any) continue;
    rng::fill_words(first, static_cast<std::uint32_t>(block), n_patients, columns);
    for (std::size_t word = 0; word < 4; ++word)
      if (columns[word] != nullptr)
        rng::normals_of_words(words[word].first(n_patients),
                              normals[first_column + 4 * block + word].first(n_patients));
  }
}

std::span<const float> VisitCorrelation::combine(std::size_t visit, base::Columns<float>& normals,
                                                 std::size_t first_column, std::span<float> out) const {
  const auto& row = rows_[place_[visit]];
  std::array<float, VisitMask().size()> weights{};
  std::array<const float*, VisitMask().size()> columns{};
  std::size_t n = 0;
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (row[k] == 0) continue;
    weights[n] = row[k];
    columns[n++] = normals[first_column + k].data();
  }
  if (n == 1 && weights[0] == 1) return {columns[0], out.size()};
  patient::combine(std::span(weights).first(n), std::span(columns).first(n), out);
  return out;
}

}  // namespace trialwright::patient
