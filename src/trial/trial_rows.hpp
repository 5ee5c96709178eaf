// Rows of trials.csv: what each analysis of each trial came to, as text.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/two_by_two.hpp"
#include "trial/simulate_trial.hpp"
#include "trial/staged_trial.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// The columns, after those that name the point. Trials count from 0, as for `replay`; "active" is the
// arm that the hypothesis is about, "control" what it is compared with; counts are events and patients
// with a value (over all strata). Estimate and interval are on the effect measure's own scale, empty
// where they are not defined; p_value is empty where no test was possible (failed = 1). rejected and
// failed are 0 or 1. The calendar's three are empty where the trial has none (k_calendar_trials).
inline constexpr std::string_view k_trial_columns =
    "trial,hypothesis,events_active,patients_active,events_control,patients_control,estimate,lower,upper,"
    "p_value,rejected,failed,n_screened,enrolment_months,duration_months";

// What follows in a study that has designs that look before the end. Of fixed designs these are empty.
// looks: decided, the last one included; stop_reason: why the trial ended there
// (design::k_stop_reason_names); n_enrolled: randomised, the pipeline included; n_analysed: on whom
// the estimates rest (of a design that analyses its over-run all of them, else those known at the last
// look); decision_months: until the last decision, empty without a
// calendar; arms and population: that recruited at the end, arms joined by "+", population empty for
// all; then, of hypotheses, the estimate, its interval and its one-sided p-value that allow for the
// design and the repeated interval of the last look, empty where they are not made
// (k_inference_trials), not defined or infinite, and whether an analysis
// rejects that takes no account of it; decisions: decisions_text(). `rejected` is the design's decision
// for hypotheses, the planned test's for other analyses.
inline constexpr std::string_view k_staged_trial_columns =
    ",looks,stop_reason,n_enrolled,n_analysed,decision_months,arms,population,adjusted_estimate,"
    "adjusted_lower,adjusted_upper,adjusted_p_value,repeated_lower,repeated_upper,naive_rejected,decisions";

// Which columns a study's rows have.
enum class RowColumns { of_fixed_designs, of_staged_designs };

// Writes rows, one thread's. Decisions and estimates are analyse_counts', p-values analysis::test's:
// the same bytes everywhere. Numbers are the shortest that read back the same.
class TrialRows {
 public:
  TrialRows();
  ~TrialRows();
  TrialRows(TrialRows&&) noexcept;

  // Rows from here on are of this plan, which must outlive them, and begin with `point_fields` (CSV
  // fields, each with the comma after it).
  void turn_to(const TrialPlan& plan, std::string point_fields,
               RowColumns columns = RowColumns::of_fixed_designs);
  // Rows from here on are of this trial; `calendar` holds its calendar, if it has one; null: none.
  void begin(std::uint64_t trial, const TrialOutcome* calendar);
  // The same of a trial that looked before the end; the outcome must outlive its rows.
  void begin(std::uint64_t trial, const TrialOutcome* calendar, const StagedOutcome& outcome,
             std::span<const LookRecord> looks);
  // Appends the row of one analysis: one table a stratum, of an analysis that is not stratified one. No
  // allocation but for `out` growing, and what exact tests need.
  void append(std::size_t i_analysis, std::span<const analysis::TwoByTwo> tables, std::string& out);
  // The same of an analysis that its tables do not make: of a maintenance phase.
  void append_made(std::size_t i_analysis, const AnalysisOutcome& outcome, std::string& out);

 private:
  // What follows the hypothesis of a table met before, for tables come up again and again.
  struct Tail;

  std::string_view tail(std::size_t i_analysis, const analysis::TwoByTwo& table);
  void write_tail(std::size_t i_analysis, std::span<const analysis::TwoByTwo> tables);
  void write_tail(const AnalysisOutcome& outcome, double p_value);
  void end_row(std::size_t i_analysis, std::string& out) const;
  void write_calendar(const TrialOutcome* calendar);
  void append_staged(std::size_t i_analysis, std::string& out) const;

  const TrialPlan* plan_ = nullptr;
  std::vector<std::string> hypotheses_;  // [i_analysis], as fields
  std::vector<analysis::BinaryTest::Cache> caches_;
  std::string head_;  // the point's fields and the trial
  std::size_t point_length_ = 0;
  RowColumns columns_ = RowColumns::of_fixed_designs;
  const StagedOutcome* staged_ = nullptr;  // of the trial at hand
  std::string calendar_;                   // the calendar's fields
  std::string staged_head_;                // what is the same in all rows of a trial ...
  std::string decisions_;                  // ... before and after what is a hypothesis's own
  std::string written_;                    // by write_tail
  std::unique_ptr<Tail[]> tails_;          // by a hash of the table
  std::uint32_t n_plans_ = 0;
};

}  // namespace trialwright::trial
