// The cohort of one trial: every patient's facts as columns, used again from trial to trial.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "base/columns.hpp"

namespace trialwright::patient {

inline constexpr double k_never = std::numeric_limits<double>::infinity();

struct AdverseEvent {
  int patient = 0;
  double week = 0;            // onset, since the patient's first infusion (randomisation)
  double recovered_week = 0;  // may lie beyond the follow-up
  std::int16_t category = 0;  // index into PatientModel::adverse_event_categories()
  std::int8_t grade = 1;      // 1 mild, 2 moderate, 3 severe, 4 life-threatening
  bool serious = false;
};

// Patients stand in the order of randomisation. Sized by PatientModel::prepare once a plan; no column
// grows during a trial except adverse_events, which keeps its capacity. Columns that no endpoint,
// process or output needs are not filled (PatientModel::follow's `Needs`).
struct Cohort {
  int n_patients = 0;

  // Filled by PatientModel::enrol.
  int n_screened = 0;             // screened until the last patient was randomised
  base::AlignedVector<int> site;  // global site number
  base::AlignedVector<int> region;
  base::AlignedVector<double> randomised_months;  // since the study's start, non-decreasing
  base::Columns<double> covariates;               // [i_covariate][patient], on each covariate's grid
  base::Columns<int> strata;  // [i_factor][patient], level of each stratification factor
  base::AlignedVector<float>
      baseline_normal;  // latent standard normal of the driving baseline covariate
  base::Columns<std::uint32_t>
      graded_words;  // [i_graded][patient], word of each graded covariate's noise
  // [i_graded][patient], exp(noise) of each graded covariate; by Population::fill_graded_factors.
  base::Columns<double> graded_factors;

  // Filled by the design.
  base::AlignedVector<int> arm;  // index into the study's arms

  // Filled by PatientModel::follow. Visits are the driving measure's, [i_visit][patient].
  base::Columns<float> unrescued_ratio;      // R_j: what the course alone would give
  base::Columns<float> observed_ratio;       // after rescue; filled only where rescue is followed
  base::Columns<double> values;              // [i_measure * n_visits + i_visit][patient], on the grid
  base::AlignedVector<double> rescue_weeks;  // k_never where none
  base::AlignedVector<int> rescue_tier;      // tier in force at the last visit; -1 none
  base::AlignedVector<double> discontinuation_weeks;  // of study treatment; k_never where none
  base::AlignedVector<double> dropout_weeks;          // leaves the study; k_never where none
  std::vector<AdverseEvent> adverse_events;           // observed before dropout, sorted by patient

  // The model's own working space, of no meaning outside its calls.
  struct Scratch {
    base::Columns<double> columns;
    base::Columns<float> floats;
    base::Columns<std::uint32_t> words;
    base::Columns<int> integers;
    base::Columns<std::int32_t> ranks;   // of latent covariates among their marginal's points
    base::AlignedVector<int> infusions;  // given to each patient
    base::AlignedVector<double> site_rates;
    base::AlignedVector<double> site_openings;
    base::AlignedVector<int> site_order;   // by opening
    base::AlignedVector<int> site_counts;  // randomised so far
    base::AlignedVector<int> region_counts;
    std::vector<std::int64_t> region_quotas;  // of the patients planned, shares rounded up
    std::vector<std::uint8_t> region_open;    // is its quota not yet full?
    int n_planned = 0;                        // patients that shares of regions are of
    base::AlignedVector<float> rate_sums;     // cumulative, in the order of opening
    base::Columns<double> site_effects;       // [intercept, effect, control-only][site]
    base::Columns<std::uint32_t> site_words;
    base::Columns<float> site_normals;
    base::Columns<float> site_shifts;  // log odds taken off, [variant][site]
  };
  Scratch scratch;
};

}  // namespace trialwright::patient
