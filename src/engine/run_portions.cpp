#include "engine/run_portions.hpp"

#include "engine/exact_powers.hpp"
#include "engine/row_recorder.hpp"
#include "engine/trial_stage.hpp"
#include "engine/true_values.hpp"

namespace trialwright::engine {
namespace {

// Hands each point's values over once.
class FoundValues {
 public:
  FoundValues(std::span<const PointWork> work, const TruthStage& truths, const ExactPowerStage& powers)
      : work_(work), truths_(truths), powers_(powers), is_taken_(work.size()) {}

  std::vector<PointValues> take() {
    std::vector<PointValues> found;
    for (std::size_t i = 0; i < work_.size(); ++i) {
      if (work_[i].known || is_taken_[i] || !truths_.is_done(i) || !powers_.is_done(i)) continue;
      is_taken_[i] = true;
      found.push_back({work_[i].i_point, truths_.truths(i), powers_.calculated(i)});
    }
    return found;
  }

 private:
  std::span<const PointWork> work_;
  const TruthStage& truths_;
  const ExactPowerStage& powers_;
  std::vector<bool> is_taken_;
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
