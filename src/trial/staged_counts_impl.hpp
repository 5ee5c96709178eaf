// The inside of StagedCountPlan: where counts stand, how sizes follow from a trial's state, and the
// tables of looks.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "design/allocation.hpp"
#include "design/batch_ends.hpp"
#include "trial/staged_counts.hpp"

namespace trialwright::trial {

// Words of unit k_block_unit + stage draw from incomplete blocks.
constexpr std::uint32_t k_block_unit = std::uint32_t{1} << 20;

// The patients known at a look.
struct LookSize {
  int n_known = 0;
  bool is_final = false;
};

// What a look decides of every table of the sums over the stages.
struct LookTable {
  LookSize size;
  CountRange events_1;
  CountRange events_0;
  // [(x1 - events_1.lowest) * events_0.width() + x0 - events_0.lowest]: 2 * code + (does the naive
  // analysis reject?); code 0: goes on, else an index of StagedCountPlan::Impl::ends.
  std::vector<std::uint8_t> entries;
};

// What the first look decides of every table, where later stages' sizes hang on it.
struct FirstLook {
  static constexpr std::size_t k_kept = 2;  // looks whose values a state may hold after the first
  // Of the state what a decision may have changed.
  struct Entry {
    bool is_end = false;
    TrialEnd end;
    std::int32_t n_planned = 0;
    std::int32_t outcomes_at_next_look = 0;
    design::Bits arms = 0;
    std::int32_t population = -1;
    design::Bits open = 0;
    design::Bits rejected = 0;
    std::array<double, k_kept> information{}, efficacy_z{}, futility_z{};
    std::array<design::Bits, k_kept> open_at{};
  };
  CountRange events_1;
  CountRange events_0;
  std::vector<Entry> entries;

  const Entry& at(int x_1, int x_0) const {
    return entries[static_cast<std::size_t>(x_1 - events_1.lowest) *
                       static_cast<std::size_t>(events_0.width()) +
                   static_cast<std::size_t>(x_0 - events_0.lowest)];
  }
  static Entry saved(const design::TrialState& state);
  static void restore(const Entry& entry, design::TrialState& state);
};

// What is left of a trial after a look that was not its last, where the last is decided in batches.
struct Outlook {
  double efficacy_z = 0;  // of the last look, where it is the next
  double futility_z = 0;
  std::int32_t n_next = 0;  // patients known at the next look; 0: there is none, the trial has ended
  bool naive = false;       // does the naive analysis reject, up to here?
};

// The blocks of a list, arms of which may have left.
struct BlockLaw {
  std::vector<int> balls;  // [i_arm] in a block of all arms

  int size(design::Bits of_arms) const;
  // The arms' numbers among the next n patients. `urn` holds what is left of the block at hand; words
  // of `stream` draw from an incomplete one, without replacement (a word w chooses ball floor(w k /
  // 2^32) of k).
  template <class Words>
  void take(design::Bits of_arms, int n, std::span<std::int32_t> urn, Words& stream,
            std::span<std::int32_t> sizes) const;
};

template <class Words>
void BlockLaw::take(design::Bits of_arms, int n, std::span<std::int32_t> urn, Words& stream,
                    std::span<std::int32_t> sizes) const {
  const int block = size(of_arms);
  std::fill(sizes.begin(), sizes.end(), 0);
  const auto draw = [&](int n_balls) {
    int left = std::accumulate(urn.begin(), urn.end(), 0);
    for (int k = 0; k < n_balls; ++k, --left) {
      auto ball =
          static_cast<std::int32_t>(std::uint64_t{stream()} * static_cast<std::uint64_t>(left) >> 32);
      std::size_t a = 0;
      for (; ball >= urn[a]; ++a) ball -= urn[a];
      --urn[a];
      ++sizes[a];
    }
  };
  const int begun = std::accumulate(urn.begin(), urn.end(), 0);
  if (begun > 0) {
    const int taken = std::min(begun, n);
    draw(taken);
    n -= taken;
  }
  for (std::size_t a = 0; a < balls.size(); ++a)
    if ((of_arms >> a & 1) != 0) sizes[a] += n / block * balls[a];
  if (const int rest = n % block; rest > 0) {
    for (std::size_t a = 0; a < balls.size(); ++a) urn[a] = (of_arms >> a & 1) != 0 ? balls[a] : 0;
    draw(rest);
  }
}

struct StagedCountPlan::Impl {
  Impl(const TrialPlan& plan, const PlanLaw& law);

