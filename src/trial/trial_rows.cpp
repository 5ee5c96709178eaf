#include "trial/trial_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/append_number.hpp"
#include "base/contract.hpp"
#include "base/csv_field.hpp"
#include "trial/look_text.hpp"

namespace trialwright::trial {
namespace {

// Tables remembered: a few thousand are most of what a point of some hundred patients ever shows.
constexpr int k_tail_bits = 14;
constexpr std::size_t k_longest_tail = 167;

std::size_t place_of(std::uint64_t owner, const analysis::TwoByTwo& table) {
  const auto word = [](int high, int low) {
    return std::uint64_t{static_cast<std::uint32_t>(high)} << 32 | static_cast<std::uint32_t>(low);
  };
  // Odd multipliers, as in splitmix64 (Steele, Lea & Flood 2014); the product's top bits are the mixed
  // ones.
  std::uint64_t hash = word(table.responders_1, table.responders_0) * 0x9e3779b97f4a7c15U;
  hash ^= (word(table.n_1, table.n_0) + owner) * 0xbf58476d1ce4e5b9U;
  hash ^= hash >> 29;
  return static_cast<std::size_t>((hash * 0x94d049bb133111ebU) >> (64 - k_tail_bits));
}

}  // namespace

struct TrialRows::Tail {
  analysis::TwoByTwo table;
  std::uint64_t owner = 0;  // plan and analysis; 0: none
  std::uint8_t length = 0;
  std::array<char, k_longest_tail> text;
};

TrialRows::TrialRows() = default;
TrialRows::~TrialRows() = default;
TrialRows::TrialRows(TrialRows&&) noexcept = default;

void TrialRows::turn_to(const TrialPlan& plan, std::string point_fields, RowColumns columns) {
  columns_ = columns;
  staged_ = nullptr;
  if (!tails_) tails_ = std::make_unique<Tail[]>(std::size_t{1} << k_tail_bits);
  plan_ = &plan;
  ++n_plans_;
  hypotheses_.clear();
  for (const auto& analysis : plan.analyses)
    hypotheses_.push_back(fmt::format(",{},", base::csv_field(analysis.name)));
  caches_.clear();
  caches_.resize(plan.analyses.size());
  head_ = std::move(point_fields);
  point_length_ = head_.size();
}

void TrialRows::begin(std::uint64_t trial, const TrialOutcome* calendar) {
  head_.resize(point_length_);
  base::append_integer(head_, trial);
  write_calendar(calendar);
  staged_ = nullptr;
}

void TrialRows::begin(std::uint64_t trial, const TrialOutcome* calendar, const StagedOutcome& outcome,
                      std::span<const LookRecord> looks) {
  begin(trial, calendar);
  staged_ = &outcome;
  staged_head_.clear();
  const auto add = [&](std::string_view field) {
    staged_head_ += ',';
    staged_head_ += field;
  };
  add({});
  base::append_integer(staged_head_, outcome.n_looks);
  add(base::name_of<design::StopReason>(design::k_stop_reason_names, outcome.stop));
  add({});
  base::append_integer(staged_head_, outcome.n_enrolled);
  add({});
  base::append_integer(staged_head_, outcome.n_analysed);
  add({});
  if (outcome.has_calendar) base::append_shortest(staged_head_, outcome.decision_months);
  add(base::csv_field(arm_names(*plan_, outcome.arms)));
  add(base::csv_field(std::string(population_name(*plan_, outcome.population))));
  decisions_ = ',' + base::csv_field(decisions_text(*plan_, looks));
}

void TrialRows::write_calendar(const TrialOutcome* calendar) {
  calendar_.clear();
  if (calendar == nullptr || !calendar->has_calendar) {
    calendar_ = ",,,";
    return;
  }
  calendar_ += ',';
  base::append_integer(calendar_, calendar->n_screened);
  calendar_ += ',';
  base::append_shortest(calendar_, calendar->enrolment_months);
  calendar_ += ',';
  base::append_shortest(calendar_, calendar->duration_months);
}

void TrialRows::append(std::size_t i_analysis, std::span<const analysis::TwoByTwo> tables,
                       std::string& out) {
  out += head_;
  out += hypotheses_[i_analysis];
  const auto& analysis = plan_->analyses[i_analysis];
  if (has_one_table(analysis)) {
    out += tail(i_analysis, tables.front());
  } else {
    write_tail(i_analysis, tables);
    out += written_;
  }
  end_row(i_analysis, out);
}

void TrialRows::append_made(std::size_t i_analysis, const AnalysisOutcome& outcome, std::string& out) {
  out += head_;
  out += hypotheses_[i_analysis];
  write_tail(outcome, outcome.p_value);
  out += written_;
  end_row(i_analysis, out);
}

void TrialRows::end_row(std::size_t i_analysis, std::string& out) const {
  // The tail ends with ",rejected,failed".
  if (staged_ != nullptr && static_cast<int>(i_analysis) < plan_->n_hypotheses)
    out[out.size() - 3] = (staged_->rejected >> i_analysis & 1U) != 0 ? '1' : '0';
  out += calendar_;
  if (columns_ == RowColumns::of_staged_designs) append_staged(i_analysis, out);
  out += '\n';
}

void TrialRows::append_staged(std::size_t i_analysis, std::string& out) const {
  if (staged_ == nullptr) {
    out.append(static_cast<std::size_t>(
                   std::count(k_staged_trial_columns.begin(), k_staged_trial_columns.end(), ',')),
               ',');
    return;
  }
  out += staged_head_;
  const bool is_hypothesis = static_cast<int>(i_analysis) < plan_->n_hypotheses;
  const bool is_adjusted =
      is_hypothesis && i_analysis < staged_->inference.size() && staged_->inference[i_analysis].defined;
  const auto inference = is_adjusted ? staged_->inference[i_analysis] : design::Inference{};
  for (const double value : {inference.estimate, inference.lower, inference.upper, inference.p_value}) {
    out += ',';
    if (is_adjusted) base::append_shortest(out, value);
  }
  for (const double limit : {inference.repeated_lower, inference.repeated_upper}) {
    out += ',';
    if (std::isfinite(limit)) base::append_shortest(out, limit);
  }
  out += ',';
  if (is_hypothesis) out += (staged_->naive_rejected >> i_analysis & 1U) != 0 ? '1' : '0';
  out += decisions_;
}

std::string_view TrialRows::tail(std::size_t i_analysis, const analysis::TwoByTwo& table) {
  const std::uint64_t owner = std::uint64_t{n_plans_} << 32 | i_analysis;
  Tail& tail = tails_[place_of(owner, table)];
  if (tail.owner != owner || !(tail.table == table)) {
    write_tail(i_analysis, {&table, 1});
    TRIALWRIGHT_EXPECT(written_.size() <= k_longest_tail);
    tail.table = table;
    tail.owner = owner;
    tail.length = static_cast<std::uint8_t>(written_.size());
    std::copy(written_.begin(), written_.end(), tail.text.begin());
  }
  return {tail.text.data(), tail.length};
}

void TrialRows::write_tail(std::size_t i_analysis, std::span<const analysis::TwoByTwo> tables) {
  const auto& analysis = plan_->analyses[i_analysis];
  const auto outcome = analyse_counts(analysis, tables, caches_[i_analysis]);
  write_tail(outcome, outcome.failed ? 1 : p_value(analysis, tables));
}

void TrialRows::write_tail(const AnalysisOutcome& outcome, double p_value) {
  const auto& table = outcome.table;
  written_.clear();
  for (const int count : {table.responders_1, table.n_1, table.responders_0, table.n_0}) {
    base::append_integer(written_, count);
    written_ += ',';
  }
  const auto& estimate = outcome.estimate;
  for (const double value : {estimate.value, estimate.lower, estimate.upper}) {
    if (estimate.defined) base::append_shortest(written_, value);
    written_ += ',';
  }
  if (!outcome.failed) base::append_shortest(written_, p_value);
  written_ += outcome.rejected ? ",1" : ",0";
  written_ += outcome.failed ? ",1" : ",0";
}

}  // namespace trialwright::trial
