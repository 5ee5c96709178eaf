#include "patient/visit_correlation.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "math/elementary.hpp"
#include "math/normal.hpp"

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
  result.nugget_ = std::sqrt(nugget);
  result.weeks_ = visit_weeks;
  const std::size_t n = visit_weeks.size();
  for (std::size_t j = 0; j < n; ++j)
    if (visit_weeks[j] <= anchor_week) result.anchor_ = j;
  result.carry_.assign(n, 0.0);
  result.renew_.assign(n, 1.0);
  for (std::size_t j = 0; j < n; ++j) {
    if (j == result.anchor_) continue;
    const std::size_t nearer = j < result.anchor_ ? j + 1 : j - 1;
    const double gap = std::abs(visit_weeks[j] - visit_weeks[nearer]);
    result.carry_[j] = math::exp(-gap / result.decay_weeks_);
    result.renew_[j] = std::sqrt(1 - result.carry_[j] * result.carry_[j]);
  }
  return result;
}

double VisitCorrelation::correlation(std::size_t i, std::size_t j) const {
  if (i == j) return 1;
  return shared_ * shared_ +
         serial_ * serial_ * math::exp(-std::abs(weeks_[i] - weeks_[j]) / decay_weeks_);
}

// What one call of draw works with: behind the visits' columns the shared normal, the serial process at
// the anchor and where it is now, and the four words of a Philox block.
struct VisitCorrelation::Run {
  const VisitCorrelation& law;
  rng::Address patients;
  std::size_t n;
  base::Columns<double>& work;
  std::size_t first_column;
  std::uint32_t block = 0xFFFFFFFF;

  enum Column : std::size_t { shared, at_anchor, serial, words, end = words + 4 };

  std::span<double> visit(std::size_t j) const { return work[first_column + j].first(n); }
  std::span<double> column(std::size_t i) const {
    return work[first_column + law.weeks_.size() + i].first(n);
  }
  void make_block(std::uint32_t wanted) {
    if (wanted == block) return;
    block = wanted;
    rng::fill_uniforms(patients, 4 * block, 4, {column(words).data(), n, work.stride()});
  }
  // z_j from the serial process as it stands and the nugget's word.
  void combine(std::size_t j, std::span<const double> process, std::size_t nugget_word) const {
    const auto z = visit(j);
    const auto nugget = column(words + nugget_word);
    if (law.nugget_ != 0) math::normal_quantiles(nugget, nugget);
    const auto common = column(shared);
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      if (law.shared_ != 0) sum += law.shared_ * common[i];
      if (law.serial_ != 0) sum += law.serial_ * process[i];
      if (law.nugget_ != 0) sum += law.nugget_ * nugget[i];
      z[i] = sum;
    }
  }
  void step(std::size_t j, bool is_wanted) {
    if (law.serial_ == 0 && !is_wanted) return;
    make_block(1 + static_cast<std::uint32_t>(j / 2));
    const std::size_t first_word = 2 * (j % 2);
    if (law.serial_ != 0) {
      const auto news = column(words + first_word), process = column(serial);
      math::normal_quantiles(news, news);
      for (std::size_t i = 0; i < n; ++i)
        process[i] = law.carry_[j] * process[i] + law.renew_[j] * news[i];
    }
    if (is_wanted) combine(j, column(serial), first_word + 1);
  }
};

std::size_t VisitCorrelation::n_columns() const {
  return weeks_.size() + Run::end;
}

void VisitCorrelation::draw(rng::Key key, std::uint64_t trial, const VisitMask& wanted,
                            std::size_t n_patients, base::Columns<double>& work,
                            std::size_t first_column) const {
  Run run{*this, {key, rng::Purpose::course, trial, 0}, n_patients, work, first_column};
  run.make_block(0);
  if (shared_ != 0) math::normal_quantiles(run.column(Run::words), run.column(Run::shared));
  if (serial_ != 0) math::normal_quantiles(run.column(Run::words + 1), run.column(Run::at_anchor));
  if (wanted[anchor_]) run.combine(anchor_, run.column(Run::at_anchor), 2);
  std::size_t first = anchor_, last = anchor_;
  for (std::size_t j = 0; j < weeks_.size(); ++j) {
    if (!wanted[j]) continue;
    first = std::min(first, j);
    last = std::max(last, j);
  }
  const auto anchor = run.column(Run::at_anchor), process = run.column(Run::serial);
  if (serial_ != 0) std::copy(anchor.begin(), anchor.end(), process.begin());
  for (std::size_t j = anchor_ + 1; j <= last; ++j) run.step(j, wanted[j]);
  if (serial_ != 0) std::copy(anchor.begin(), anchor.end(), process.begin());
  for (std::size_t j = anchor_; j-- > first;) run.step(j, wanted[j]);
}

}  // namespace trialwright::patient
