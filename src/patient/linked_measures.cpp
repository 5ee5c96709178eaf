#include "patient/linked_measures.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "math/elementary.hpp"
#include "math/elementary_float.hpp"
#include "rng/batch.hpp"

namespace trialwright::patient {

namespace {

constexpr std::array<base::Named<LinkKind>, 3> k_kinds{{
    {"graded", "the grade of the driving score, by a graded covariate's thresholds and noise", "",
     LinkKind::graded},
    {"proportional", "baseline times the driving ratio, with noise on the log", "",
     LinkKind::proportional},
    {"shifted", "baseline plus a change correlated with the driving ratio", "", LinkKind::shifted},
}};
constexpr std::array<base::Named<Pathway>, 2> k_pathways{{
    {"mediated", "follows the driving measure, treatment effect included", "", Pathway::mediated},
    {"null", "follows the course the patient would have had on the control: no treatment effect", "",
     Pathway::null},
}};

constexpr input::Bounds k_correlation{-1, 1, true, true, "a correlation"};

void read_scale(input::Reader& reader, LinkedMeasure& measure) {
  measure.info.minimum = reader.number("minimum", input::k_any_number);
  measure.info.maximum = reader.number("maximum", input::k_any_number);
  measure.info.grid = reader.number("grid", input::k_non_negative, 0.0);
  measure.grid = Grid(measure.info.grid);
  if (!(measure.info.minimum < measure.info.maximum))
    reader.fault("maximum", "the maximum must be larger than the minimum");
  for (const auto& [key, bound] :
       {std::pair{"minimum", measure.info.minimum}, std::pair{"maximum", measure.info.maximum}})
    if (!measure.grid.holds(bound))
      reader.fault(key, std::string("the ") + key + " is not a multiple of the grid");
}

void read_noise_shares(input::Reader& reader, LinkedMeasure& measure) {
  const double share = reader.number(
      "visit_share", {0, 1, false, false, "the visits' share of the noise's variance"}, 0.5);
  measure.patient_weight = std::sqrt(1 - share);
  measure.visit_weight = std::sqrt(share);
}

void read_graded(input::Reader& reader, const CourseSpec& course, const Population& population,
                 LinkedMeasure& measure) {
  const auto& covariate =
      population.covariates()[static_cast<std::size_t>(measure.info.baseline_covariate)];
  measure.grading = covariate.grading;
  measure.i_graded = covariate.i_graded;
  if (!covariate.grading || covariate.grading->of != course.baseline_covariate) {
    reader.fault("baseline",
                 "the baseline of a graded measure must be a covariate graded of \"" +
                     population.names()[static_cast<std::size_t>(course.baseline_covariate)] + "\"");
    return;
  }
  measure.info.maximum = static_cast<double>(covariate.grading->shifted_thresholds.size());
  measure.info.grid = 1;
  measure.info.is_grade = true;
  measure.grid = Grid(1);
}

LinkedMeasure read_measure(const std::string& name, input::Reader& reader, const CourseSpec& course,
                           const Population& population) {
  LinkedMeasure measure;
  const std::size_t n_faults = reader.faults().size();
  measure.info.name = name;
  measure.kind = reader.choice<LinkKind>("kind", k_kinds);
  reader.reference("of", {course.name}, "measure with a course of its own");
  measure.info.baseline_covariate =
      std::max(0, reader.reference("baseline", population.names(), "covariate"));
  // Of an unknown kind or without a baseline, the rest cannot be told right from wrong.
  if (reader.faults().size() > n_faults) {
    for (const auto& key : reader.keys()) reader.raw(key);
    return measure;
  }
  switch (measure.kind) {
    case LinkKind::graded:
      read_graded(reader, course, population, measure);
      break;
    case LinkKind::proportional:
      measure.noise_sd =
          reader.number("noise_sd", {0, 5, false, false, "a standard deviation of the log ratio"});
      measure.ratio_maximum = reader.number("ratio_maximum", input::k_positive, 1.5);
      read_noise_shares(reader, measure);
      read_scale(reader, measure);
      break;
    case LinkKind::shifted:
      measure.pathway = reader.choice<Pathway>("pathway", k_pathways, Pathway::mediated);
      measure.correlation = reader.number("correlation", k_correlation);
      measure.change_sd = reader.number("change_sd", input::k_positive);
      measure.noise_sd = measure.change_sd * std::sqrt(1 - measure.correlation * measure.correlation);
      read_noise_shares(reader, measure);
      read_scale(reader, measure);
      break;
  }
  return measure;
}

}  // namespace

std::span<const base::Named<LinkKind>> link_kind_table() {
  return k_kinds;
}
std::span<const base::Named<Pathway>> pathway_table() {
  return k_pathways;
}

LinkedMeasures LinkedMeasures::read(std::vector<std::pair<std::string, input::Reader>>& measures,
                                    std::size_t course_at, const CourseSpec& course,
                                    const Population& population) {
  LinkedMeasures result;
  if (population.covariates().empty()) return result;
  for (std::size_t i = 0; i < measures.size(); ++i)
    if (i != course_at)
      result.list_.push_back(read_measure(measures[i].first, measures[i].second, course, population));
  result.mix_residuals(measures, course_at);
  return result;
}

// The Cholesky factor of the residuals' correlation, from the correlations
// of changes that the file states.
void LinkedMeasures::mix_residuals(std::vector<std::pair<std::string, input::Reader>>& measures,
                                   std::size_t course_at) {
  std::vector<std::string> names;
  for (const auto& measure : list_)
    names.push_back(measure.kind == LinkKind::shifted ? measure.info.name : "");
  const std::size_t n = list_.size();
  std::vector<std::vector<double>> matrix(n, std::vector<double>(n, 0.0));
  for (std::size_t i = 0; i < n; ++i) {
    matrix[i][i] = 1;
    if (list_[i].kind != LinkKind::shifted) continue;
    auto& reader = measures[i < course_at ? i : i + 1].second;
    const auto values = reader.number_by_name("change_correlation", names, "measure of kind shifted",
                                              k_correlation, false);
    for (std::size_t k = 0; k < values.size(); ++k) {
      if (!values[k]) continue;
      const auto &a = list_[i], &b = list_[k];
      if (k == i || (matrix[i][k] != 0 && k < i)) {
        reader.fault("change_correlation", "the correlation of the changes of \"" + a.info.name +
                                               "\" and \"" + b.info.name + "\" is " +
                                               (k == i ? "1 by definition" : "given twice"));
        continue;
      }
      const double residual =
          (*values[k] - a.correlation * b.correlation) /
          std::sqrt((1 - a.correlation * a.correlation) * (1 - b.correlation * b.correlation));
      // Both parts of the noise share one mixing, so different visit shares weaken what it gives.
      const double kept = a.patient_weight * b.patient_weight + a.visit_weight * b.visit_weight;
      matrix[i][k] = matrix[k][i] = residual / kept;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    auto& mixing = list_[i].mixing;
    mixing.assign(i + 1, 0.0);
    double rest = 1;
    for (std::size_t j = 0; j < i; ++j) {
      double sum = matrix[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= mixing[k] * list_[j].mixing[k];
      mixing[j] = sum / list_[j].mixing[j];
      rest -= mixing[j] * mixing[j];
    }
    if (!(rest > 1e-9)) {
      measures[i < course_at ? i : i + 1].second.fault(
          "change_correlation",
          "the correlations of changes are not possible together with those with \"" +
              measures[course_at].first + "\" (their matrix is not positive definite)");
      rest = 1;
    }
    mixing[i] = std::sqrt(rest);
  }
}

bool LinkedMeasures::has_null_pathway() const {
  return std::any_of(list_.begin(), list_.end(),
                     [](const auto& m) { return m.pathway == Pathway::null; });
}

namespace {

// Within the measure's bounds and on its grid; by the usual grids in loops without a branch.
void put_on_scale(const LinkedMeasure& measure, std::span<double> values) {
  const double minimum = measure.info.minimum, maximum = measure.info.maximum;
  for (double& value : values) value = std::min(std::max(value, minimum), maximum);
  const double per_unit = measure.grid.per_unit();
  if (per_unit == 0) {
    for (double& value : values) value = measure.grid.round(value);
    return;
  }
  constexpr double k_shift = 0x1.8p52;
  for (double& value : values) value = (value * per_unit + k_shift) - k_shift;
  if (per_unit == 1) return;
  for (double& value : values) value /= per_unit;
}

}  // namespace

// patient_weight P + visit_weight V of every patient, of unit variance.
std::span<const float> LinkedMeasures::noise(rng::Key key, std::uint64_t trial, std::size_t i_link,
                                             const VisitInput& in, Cohort& cohort,
                                             std::size_t first_column, std::size_t n) const {
  const LinkedMeasure& measure = list_[i_link];
  const auto sum = cohort.scratch.floats[first_column].first(n);
  const auto normals = cohort.scratch.floats[first_column + 1].first(n);
  const auto words = cohort.scratch.words[0].first(n);
  std::fill(sum.begin(), sum.end(), 0.0f);
  const auto add = [&](std::size_t source, std::size_t draw_of_source, double weight) {
    if (weight == 0) return;
    const auto draw = static_cast<std::uint32_t>(64 * (source + 1) + draw_of_source);
    rng::WordColumns columns{};
    columns[draw % 4] = words.data();
    rng::fill_words({key, rng::Purpose::linked_measure, trial, static_cast<std::uint32_t>(in.first)},
                    draw / 4, n, columns);
    rng::normals_of_words(words, normals);
    const auto single = static_cast<float>(weight);
    for (std::size_t i = 0; i < n; ++i) sum[i] += single * normals[i];
  };
  for (std::size_t source = 0; source <= i_link; ++source) {
    add(source, 0, measure.patient_weight * measure.mixing[source]);
    add(source, 1 + in.visit, measure.visit_weight * measure.mixing[source]);
  }
  return sum;
}

void LinkedMeasures::fill(rng::Key key, std::uint64_t trial, std::size_t i_link, const VisitInput& in,
                          Cohort& cohort, std::size_t first_column, std::span<double> out) const {
  const LinkedMeasure& measure = list_[i_link];
  const std::size_t n = out.size();
  const auto baseline =
      cohort.covariates[static_cast<std::size_t>(measure.info.baseline_covariate)].subspan(in.first, n);
  switch (measure.kind) {
    case LinkKind::graded: {
      const auto factor =
          cohort.graded_factors[static_cast<std::size_t>(measure.i_graded)].subspan(in.first, n);
      for (std::size_t i = 0; i < n; ++i)
        out[i] = measure.grading->grade(in.driving_score[i], factor[i]);
      break;
    }
    case LinkKind::proportional: {
      const auto noises = noise(key, trial, i_link, in, cohort, first_column, n);
      const auto sd = static_cast<float>(measure.noise_sd);
      for (std::size_t i = 0; i < n; ++i) {
        const double ratio = in.observed_ratio[i] * math::exp_float(sd * noises[i]);
        out[i] = baseline[i] * std::min(ratio, measure.ratio_maximum);
      }
      put_on_scale(measure, out);
      break;
    }
    case LinkKind::shifted: {
      const auto noises = noise(key, trial, i_link, in, cohort, first_column, n);
      const auto ratio = measure.pathway == Pathway::null ? in.control_ratio : in.observed_ratio;
      const double slope = measure.correlation * measure.change_sd / in.ratio_sd;
      for (std::size_t i = 0; i < n; ++i)
        out[i] = baseline[i] + slope * (ratio[i] - 1) + measure.noise_sd * noises[i];
      put_on_scale(measure, out);
      break;
    }
  }
}

}  // namespace trialwright::patient
