// The joint law of responses and strata, summed over the driving covariate and what is read off it.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "math/cubic_table.hpp"
#include "patient/course_truth.hpp"
#include "patient/patient_model.hpp"
#include "patient/patient_spec.hpp"

namespace trialwright::patient {

// Sums the joint law over the places of the driving covariate and the grades of it that matter.
class ResponseSum {
 public:
  ResponseSum(const PatientSpec& spec, const CourseTruth& truth, std::size_t arm,
              std::span<const ResponseCondition> conditions, std::span<const int> factors)
      : spec_(spec),
        truth_(truth),
        arm_(arm),
        conditions_(conditions),
        factors_(factors),
        driving_(static_cast<std::size_t>(spec.course.baseline_covariate)) {}

  ResponseLaw run();

 private:
  // Where a patient stands at baseline: a value of the driving covariate and its latent normal.
  struct Place {
    double baseline = 0;
    double normal = 0;
    double weight = 0;
  };
  // What of a patient is read beside the score: grades of the driving covariate.
  struct Grade {
    std::size_t covariate = 0;
    std::vector<double> probabilities;  // at the place at hand, ineligible ones 0
    std::size_t at = 0;
  };

  // A factor on the score, and the probability of a smaller one.
  struct Cut {
    double factor = 0;
    double below = 0;
    bool operator<(const Cut& other) const { return factor < other.factor; }
  };
  // The grades of the driving covariate that a graded measure shares its noise with, at the noise
  // at hand.
  struct Noise {
    std::size_t covariate = 0;
    const Grading* grading = nullptr;
    int grade = 0;  // at baseline
    double factor = 1;
    std::vector<Cut> cuts;  // where a score of the grid meets a threshold, ascending
  };

  static std::vector<Place> places(const Marginal& marginal, double baseline_effect);
  std::string why_not() const;
  std::string why_no_course() const;
  std::string why_no_baseline() const;
  bool is_known(int covariate) const;
  bool is_graded(const ResponseCondition& condition) const;
  std::size_t graded_of(const ResponseCondition& condition) const {
    const auto& measure = spec_.linked.list()[static_cast<std::size_t>(condition.measure) - 1];
    return static_cast<std::size_t>(measure.info.baseline_covariate);
  }
  bool is_eligible(int covariate, double value) const;
  void read_course();
  void find_noise();
  Cut cut_at(int grade, double score) const;
  void find_grades();
  void set_grades(const Place& place);
  bool next_grades();
  double value_of(std::size_t covariate, const Place& place) const;
  std::size_t level(std::size_t factor, const Place& place) const;
  double score_log_odds(const ResponseCondition& condition, double baseline) const;
  static int highest_grade(const ResponseCondition& condition, int baseline);
  double grade_log_odds(const ResponseCondition& condition, double baseline) const;
  double log_odds_of(double most, double baseline) const;
  void tabulate_log_odds();
  double shift(const Place& place) const;
  void add_patterns(std::size_t stratum, double weight, double shift);
  void set_bounds(double baseline);
  void add_place(const Place& place);
  void add_noisy_place(const Place& place);

  const PatientSpec& spec_;
  const CourseTruth& truth_;
  std::size_t arm_;
  std::span<const ResponseCondition> conditions_;
  std::span<const int> factors_;
  std::size_t driving_;
  double arm_shift_ = 0, effect_scale_ = 0, exponent_ = 1;
  std::vector<Grade> grades_;
  std::optional<Noise> noisy_;
  // Where grades ask for the law at hundreds of scores a place: its log odds over the logarithm of the
  // ratio, and the logarithms of the grid's boundaries and of the baseline at hand.
  std::optional<math::CubicTable> log_odds_;
  std::vector<double> log_boundaries_;
  double log_baseline_ = 0;
  // Log odds of the score's bound, and the condition: of the driving score, and of all.
  std::vector<std::pair<double, std::size_t>> score_bounds_, bounds_;
  std::vector<double> sums_;
};

}  // namespace trialwright::patient
