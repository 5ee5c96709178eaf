#include "trial/count_law.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "math/cubic_table.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

namespace {

constexpr std::size_t k_most_columns = 4096;
constexpr std::size_t k_most_responses = 10;
constexpr double k_negligible = 1e-20;  // of a cell's probability

// The arms' sizes, of a design with looks those planned, into a stage; false where they hang on the
// patients.
bool set_sizes(const TrialPlan& plan, CountLaw::Stage& stage) {
  const design::Allocation& allocation = *plan.allocation;
  stage.n_patients = plan.n_patients;
  // What the looks make of the sizes is the business of StagedCountPlan.
  if (plan.staged) {
    const auto planned = design::arm_totals(plan.n_planned, allocation.arms());
    for (std::size_t i = 0; i < planned.size(); ++i) stage.arms[i].n_patients = planned[i];
    return true;
  }
  if (const auto law = allocation.arm_size_law(plan.control_arm); law && law->size() > 1) {
    const bool control_is_first = plan.arms[0] == plan.control_arm;
    for (const auto& size : *law)
      stage.first_size.push_back(
          {control_is_first ? plan.n_patients - size.n_1 : size.n_1, size.probability});
    if (control_is_first) std::reverse(stage.first_size.begin(), stage.first_size.end());
    return true;
  }
  const auto* block = std::get_if<design::PermutedBlock>(&allocation.randomisation());
  const bool has_full_blocks =
      block != nullptr && block->factors.empty() && plan.n_patients % block->block_size == 0;
  const auto method = design::method_of(allocation.randomisation());
  if (method != design::RandomisationMethod::random_allocation && !has_full_blocks) return false;
  const auto& shares = allocation.arms();
  const auto totals = design::arm_totals(plan.n_patients, shares);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const auto at = std::find(plan.arms.begin(), plan.arms.end(), shares[i].arm) - plan.arms.begin();
    stage.arms[static_cast<std::size_t>(at)].n_patients = totals[i];
  }
  return true;
}

std::string why_no_sizes(const TrialPlan& plan) {
  switch (design::method_of(plan.allocation->randomisation())) {
    case design::RandomisationMethod::minimisation:
      return "minimisation allocates by the patients enrolled before";
    case design::RandomisationMethod::permuted_block:
      if (!std::get<design::PermutedBlock>(plan.allocation->randomisation()).factors.empty())
        return "the blocks are stratified, so that the arms' sizes in a stratum hang on who enrols when";
      return "with more than two arms an incomplete block leaves the arms' sizes random";
    case design::RandomisationMethod::simple:
    case design::RandomisationMethod::random_allocation:
      break;
  }
  return "with more than two arms simple randomisation leaves the arms' sizes random";
}

// A plan's estimands and strata in the model's words, and where their counts stand.
class Reading {
 public:
  explicit Reading(const TrialPlan& plan) : plan_(plan) {}

  // The reason why there is no law, or nothing.
  std::string run(PlanLaw& out);

 private:
  // What an estimand reads: a response (bit of the pattern) or adverse events up to a week.
  struct Value {
    bool is_response = false;
    std::size_t response = 0;
    double week = 0;
    estimand::DropoutStrategy dropout{};
  };
  using Cells = std::map<std::vector<std::size_t>, double>;

  std::string read_estimands();
  void read_strata(PlanLaw& out);
  std::string read_arm(std::size_t arm, CountLaw::Arm& out);
  std::vector<std::size_t> columns(std::size_t arm, double leaves, double event_week,
                                   std::size_t stratum, std::size_t pattern) const;
  std::size_t n_levels(int factor) const;
  std::size_t level_of(int factor, std::size_t combination) const;
  std::optional<std::size_t> stratum_of(const PlannedAnalysis& analysis, std::size_t combination) const;

  const TrialPlan& plan_;
  std::vector<Value> values_;  // [i_estimand]
  std::vector<patient::ResponseCondition> conditions_;
  std::vector<double> event_weeks_;                     // that are read, ascending
  std::vector<int> factors_;                            // of all analyses
  std::vector<std::vector<CountStratumCells>> strata_;  // [i_analysis][stratum]
};

