#include "engine/portion.hpp"

#include <algorithm>
#include <bit>

#include "base/contract.hpp"
#include "engine/table_counts.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::engine {
namespace {

// About a millisecond each: by measurement (bench/engine.bench.cpp) blocks 16 times as large are no
// faster, and the smaller they are the less a core waits at the end.
constexpr std::uint64_t k_block_patients = 1 << 16;
constexpr std::uint64_t k_most_patient_trials = 1 << 12;
constexpr std::uint64_t k_tabulated_trials = 1 << 17;
constexpr std::uint64_t k_analysed_trials = 1 << 14;
constexpr std::uint64_t k_calendar_block = 128;

}  // namespace

std::uint64_t block_trials(const trial::TrialPlan& plan, const trial::CountPlan* counts) {
  if (counts && counts->staged())
    return counts->staged()->decides_by_tables() ? k_tabulated_trials : k_analysed_trials;
  if (counts) return TableLayout(plan, counts).tabulates_all() ? k_tabulated_trials : k_analysed_trials;
  const auto patients = static_cast<std::uint64_t>(plan.n_patients);
  return std::min(k_most_patient_trials,
                  std::bit_ceil(std::max<std::uint64_t>(1, k_block_patients / patients)));
}

bool TrackShape::fits(const TrialRange& range) const {
  if (range.empty() || range.to > n_trials || range.from % block_trials != 0) return false;
  return range.to % block_trials == 0 || (range.to == n_trials && range.size() < block_trials);
}

TrackShape track_shape(const trial::TrialPlan& plan, const trial::CountPlan* counts, Track track,
                       std::uint64_t n_trials) {
  if (track == Track::trials) return {n_trials, block_trials(plan, counts)};
  // Patients bring their calendar with them.
  return {counts ? std::min(n_trials, trial::k_calendar_trials) : 0, k_calendar_block};
}

std::vector<Portion> portions_of(std::size_t i_work, Track track, const TrackShape& shape,
                                 const TrialRange& wanted) {
  std::vector<Portion> portions;
  const std::uint64_t to = std::min(wanted.to, shape.n_trials);
  const std::uint64_t whole = to / shape.block_trials * shape.block_trials;
  TRIALWRIGHT_EXPECT(wanted.from % shape.block_trials == 0);
  TRIALWRIGHT_EXPECT(to == whole || to == shape.n_trials);
  if (wanted.from < whole) portions.push_back({i_work, track, {wanted.from, whole}});
  if (const auto from = std::max(wanted.from, whole); from < to)
    portions.push_back({i_work, track, {from, to}});
  return portions;
}

}  // namespace trialwright::engine
