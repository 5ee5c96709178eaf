#include "engine/simulate.hpp"

#include <algorithm>

#include "engine/ledger.hpp"
#include "engine/trial_stage.hpp"

namespace trialwright::engine {

std::vector<PointAccumulator> simulate(std::span<const Work> work, int n_threads, Monitor* monitor) {
  std::vector<PointWork> points;
  std::vector<Portion> portions;
  for (std::size_t i = 0; i < work.size(); ++i) {
    const auto& one = work[i];
    points.push_back({i, one.plan, one.counts.get()});
    const std::uint64_t end = one.first_trial + one.n_trials;
    for (const Track track : {Track::calendars, Track::trials}) {
      const auto shape = track_shape(*one.plan, one.counts.get(), track, end);
      const TrialRange range{one.first_trial, std::min(end, shape.n_trials)};
      if (!range.empty()) portions.push_back({i, track, range});
    }
  }
  TrialStage trials(points, portions, n_threads,
                    [&](std::size_t i) -> const TrueValues& { return work[i].true_values; });
  Stage* const stages[] = {&trials};
  run_stages(stages, n_threads, monitor);

  const auto pieces = trials.take_pieces();
  std::vector<PointAccumulator> sums;
  auto first = pieces.begin();
  for (std::size_t i = 0; i < work.size(); ++i) {
    const auto end =
        std::find_if(first, pieces.end(), [&](const auto& piece) { return piece.i_point > i; });
    sums.push_back(sum_of({first, end}, *work[i].plan, work[i].counts.get(), work[i].true_values));
    first = end;
  }
  return sums;
}

}  // namespace trialwright::engine