std::string Reading::read_estimands() {
  for (const auto& estimand : plan_.estimands) {
    Value value;
    value.week = estimand.endpoint().week();
    value.dropout = estimand.dropout();
    const auto& definition = estimand.endpoint().definition();
    if (const auto* response = std::get_if<endpoint::ResponderSpec>(&definition)) {
      value.is_response = true;
      value.response = conditions_.size();
      conditions_.push_back(response->condition());
    } else {
      const auto& events = std::get<endpoint::AdverseEventSpec>(definition);
      if (events.minimum_grade > 1 || events.category || events.serious_only)
        return "adverse events of some grades or categories alone have no closed form";
      event_weeks_.push_back(value.week);
    }
    values_.push_back(value);
  }
  if (conditions_.size() > k_most_responses) return "so many responses are read together";
  std::sort(event_weeks_.begin(), event_weeks_.end());
  return {};
}

void Reading::read_strata(PlanLaw& out) {
  std::size_t column = 2 * plan_.estimands.size() * plan_.arms.size();
  const auto next = [&] {
    column += 2;
    return CountCell{column - 2, column - 1};
  };
  for (const auto& analysis : plan_.analyses) {
    auto& cells = strata_.emplace_back();
    const auto read = [&](int factor) {
      if (std::find(factors_.begin(), factors_.end(), factor) == factors_.end())
        factors_.push_back(factor);
    };
    // A subgroup's patients are counted apart from their arm's.
    std::size_t n_strata = analysis.strata.empty() && !analysis.subgroup ? 0 : 1;
    if (analysis.subgroup) read(analysis.subgroup->factor);
    for (const int factor : analysis.strata) {
      n_strata *= n_levels(factor);
      read(factor);
    }
    if (analysis.borrowing) ++n_strata;
    for (std::size_t stratum = 0; stratum < n_strata; ++stratum) {
      const CountCell active = next();
      cells.push_back({active, next()});
    }
  }
  out.strata = strata_;
  out.law.n_columns = column;
}

std::size_t Reading::n_levels(int factor) const {
  return plan_.model->factors()[static_cast<std::size_t>(factor)].levels.size();
}

// The level of a factor in a combination of all factors' levels.
std::size_t Reading::level_of(int factor, std::size_t combination) const {
  for (auto at = factors_.rbegin(); *at != factor; ++at) combination /= n_levels(*at);
  return combination % n_levels(factor);
}

// Which stratum of an analysis a combination of all factors' levels is in; outside its subgroup the one
// that it borrows from, or nullopt.
std::optional<std::size_t> Reading::stratum_of(const PlannedAnalysis& analysis,
                                               std::size_t combination) const {
  if (const auto& subgroup = analysis.subgroup)
    if (level_of(subgroup->factor, combination) != static_cast<std::size_t>(subgroup->level))
      return analysis.borrowing ? std::optional<std::size_t>{1} : std::nullopt;
  std::size_t stratum = 0;
  for (const int factor : analysis.strata)
    stratum = stratum * n_levels(factor) + level_of(factor, combination);
  return stratum;
}

// The counts that a patient of an arm adds to who leaves at a week and has the first adverse event at
// another.
std::vector<std::size_t> Reading::columns(std::size_t arm, double leaves, double event_week,
                                          std::size_t stratum, std::size_t pattern) const {
  std::vector<std::size_t> result;
  std::vector<int> outcomes;
  for (const Value& value : values_) {
    const bool is_gone = leaves <= value.week;
    int outcome = value.is_response ? static_cast<int>(pattern >> value.response & 1)
                                    : static_cast<int>(event_week <= value.week);
    if (is_gone && value.dropout == estimand::DropoutStrategy::missing) outcome = -1;
    if (is_gone && value.dropout == estimand::DropoutStrategy::non_response) outcome = 0;
    outcomes.push_back(outcome);
  }
  const auto add = [&](const CountCell& cell, int outcome) {
    if (outcome > 0) result.push_back(cell.events);
    if (outcome >= 0) result.push_back(cell.patients);
  };
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const std::size_t at = 2 * (i * plan_.arms.size() + arm);
    add({at, at + 1}, outcomes[i]);
  }
  for (std::size_t i = 0; i < plan_.analyses.size(); ++i) {
    const auto& analysis = plan_.analyses[i];
    if (strata_[i].empty()) continue;
    const auto place = stratum_of(analysis, stratum);
    if (!place) continue;
    const auto& cells = strata_[i][*place];
    const int outcome = outcomes[static_cast<std::size_t>(analysis.i_estimand)];
    if (plan_.arms[arm] == analysis.arm_1) add(cells.active, outcome);
    if (plan_.arms[arm] == analysis.arm_0) add(cells.control, outcome);
  }
  return result;
}

