#include "engine/table_counts.hpp"

#include <algorithm>

#include "base/contract.hpp"
#include "trial/analyse_counts.hpp"

namespace trialwright::engine {
namespace {

using Range = trial::CountPlan::Range;

// Rows whose counters are found at once.
constexpr std::size_t k_rows = 256;

// The place of an analysis's arm among all estimands' arms: [i_estimand * n_arms + i_arm].
std::size_t arm_place(const trial::TrialPlan& plan, const trial::PlannedAnalysis& analysis, int arm) {
  const auto i_arm = std::find(plan.arms.begin(), plan.arms.end(), arm) - plan.arms.begin();
  return static_cast<std::size_t>(analysis.i_estimand) * plan.arms.size() +
         static_cast<std::size_t>(i_arm);
}

// The planned size of an arm.
int planned_patients(const trial::TrialPlan& plan, int arm) {
  const auto& arms = plan.allocation->arms();
  const auto totals = design::arm_totals(plan.n_patients, arms);
  for (std::size_t i = 0; i < arms.size(); ++i)
    if (arms[i].arm == arm) return totals[i];
  return 0;
}

struct RangeOfColumn {
  Range range;
  std::size_t column = 0;
};

std::array<RangeOfColumn, 4> ranges(const trial::TrialPlan& plan, std::size_t i_analysis,
                                    const trial::CountPlan* counts) {
  if (counts) {
    const auto [active, control] = cells_of(plan, *counts, i_analysis).front();
    const auto of = [&](std::size_t column) { return RangeOfColumn{counts->range(column), column}; };
    return {of(active.events), of(active.patients), of(control.events), of(control.patients)};
  }
  const int n_1 = planned_patients(plan, plan.analyses[i_analysis].arm_1);
  const int n_0 = planned_patients(plan, plan.analyses[i_analysis].arm_0);
  return {{{{0, n_1}, 0}, {{n_1, n_1}, 0}, {{0, n_0}, 0}, {{n_0, n_0}, 0}}};
}

}  // namespace

TableCells cells_of(const trial::TrialPlan& plan, const trial::CountPlan& counts,
                    std::size_t i_analysis) {
  const auto& strata = counts.strata()[i_analysis];
  if (!strata.empty()) return strata;
  const auto& analysis = plan.analyses[i_analysis];
  return {{counts.arms()[arm_place(plan, analysis, analysis.arm_1)],
           counts.arms()[arm_place(plan, analysis, analysis.arm_0)]}};
}

void read_tables(const TableCells& cells, const base::Columns<std::int32_t>& columns, std::size_t row,
                 std::vector<analysis::TwoByTwo>& tables) {
  tables.clear();
  for (const auto& [active, control] : cells)
    tables.push_back({columns[active.events][row], columns[active.patients][row],
                      columns[control.events][row], columns[control.patients][row]});
}

TableLayout::TableLayout(const trial::TrialPlan& plan, const trial::CountPlan* counts)
    : boxes_(plan.analyses.size()) {
  // Of a design that looks before the end a table does not tell what a trial came to.
  if (plan.staged) return;
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    const auto& analysis = plan.analyses[i];
    // The sizes of a subgroup's arms are planned of nobody, and known of counts alone.
    if (!has_one_table(analysis) || analysis.maintenance || (analysis.subgroup && !counts)) continue;
    const auto of_table = ranges(plan, i, counts);
    double size = 1;
    for (const auto& side : of_table) size *= side.range.width();
    if (size > static_cast<double>(k_most_cells - n_cells_)) continue;
    Box box;
    std::uint32_t stride = 1;
    for (std::size_t side = 4; side-- > 0;) {
      box.sides[side] = {of_table[side].range, stride, of_table[side].column};
      stride *= static_cast<std::uint32_t>(of_table[side].range.width());
    }
    box.first = n_cells_;
    box.size = stride;
    n_cells_ += box.size;
    boxes_[i] = box;
  }
}

bool TableLayout::tabulates_all() const {
  return std::all_of(boxes_.begin(), boxes_.end(), [](const auto& box) { return box.has_value(); });
}

