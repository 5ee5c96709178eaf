#include "engine/run_portions.hpp"

#include "engine/exact_powers.hpp"
#include "engine/row_recorder.hpp"
#include "engine/trial_stage.hpp"
#include "engine/true_values.hpp"

namespace trialwright::engine {
namespace {

// Hands each point's values over once: true values as soon as they are found, and again with the exact
// powers where these take longer, so that what is stopped in between need not find them again.
class FoundValues {
 public:
  FoundValues(std::span<const PointWork> work, const TruthStage& truths, const ExactPowerStage& powers)
      : truths_(truths), powers_(powers) {
    for (std::size_t i = 0; i < work.size(); ++i)
      points_.push_back({work[i].i_point, work[i].known == nullptr, powers.is_asked(i)});
  }

  std::vector<PointValues> take() {
    std::vector<PointValues> found;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      auto& [i_point, lacks_truths, lacks_powers] = points_[i];
      const bool has_powers = lacks_powers && powers_.is_done(i);
      if (!truths_.is_done(i) || !(lacks_truths || has_powers)) continue;
      found.push_back({i_point, truths_.truths(i), {}});
      if (has_powers) found.back().calculated = powers_.calculated(i);
      lacks_truths = false;
      lacks_powers = lacks_powers && !has_powers;
    }
    return found;
  }

 private:
  struct Lacking {
    std::size_t i_point = 0;
    bool lacks_truths = false;
    bool lacks_powers = false;
  };

  const TruthStage& truths_;
  const ExactPowerStage& powers_;
  std::vector<Lacking> points_;  // [i_work]
};

}  // namespace

Ended run_portions(std::span<const PointWork> work, std::span<const Portion> portions, int n_threads,
                   Monitor* monitor, Keeper& keeper, RowRecorder* rows) {
  TruthStage truths(work, n_threads);
  ExactPowerStage powers(work);
  TrialStage trials(
      work, portions, n_threads,
      [&](std::size_t i_work) -> const TrueValues& { return truths.wait(i_work); }, rows);
  FoundValues values(work, truths, powers);
  Stage* const stages[] = {&truths, &powers, &trials};
  BlockPool pool(stages, n_threads, monitor);
  while (true) {
    const auto state = pool.run(keeper.interval());
    // Rows first: what a piece refers to is on the disk before the piece is.
    if (rows) rows->sync();
    keeper.keep(trials.take_pieces(), values.take());
    if (state == BlockPool::State::done) return Ended::done;
    if (state == BlockPool::State::stopped) return Ended::stopped;
  }
}

}  // namespace trialwright::engine
