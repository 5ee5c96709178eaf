// Tables instead of trials: how often each table of an analysis came up in a point's trials, so that
// every distinct one is tested and estimated once, with its multiplicity.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/columns.hpp"
#include "engine/accumulator.hpp"
#include "trial/count_plan.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::engine {

// Where an analysis's tables stand among the law's columns, one a stratum (of an analysis that is not
// stratified: one), and the tables in one row of them.
using TableCells = std::vector<trial::CountPlan::StratumCells>;
TableCells cells_of(const trial::TrialPlan& plan, const trial::CountPlan& counts,
                    std::size_t i_analysis);
void read_tables(const TableCells& cells, const base::Columns<std::int32_t>& columns, std::size_t row,
                 std::vector<analysis::TwoByTwo>& tables);

// Where the tables of a plan's analyses stand in one dense array of counters. Depends on the plan (and
// its law of the counts) alone. An analysis is tabulated where it is not stratified and its tables are
// few enough.
class TableLayout {
 public:
  // `counts` is null where patients are simulated: then the tables of the planned arm sizes without
  // missing values are tabulated.
  TableLayout(const trial::TrialPlan& plan, const trial::CountPlan* counts);

  // Counters of all analyses together, at most.
  static constexpr std::size_t k_most_cells = std::size_t{1} << 19;
  std::size_t n_cells() const { return n_cells_; }

  bool tabulates(std::size_t i_analysis) const { return boxes_[i_analysis].has_value(); }
  bool tabulates_all() const;
  // The counter of an analysis's table; nullopt where it has none.
  std::optional<std::size_t> cell(std::size_t i_analysis, const analysis::TwoByTwo& table) const;
  // The table of the i-th counter of an analysis, and the counters it has, from its first on.
  analysis::TwoByTwo table(std::size_t i_analysis, std::size_t i) const;
  std::size_t first_cell(std::size_t i_analysis) const { return boxes_[i_analysis]->first; }
  std::size_t n_cells(std::size_t i_analysis) const { return boxes_[i_analysis]->size; }

  // Counts n_trials rows of the law's columns, of all analyses tabulated, into `cells`.
  void count(const base::Columns<std::int32_t>& columns, std::size_t n_trials,
             std::span<std::uint32_t> cells) const;

 private:
  // One of the four counts of a table: events and patients of the active arm, then of the control.
  struct Side {
    trial::CountPlan::Range range;
    std::uint32_t stride = 0;
    std::size_t column = 0;  // of the law
  };
  struct Box {
    std::array<Side, 4> sides;
    std::size_t first = 0;
    std::size_t size = 0;
  };

  static void count_rows(const Box& box, const base::Columns<std::int32_t>& columns, std::size_t from,
                         std::size_t n, std::span<std::uint32_t> cells);

  std::vector<std::optional<Box>> boxes_;  // [i_analysis]
  std::size_t n_cells_ = 0;
};

// Adds every table counted in `cells` to its analysis, tested and estimated once each. Of the arms'
// sums those of `arms` (as arms_in_tables) alone.
struct ArmInTables {
  std::size_t i_analysis = 0;
  bool is_active = false;
};
// [i_estimand * n_arms + i_arm]: an analysis, tabulated, that counts this arm; nullopt where none does.
std::vector<std::optional<ArmInTables>> arms_in_tables(const trial::TrialPlan& plan,
                                                       const TableLayout& layout);

void add_tables(const trial::TrialPlan& plan, const TableLayout& layout, const TrueValues& true_values,
                std::span<const std::uint64_t> cells, std::span<const std::optional<ArmInTables>> arms,
                PointAccumulator& sum);

}  // namespace trialwright::engine
