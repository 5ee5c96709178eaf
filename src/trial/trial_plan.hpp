// The trial plan: one design under one truth, resolved and immutable;
// all a worker needs to simulate it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/binary_test.hpp"
#include "analysis/commensurate.hpp"
#include "analysis/estimate.hpp"
#include "design/allocation.hpp"
#include "design/looks.hpp"
#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "endpoint/endpoint.hpp"
#include "estimand/estimand.hpp"
#include "estimand/mean_estimand.hpp"
#include "patient/patient_model.hpp"
#include "rng/philox.hpp"
#include "trial/maintenance.hpp"

namespace trialwright::trial {

// The exact rates of both arms of an analysis, where the model has them in closed form and nothing that
// happens to a patient touches them.
struct ExactRates {
  double rate_1 = 0;
  double rate_0 = 0;
};

// The patients at one level of a factor (PatientModel::factors).
using design::Subgroup;

// Is this analysis's estimate at least `fraction` of another's, in the direction that is better? Of a
// region against all patients: ICH E17 (2017), section 2.2.7; Japanese MHLW guidance 2007, method 1.
struct Consistency {
  int i_with = 0;  // into TrialPlan::analyses
  double fraction = 0.5;
};

// One planned analysis: an active arm against the control on one estimand.
struct PlannedAnalysis {
  std::string name;
  int i_estimand = -1;      // into TrialPlan::estimands
  int arm_1 = -1;           // the active arm, index into the study's arms
  int arm_0 = -1;           // what it is compared with
  std::vector<int> strata;  // factors (PatientModel::factors) whose combinations stratify the analysis
  analysis::BinaryTest test;
  analysis::EffectMeasure effect;
  analysis::IntervalMethod interval;
  double confidence_level = 0.95;
  analysis::Estimator estimator;
  // The estimate of a published trial to be placed among the simulated ones, on the analysis scale
  // (logarithm of a ratio).
  std::optional<double> published;
  std::optional<ExactRates> exact_rates{};
  // The patients it is of, where not all: those at a level of a factor.
  std::optional<Subgroup> subgroup{};
  // Of responders randomised again, where it is an analysis of the maintenance phase; `i_estimand` is
  // then that of who responds, and `test` is not used.
  std::optional<MaintenanceComparison> maintenance{};
  std::optional<Consistency> consistency{};
  // Of a subgroup that borrows from the other patients: then these have a table too, the second of two,
  // and `test` and `estimator` (which is the subgroup's alone) do not decide.
  std::optional<analysis::Commensurate> borrowing{};
};

// Does an analysis read one table, of all the patients that it compares?
inline bool has_one_table(const PlannedAnalysis& analysis) {
  return analysis.strata.empty() && !analysis.borrowing;
}

struct TrialPlan {
  std::string design;
  std::string scenario;
  std::shared_ptr<const patient::PatientModel> model;
  std::shared_ptr<const design::Allocation> allocation;
  std::vector<int> arms;  // of this design, indices into the study's arms
  int control_arm = 0;
  int n_patients = 0;  // as planned; of staged designs the most that they may come to
  // Of a design that looks before the end; null of a fixed one. Its hypotheses are the first analyses.
  std::shared_ptr<const design::StagedDesign> staged;
  design::LookPlan looks;
  std::shared_ptr<const Maintenance> maintenance;  // of randomised withdrawal; else null
  int n_planned = 0;                               // patients at the end if no look changes it
  int n_hypotheses = 1;
  // What a look tells a design beside its hypotheses' tables, indices into `estimands`; -1: nothing.
  int merit_estimand = -1;   // arms are chosen by its rates
  int safety_estimand = -1;  // is watched in every arm
  // Arms are chosen by its means, where they are not by rates.
  std::optional<estimand::MeanEstimand> merit_mean{};
  std::vector<std::unique_ptr<const endpoint::Endpoint>> endpoints;
  std::vector<estimand::Estimand> estimands;
  std::vector<PlannedAnalysis> analyses;  // the primary one first
  patient::Needs needs;
  rng::Key key{};

  const std::optional<ExactRates>& exact_rates(const PlannedAnalysis& analysis) const {
    return analysis.exact_rates;
  }

  // Have both arms of an analysis the same rate, and in every stratum? By the exact rates,
  // to 1e-9, where there are any; else, of efficacy alone, by the scenario having no effect and,
  // where the estimand counts it, infusions stopping alike.
  bool has_common_rate(const PlannedAnalysis& analysis) const;

  // Is the analysis's null hypothesis true under this plan's truth, so that to reject it is a type I
  // error? By the exact rates where there are any; else of superiority where the rate is common.
  bool is_null(const PlannedAnalysis& analysis) const;

  // The exact probability that an analysis rejects, by enumeration; nullopt where the study does not
  // allow it, with the reason.
  struct ExactPower {
    std::optional<double> power;
    std::string why_not;
  };
  ExactPower exact_power(const PlannedAnalysis& analysis) const;
};

}  // namespace trialwright::trial
