// The course of the driving measure as a study file states it: the ratio's laws by arm,
// how fast they are reached, the correlation between visits, and what shifts them by site,
// region, stratum, baseline and calendar.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "input/reader.hpp"
#include "patient/arms.hpp"
#include "patient/grid.hpp"
#include "patient/population.hpp"
#include "patient/ratio_law.hpp"
#include "patient/recruitment.hpp"
#include "patient/visit_correlation.hpp"

namespace trialwright::patient {

enum class CourseModel { kumaraswamy, responder_mixture };

std::span<const base::Named<CourseModel>> course_model_table();

// Log odds added to the ratio's law, positive = more response. `effect` terms act on active arms only
// and in proportion to the scenario's effect, so that an effect of 0 is exactly null.
struct SiteEffects {
  double intercept_sd = 0;
  double effect_sd = 0;
  // A site that is "high placebo": the control's log odds rise by h = ln(odds ratio), the active arms'
  // by (1 - effect) h, of effect held in [0, 1], so that from the full effect on they do not rise;
  // but a treatment that works is no worse there than the control, so they rise by at least h - ln(OR),
  // its odds ratio at the reference ratio. More effect then never means a smaller difference.
  double high_placebo_probability = 0;
  double high_placebo_log_odds = 0;
};
struct RegionEffects {
  double intercept_sd = 0;
  double effect_sd = 0;
  std::vector<double> intercept;  // by region
  std::vector<double> effect;
};
struct StratumEffects {
  int factor = 0;                 // index into Population::strata()
  std::vector<double> intercept;  // by level
  std::vector<double> effect;
};

struct CourseEffects {
  std::optional<SiteEffects> site;
  std::optional<RegionEffects> region;
  std::vector<StratumEffects> strata;
  double baseline = 0;  // log odds a standard deviation of the baseline covariate's latent normal
  // Log odds a year, of every arm alike: a patient randomised t years after the first possible date
  // (Recruitment::first_possible_month) has t times it more.
  double calendar_drift = 0;

  bool any() const { return site || region || !strata.empty() || baseline != 0 || calendar_drift != 0; }
  bool has_effect_terms() const;
};

struct CourseSpec {
  std::string name;
  int baseline_covariate = 0;
  double minimum = 0;
  double maximum = 0;
  Grid grid;
  std::vector<double> visit_weeks;
  CourseModel model = CourseModel::kumaraswamy;
  double reached_week = 12;
  std::vector<double> tau_weeks;  // by arm
  std::vector<RatioLaw> laws;     // by arm, at reached_week and after
  VisitCorrelation correlation;
  CourseEffects effects;

  // The score of a patient: min(maximum, ratio * baseline), on the grid.
  double score(double baseline, double ratio) const {
    const double raw = ratio * baseline;
    return grid.round(raw < maximum ? raw : maximum);
  }
};

// g(week) = (1 - e^(-week / tau)) / (1 - e^(-reached / tau)), at most 1: R_week = R_reached^g.
double course_exponent(double week, double tau_weeks, double reached_week);

// Reads the measure of kind `course`.
CourseSpec read_course(const std::string& name, input::Reader& measure, const std::vector<Arm>& arms,
                       const Population& population, const Recruitment& recruitment);

}  // namespace trialwright::patient