std::optional<std::size_t> TableLayout::cell(std::size_t i_analysis,
                                             const analysis::TwoByTwo& table) const {
  const auto& box = boxes_[i_analysis];
  if (!box) return std::nullopt;
  const std::array values{table.responders_1, table.n_1, table.responders_0, table.n_0};
  std::size_t place = box->first;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& [range, stride, column] = box->sides[i];
    if (values[i] < range.lowest || values[i] > range.highest) return std::nullopt;
    place += static_cast<std::size_t>(values[i] - range.lowest) * stride;
  }
  return place;
}

analysis::TwoByTwo TableLayout::table(std::size_t i_analysis, std::size_t i) const {
  const auto& sides = boxes_[i_analysis]->sides;
  const auto value = [&](const Side& side) {
    const auto width = static_cast<std::size_t>(side.range.width());
    return side.range.lowest + static_cast<int>(i / side.stride % width);
  };
  return {value(sides[0]), value(sides[1]), value(sides[2]), value(sides[3])};
}

void TableLayout::count(const base::Columns<std::int32_t>& columns, std::size_t n_trials,
                        std::span<std::uint32_t> cells) const {
  TRIALWRIGHT_EXPECT(cells.size() == n_cells_);
  for (const auto& box : boxes_)
    if (box)
      for (std::size_t from = 0; from < n_trials; from += k_rows)
        count_rows(*box, columns, from, std::min(k_rows, n_trials - from), cells);
}

void TableLayout::count_rows(const Box& box, const base::Columns<std::int32_t>& columns,
                             std::size_t from, std::size_t n, std::span<std::uint32_t> cells) {
  std::array<std::uint32_t, k_rows> places;
  auto first = static_cast<std::uint32_t>(box.first);
  bool is_filled = false;
  for (const auto& side : box.sides)
    first -= static_cast<std::uint32_t>(side.range.lowest) * side.stride;
  for (const auto& side : box.sides) {
    const std::int32_t* values = columns[side.column].data() + from;
    if (side.range.width() == 1) {
      first += static_cast<std::uint32_t>(side.range.lowest) * side.stride;
    } else if (is_filled) {
      for (std::size_t i = 0; i < n; ++i)
        places[i] += static_cast<std::uint32_t>(values[i]) * side.stride;
    } else {
      for (std::size_t i = 0; i < n; ++i)
        places[i] = static_cast<std::uint32_t>(values[i]) * side.stride;
      is_filled = true;
    }
  }
  if (!is_filled) places.fill(0);
  for (std::size_t i = 0; i < n; ++i) ++cells[first + places[i]];
}

std::vector<std::optional<ArmInTables>> arms_in_tables(const trial::TrialPlan& plan,
                                                       const TableLayout& layout) {
  std::vector<std::optional<ArmInTables>> arms(plan.estimands.size() * plan.arms.size());
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    const auto& analysis = plan.analyses[i];
    if (!layout.tabulates(i) || analysis.subgroup) continue;
    arms[arm_place(plan, analysis, analysis.arm_1)] = {i, true};
    arms[arm_place(plan, analysis, analysis.arm_0)] = {i, false};
  }
  return arms;
}

void add_tables(const trial::TrialPlan& plan, const TableLayout& layout, const TrueValues& true_values,
                std::span<const std::uint64_t> cells, std::span<const std::optional<ArmInTables>> arms,
                PointAccumulator& sum) {
  for (std::size_t i_analysis = 0; i_analysis < plan.analyses.size(); ++i_analysis) {
    if (!layout.tabulates(i_analysis)) continue;
    const auto& analysis = plan.analyses[i_analysis];
    analysis::BinaryTest::Cache cache;
    const auto of_analysis = cells.subspan(layout.first_cell(i_analysis), layout.n_cells(i_analysis));
    for (std::size_t i = 0; i < of_analysis.size(); ++i) {
      const std::uint64_t n = of_analysis[i];
      if (n == 0) continue;
      const auto table = layout.table(i_analysis, i);
      sum.analyses[i_analysis].add(analysis, true_values[i_analysis],
                                   trial::analyse_counts(analysis, {&table, 1}, cache), n);
      for (std::size_t arm = 0; arm < arms.size(); ++arm)
        if (arms[arm] && arms[arm]->i_analysis == i_analysis)
          arms[arm]->is_active ? sum.arms[arm].add(table.responders_1, table.n_1, n)
                               : sum.arms[arm].add(table.responders_0, table.n_0, n);
    }
  }
}

}  // namespace trialwright::engine