  // The look after `i_look` looks of a trial in this state.
  LookSize next_look(int i_look, const design::TrialState& state, int n_known) const;
  // A trial's tables of the first n_stages stages, and merits and safety of all of them.
  void fill(std::size_t n_looks, std::size_t row, Workspace& workspace) const;
  design::LookData look_data(std::size_t i_stage, const LookSize& size,
                             const Workspace& workspace) const;
  std::size_t column(std::size_t i_stage, std::size_t of_stage) const {
    return i_stage * n_columns + of_stage;
  }
  int sum_of(const Workspace& workspace, std::size_t n_stages, std::size_t of_stage,
             std::size_t row) const;

  // Counts the ends of n_trials rows whose stages are all drawn, by the looks' tables.
  void run_tables(std::size_t n_trials, const Workspace& workspace, EndCounts& ends_of_trials) const;
  // Draws and decides rows row .. row + n - 1, n <= CountSampler::k_chunk, stage by stage.
  void run_chunk(rng::Key key, std::uint64_t first_trial, std::size_t row, std::size_t n,
                 Workspace& workspace, EndCounts& ends_of_trials) const;
  // The arms' sizes of the next n_more patients of the i-th trial of a chunk.
  void give_sizes(const rng::Address& address, std::size_t i, int n_more, std::size_t row,
                  Workspace& workspace) const;
  // Decides a stage of one trial (i: its place in the chunk); false where that was its last look.
  bool decide(std::size_t i_stage, std::size_t row, std::size_t i, Workspace& workspace,
              EndCounts& ends_of_trials) const;
  // Decides one trial look by look, and tells all that `outcome` can hold before inference.
  struct Told {
    CountedLooks looks;
    design::LookData data;  // of the last look, in the workspace
  };
  Told retell(std::size_t row, Workspace& workspace, StagedOutcome& outcome,
              std::vector<LookRecord>* records) const;
  std::span<const analysis::TwoByTwo> tables_after(std::size_t n_looks, std::size_t i_analysis,
                                                   std::size_t row, Workspace& workspace) const;
  // The analyses and the arms' counts as they stand after so many looks.
  void analyse(const TrialPlan& plan, std::size_t n_looks, std::size_t row, Workspace& workspace,
               TrialOutcome& trial) const;
  bool look_up(std::size_t row, std::size_t i, Workspace& workspace, EndCounts& ends_of_trials) const;

  // run_chunk() by `outlooks`: the first look by its table, the second by what was decided of the same
  // tables before, the last of all trials at a time.
  struct Going;
  void run_chunk_by_outlooks(rng::Key key, std::uint64_t first_trial, std::size_t row, std::size_t n,
                             Workspace& workspace, EndCounts& ends_of_trials) const;
  void size_next(const rng::Address& first, std::size_t row, std::size_t n, Going& going,
                 Workspace& workspace) const;
  void look_second(std::size_t row, Going& going, Workspace& workspace,
                   EndCounts& ends_of_trials) const;
  Outlook decide_second(std::size_t row, std::size_t i, Workspace& workspace, TrialEnd& end) const;
  void end_all(std::size_t row, const Going& going, Workspace& workspace,
               EndCounts& ends_of_trials) const;

  std::shared_ptr<const design::StagedDesign> design;
  std::vector<design::Amount> interim;  // outcomes that the looks wait for
  std::size_t n_arms = 0;
  std::size_t n_hypotheses = 1;
  std::size_t n_strata = 1;
  std::size_t n_columns = 0;                               // of a stage
  std::vector<CountCell> arms;                             // [i_estimand * n_arms + i_arm]
  std::vector<std::vector<CountStratumCells>> hypotheses;  // [i_hypothesis][stratum]
  std::vector<std::vector<CountStratumCells>> analyses;    // [i_analysis][stratum]
  struct Pair {
    std::size_t arm_1 = 0;
    std::size_t arm_0 = 0;
  };
  std::vector<Pair> pairs;  // [i_hypothesis] places among the arms
  int merit_estimand = -1;
  double merit_sign = 1;
  int safety_estimand = -1;
  std::vector<double> event_rates;  // [i_arm] of the first hypothesis's estimand
  BlockLaw blocks;
  design::TrialState start;
  LookSize first_size;
  bool begins_given = false;  // the first look falls within a block
  std::optional<CountSampler> sampler;

  std::vector<LookTable> tables;  // [i_look]; empty: looks are decided trial by trial
  std::vector<TrialEnd> ends;     // [code]
  std::optional<FirstLook> first;
  std::vector<Outlook> outlooks;  // [place in `first`]; empty: later looks are decided one by one
  const design::BatchEnds* last_looks = nullptr;  // of `design`, with outlooks
  // What a workspace recalls is of the plan whose identity this is.
  std::shared_ptr<const int> identity = std::make_shared<int>(0);

  std::size_t n_stages() const { return interim.size() + 1; }
};

}  // namespace trialwright::trial
