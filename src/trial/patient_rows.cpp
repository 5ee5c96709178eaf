#include "trial/patient_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/append_number.hpp"
#include "base/csv_field.hpp"

namespace trialwright::trial {
namespace {

// Places in TrialPlan::estimands that are none.
constexpr int k_absent = -1;
constexpr int k_merit_mean = -2;

// Site and region have columns of their own.
bool is_place(const patient::FactorInfo& factor) {
  return factor.name == "site" || factor.name == "region";
}

std::vector<std::string> as_fields(std::vector<std::string> texts) {
  for (auto& text : texts) text = base::csv_field(text);
  return texts;
}

void append_week(std::string& out, double weeks) {
  out += ',';
  if (weeks != patient::k_never) base::append_fixed(out, weeks, 3);
}

}  // namespace

PatientRows::PatientRows(const TrialPlan& plan, const std::vector<std::string>& estimands,
                         RowColumns columns)
    : plan_(plan), columns_(columns), tiers_(as_fields(plan.model->rescue_tiers())) {
  for (const auto& arm : plan.model->arms())
    arms_.push_back(fmt::format(",{},{}", base::csv_field(arm.name), arm.dose_cells_per_kg));
  const auto& factors = plan.model->factors();
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (factors[i].name == "region") regions_ = as_fields(factors[i].levels);
    if (!is_place(factors[i])) factors_.push_back({i, as_fields(factors[i].levels)});
  }
  const auto names = estimand_names(plan);
  for (const auto& name : estimands) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      estimands_.push_back(k_absent);
    else if (static_cast<std::size_t>(found - names.begin()) == plan.estimands.size())
      estimands_.push_back(k_merit_mean);
    else
      estimands_.push_back(static_cast<int>(found - names.begin()));
  }
}

std::string PatientRows::columns(const patient::PatientModel& model,
                                 const std::vector<std::string>& estimands, RowColumns which) {
  std::string columns = "patient,site,region,randomised_months,arm,dose_cells_per_kg";
  for (const auto& name : model.covariates()) columns += ",baseline_" + name;
  for (const auto& factor : model.factors())
    if (!is_place(factor)) columns += fmt::format(",{}", base::csv_field(factor.name));
  columns += ",rescue_week,rescue_tier,discontinuation_week,dropout_week";
  for (const auto& name : estimands) columns += fmt::format(",{}", base::csv_field(name));
  if (which == RowColumns::of_staged_designs) columns += ",known_at_look";
  return columns;
}

void PatientRows::append(const Workspace& workspace, std::size_t i_patient, std::string& out) const {
  const auto& cohort = workspace.cohort;
  const std::size_t i = candidate_of(plan_, workspace, i_patient);
  base::append_integer(out, i_patient + 1);
  out += ',';
  base::append_integer(out, cohort.site[i] + 1);
  out += ',';
  out += regions_[static_cast<std::size_t>(cohort.region[i])];
  out += ',';
  base::append_fixed(out, cohort.randomised_months[i], 4);
  out += arms_[static_cast<std::size_t>(cohort.arm[i])];
  for (std::size_t c = 0; c < plan_.model->covariates().size(); ++c) {
    out += ',';
    base::append_general(out, cohort.covariates[c][i], 10);
  }
  for (const auto& [column, levels] : factors_) {
    out += ',';
    out += levels[static_cast<std::size_t>(cohort.strata[column][i])];
  }
  append_week(out, cohort.rescue_weeks[i]);
  out += ',';
  if (cohort.rescue_tier[i] >= 0) out += tiers_[static_cast<std::size_t>(cohort.rescue_tier[i])];
  append_week(out, cohort.discontinuation_weeks[i]);
  append_week(out, cohort.dropout_weeks[i]);
  for (const int i_estimand : estimands_) {
    out += ',';
    if (i_estimand == k_merit_mean) {
      const double value = workspace.staged.merit_values[i];
      if (!std::isnan(value)) base::append_general(out, value, 10);
    }
    if (i_estimand < 0) continue;
    const int value = workspace.values[static_cast<std::size_t>(i_estimand)][i];
    if (value >= 0) base::append_integer(out, value);
  }
  if (columns_ == RowColumns::of_staged_designs) {
    out += ',';
    if (plan_.staged && workspace.staged.known_at[i_patient] != k_never_known)
      base::append_integer(out, workspace.staged.known_at[i_patient] + 1);
  }
  out += '\n';
}

std::size_t n_randomised(const TrialPlan& plan, const Workspace& workspace) {
  return plan.staged ? workspace.staged.patients.size() : static_cast<std::size_t>(plan.n_patients);
}

std::size_t candidate_of(const TrialPlan& plan, const Workspace& workspace, std::size_t i_patient) {
  return plan.staged ? static_cast<std::size_t>(workspace.staged.patients[i_patient]) : i_patient;
}

std::vector<std::string> estimand_names(const TrialPlan& plan) {
  std::vector<std::string> names;
  for (const auto& estimand : plan.estimands) names.push_back(estimand.name());
  if (plan.merit_mean) names.push_back(plan.merit_mean->name());
  return names;
}

}  // namespace trialwright::trial