std::string Reading::read_arm(std::size_t arm, CountLaw::Arm& out) {
  const patient::PatientModel& model = *plan_.model;
  const int i_arm = plan_.arms[arm];
  const auto responses = model.response_law(i_arm, conditions_, factors_);
  if (responses.probabilities.empty()) return responses.why_not;
  const auto leaving = model.dropout_law(i_arm);
  if (!leaving) return "who leaves the study hangs on the disease's course";
  const std::size_t n_patterns = std::size_t{1} << conditions_.size();
  Cells cells;
  const auto add_leaving = [&](double leaves, double probability) {
    // The first adverse event falls between two of the weeks read, or is not seen.
    double below = 0, before = 0;
    const auto add_events = [&](double event_week, double share) {
      for (std::size_t i = 0; i < responses.probabilities.size(); ++i)
        cells[columns(arm, leaves, event_week, i / n_patterns, i % n_patterns)] +=
            probability * share * responses.probabilities[i];
    };
    for (const double week : event_weeks_) {
      const double by =
          model.staying_adverse_event_probability(i_arm, std::min(week, leaves)).value_or(0);
      if (week > before) add_events(week, by - below);
      below = by;
      before = week;
    }
    add_events(patient::k_never, 1 - below);
  };
  if (!event_weeks_.empty() && !model.staying_adverse_event_probability(i_arm, 1))
    return "stopped infusions prevent their reactions";
  for (std::size_t i = 0; i < leaving->weeks.size(); ++i)
    add_leaving(leaving->weeks[i], leaving->probabilities[i]);
  add_leaving(patient::k_never, leaving->staying(patient::k_never));

  // Who is counted nowhere comes last: that number is never drawn.
  double rest = 1;
  const auto add_cell = [&](const std::vector<std::size_t>& columns, double probability) {
    const double rounded = math::round_to_bits(probability, math::k_knot_bits);
    if (rounded < k_negligible) return;
    out.cells.push_back({rounded, columns});
    rest -= rounded;
  };
  for (const auto& [columns, probability] : cells)
    if (!columns.empty()) add_cell(columns, probability);
  if (const auto nowhere = cells.find({}); nowhere != cells.end()) add_cell({}, nowhere->second);
  // Rounding is left to the last.
  out.cells.back().probability = std::max(0.0, out.cells.back().probability + rest);
  return {};
}

std::string Reading::run(PlanLaw& out) {
  if (plan_.model->truth_is_drawn()) return "every trial draws its own truth";
  if (plan_.merit_mean) return "arms are chosen by means, which counts do not tell";
  if (plan_.maintenance) return "responders are followed through a maintenance phase";
  if (auto reason = read_estimands(); !reason.empty()) return reason;
  read_strata(out);
  if (out.law.n_columns > k_most_columns) return "the analyses have too many strata";
  CountLaw::Stage& stage = out.law.stages.emplace_back();
  stage.arms.resize(plan_.arms.size());
  if (!set_sizes(plan_, stage)) return why_no_sizes(plan_);
  for (std::size_t i = 0; i < plan_.estimands.size() * plan_.arms.size(); ++i)
    out.arms.push_back({2 * i, 2 * i + 1});
  for (std::size_t arm = 0; arm < plan_.arms.size(); ++arm)
    if (auto reason = read_arm(arm, stage.arms[arm]); !reason.empty()) return reason;
  return {};
}

}  // namespace

std::variant<PlanLaw, std::string> count_law(const TrialPlan& plan) {
  PlanLaw result;
  if (auto reason = Reading(plan).run(result); !reason.empty()) return reason;
  return result;
}

}  // namespace trialwright::trial
