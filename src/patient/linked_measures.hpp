// Measures that follow the driving one: grades of it, areas in proportion to it,
// and scores that shift with it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "input/reader.hpp"
#include "patient/cohort.hpp"
#include "patient/course.hpp"
#include "patient/patient_model.hpp"
#include "patient/population.hpp"

namespace trialwright::patient {

enum class LinkKind { graded, proportional, shifted };
// mediated: by the observed ratio; null: by the ratio the patient would have had on the control, with
// the same rescue, so that treatment has no effect on the measure.
enum class Pathway { mediated, null };

std::span<const base::Named<LinkKind>> link_kind_table();
std::span<const base::Named<Pathway>> pathway_table();

struct LinkedMeasure {
  MeasureInfo info;
  Grid grid;
  LinkKind kind = LinkKind::graded;
  Pathway pathway = Pathway::mediated;
  double ratio_maximum = 1.5;  // proportional
  double noise_sd = 0;         // proportional: of the log; shifted: of the score
  double patient_weight = 1;   // of the patient's and the visit's normal in the noise; squares sum to 1
  double visit_weight = 0;
  double correlation = 0;  // shifted: of the change with the driving ratio
  double change_sd = 0;
  std::vector<double> mixing;      // shifted: weights of the normals of measures 1 .. this one
  std::optional<Grading> grading;  // graded
  int i_graded = -1;
};

// What the measures after the driving one are, at a visit:
//   graded        the covariate's grade of the driving score, with the patient's own noise
//   proportional  baseline * min(ratio_maximum, R exp(noise)), noise ~ N(0, noise_sd) with visit_share
//                 of its variance anew at each visit; within [minimum, maximum], on the grid
//   shifted       baseline + kappa (R - 1) + noise, kappa = correlation * change_sd / SD(R of the
//                 control's law), noise's SD = change_sd sqrt(1 - correlation^2), its correlation with
//                 another shifted measure (rho_12 - rho_1 rho_2) / sqrt((1 - rho_1^2)(1 - rho_2^2)),
//                 rho_12 = change_correlation
// Draws of (linked_measure, patient): 64 m for the patient's part, 64 m + 1 + j for
// visit j's, m the measure.
class LinkedMeasures {
 public:
  // Reads every measure but the course, which stands at `course_at`; the first of the list is
  // measure 1.
  static LinkedMeasures read(std::vector<std::pair<std::string, input::Reader>>& measures,
                             std::size_t course_at, const CourseSpec& course,
                             const Population& population);

  const std::vector<LinkedMeasure>& list() const { return list_; }
  bool has_null_pathway() const;

  struct VisitInput {
    std::size_t visit = 0;
    std::size_t first = 0;                  // of the patients that are filled, as many as `out` holds
    std::span<const double> driving_score;  // observed, on its grid
    std::span<const float> observed_ratio;
    std::span<const float> control_ratio;  // with rescue; empty where no measure has the null pathway
    double ratio_sd = 1;                   // of the control's law
  };
  // Fills measure 1 + i_link at a visit into `out`. Works in k_columns of the scratch's floats from
  // first_column on and in the first of its words.
  void fill(rng::Key key, std::uint64_t trial, std::size_t i_link, const VisitInput& in, Cohort& cohort,
            std::size_t first_column, std::span<double> out) const;
  static constexpr std::size_t k_columns = 2;

 private:
  void mix_residuals(std::vector<std::pair<std::string, input::Reader>>& measures,
                     std::size_t course_at);
  std::span<const float> noise(rng::Key key, std::uint64_t trial, std::size_t i_link,
                               const VisitInput& in, Cohort& cohort, std::size_t first_column,
                               std::size_t n) const;

  std::vector<LinkedMeasure> list_;
};

}  // namespace trialwright::patient
