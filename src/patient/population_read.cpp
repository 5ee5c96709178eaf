#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "patient/population.hpp"

namespace trialwright::patient {

namespace {

// Nothing: a grade of another covariate.
using CovariateKind = std::optional<Distribution>;

constexpr std::array<base::Named<CovariateKind>, 5> k_distributions{{
    {"normal", "normal: mean, sd", "", Distribution::normal},
    {"lognormal", "lognormal: median, log_sd", "", Distribution::lognormal},
    {"shifted_gamma", "shift + Gamma(shape, scale)", "", Distribution::shifted_gamma},
    {"uniform", "uniform between minimum and maximum", "", Distribution::uniform},
    {"graded", "a grade: how many thresholds another covariate exceeds on the log scale, with noise",
     "Silverberg 2021, Br J Dermatol (IGA against EASI)", std::nullopt},
}};

// The lower triangle L with L L' = matrix; the first row of no variance above `least` of its own, or
// the number of rows where there is none.
std::size_t factorise(const std::vector<std::vector<double>>& matrix, double least,
                      std::vector<std::vector<double>>& lower) {
  constexpr double k_smallest = 1e-15;
  lower.assign(matrix.size(), {});
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    lower[i].assign(i + 1, 0.0);
    double rest = 1;
    for (std::size_t j = 0; j < i; ++j) {
      double sum = matrix[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= lower[i][k] * lower[j][k];
      lower[i][j] = sum / lower[j][j];
      rest -= lower[i][j] * lower[i][j];
    }
    if (least > 0 && !(rest > least)) return i;
    lower[i][i] = std::sqrt(std::max(rest, k_smallest));
  }
  return matrix.size();
}

std::string joined(const std::set<std::pair<std::string, std::string>>& pairs) {
  std::string text;
  for (const auto& [a, b] : pairs) text += (text.empty() ? "" : ", ") + a + "-" + b;
  return text;
}

std::string printed(double x) {
  std::string text = std::to_string(x);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::vector<std::string> level_names(const std::string& of, const std::vector<double>& cuts) {
  std::vector<std::string> levels{of + " < " + printed(cuts.front())};
  for (std::size_t i = 1; i < cuts.size(); ++i)
    levels.push_back(printed(cuts[i - 1]) + " <= " + of + " < " + printed(cuts[i]));
  levels.push_back(of + " >= " + printed(cuts.back()));
  return levels;
}

// Names of the levels, which stay where the cuts are swept; `of_cuts` where none are given.
std::vector<std::string> read_levels(input::Reader& reader, std::vector<std::string> of_cuts) {
  if (!reader.has("levels")) return of_cuts;
  auto levels = reader.texts("levels", of_cuts);
  const std::set<std::string> distinct(levels.begin(), levels.end());
  if (levels.size() == of_cuts.size() && distinct.size() == levels.size()) return levels;
  reader.fault("levels", "the cuts make " + std::to_string(of_cuts.size()) +
                             " levels (each needs a name of its own, from the lowest up)");
  return of_cuts;
}

bool increases(const std::vector<double>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
}

Grading read_grading(input::Reader& reader, const std::vector<std::string>& continuous_names) {
  Grading grading;
  grading.of = reader.reference("of", continuous_names, "covariate that is not itself graded");
  grading.offset = reader.number("offset", input::k_non_negative, 0.0);
  grading.noise_sd = reader.number("noise_sd", input::k_non_negative, 0.0);
  const auto thresholds = reader.numbers("thresholds", input::k_any_number);
  if (thresholds.empty() || !increases(thresholds) || thresholds.front() + grading.offset <= 0)
    reader.fault("thresholds",
                 "the thresholds must increase, and the first plus the offset be positive");
  for (const double threshold : thresholds)
    grading.shifted_thresholds.push_back(threshold + grading.offset);
  return grading;
}

}  // namespace

std::span<const base::Named<std::optional<Distribution>>> distribution_table() {
  return k_distributions;
}

bool Population::is_certain(const Eligibility& rule) const {
  const auto& covariate = covariates_[static_cast<std::size_t>(rule.covariate)];
  if (covariate.grading) {
    const auto n_grades = static_cast<double>(covariate.grading->shifted_thresholds.size());
    return rule.minimum <= 0 && rule.maximum >= n_grades;
  }
  return rule.minimum <= covariate.marginal.lowest() && rule.maximum >= covariate.marginal.highest();
}

void Population::read_covariates(input::Reader& section) {
  auto entries = section.named("covariates");
  if (entries.empty())
    section.fault("covariates", "at least one covariate is needed (the course's baseline)");
  // Grades refer to the continuous covariates by name, wherever those stand.
  std::vector<CovariateKind> kinds;
  std::vector<std::string> continuous_names;
  std::vector<int> continuous;
  for (auto& [name, reader] : entries) {
    kinds.push_back(reader.choice<CovariateKind>("distribution", k_distributions));
    if (name == "region" || name == "site")
      reader.fault("", "a covariate cannot be called \"" + name + "\" (every patient has one already)");
    if (kinds.back()) {
      continuous_names.push_back(name);
      continuous.push_back(static_cast<int>(names_.size()));
    }
    names_.push_back(name);
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto& reader = entries[i].second;
    Covariate covariate;
    covariate.name = names_[i];
    if (kinds[i]) {
      const std::size_t faults_before = reader.faults().size();
      const auto spec = read_marginal(reader, *kinds[i]);
      latent_.push_back(static_cast<int>(i));
      Marginal marginal =
          reader.faults().size() == faults_before ? Marginal(spec) : Marginal(MarginalSpec{});
      if (!(marginal.mass() > 1e-6))
        reader.fault("minimum",
                     "hardly any of the distribution lies between the bounds (below 1 in a million)");
      covariate.marginal = std::move(marginal);
    } else {
      Grading grading = read_grading(reader, continuous_names);
      grading.of = grading.of < 0 ? 0 : continuous[static_cast<std::size_t>(grading.of)];
      covariate.grading = std::move(grading);
    }
    covariates_.push_back(std::move(covariate));
  }
  if (covariates_.size() > k_draws_per_attempt)
    section.fault("covariates",
                  "there are more than " + std::to_string(k_draws_per_attempt) + " covariates");
}

Population::Matrix Population::read_correlation(input::Reader& section) const {
  const std::size_t n = latent_.size();
  Matrix matrix(n, std::vector<double>(n, 0.0));
  for (std::size_t i = 0; i < n; ++i) matrix[i][i] = 1;
  std::vector<std::string> names;
  for (const int i : latent_) names.push_back(names_[static_cast<std::size_t>(i)]);
  std::set<std::pair<std::string, std::string>> pairs;
  if (auto optional = section.optional_map("correlation")) {
    auto& reader = *optional;
    for (const auto& name : reader.keys()) {
      const auto row = std::find(names.begin(), names.end(), name) - names.begin();
      if (row == static_cast<std::ptrdiff_t>(n)) {
        reader.raw(name);
        const auto near = base::closest(name, names);
        reader.fault(name, "\"" + name + "\" is not a covariate that can be correlated",
                     near.empty() ? "" : "did you mean \"" + near + "\"?");
        continue;
      }
      const auto values =
          reader.number_by_name(name, names, "covariate", {-1, 1, true, true, "a correlation"});
      for (std::size_t column = 0; column < n; ++column) {
        if (!values[column]) continue;
        const auto i = static_cast<std::size_t>(row);
        if (i == column || pairs.contains({names[column], name})) {
          reader.fault(name, "the correlation of \"" + name + "\" and \"" + names[column] + "\" is " +
                                 (i == column ? "1 by definition" : "given twice"));
          continue;
        }
        pairs.insert({name, names[column]});
        matrix[i][column] = matrix[column][i] = *values[column];
      }
    }
  }
  Matrix lower;
  if (const std::size_t i = factorise(matrix, 1e-9, lower); i < n) {
    std::set<std::pair<std::string, std::string>> offending;
    for (const auto& pair : pairs) {
      const auto place = [&](const std::string& name) {
        return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
      };
      if (place(pair.first) <= i && place(pair.second) <= i) offending.insert(pair);
    }
    section.fault(
        "correlation",
        "the correlation matrix is not positive definite (these pairs contradict each other: " +
            joined(offending) + ")",
        "bring the correlations of \"" + names[i] + "\" nearer to 0");
  }
  return matrix;
}

// Slots by what a trial reads in any case: the covariates that eligibility
// or strata name, with those graded; then the others; each in the study's order.
void Population::assign_slots(const Matrix& correlation, const std::set<int>& named) {
  const auto is_first = [&](int i) {
    return std::any_of(named.begin(), named.end(), [&](int name) {
      const auto& grading = covariates_[static_cast<std::size_t>(name)].grading;
      return name == i || (grading && grading->of == i);
    });
  };
  std::vector<int> order(covariates_.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_partition(order.begin(), order.end(), is_first);
  const std::vector<int> as_written = std::exchange(latent_, {});
  for (std::size_t slot = 0; slot < order.size(); ++slot) {
    auto& covariate = covariates_[static_cast<std::size_t>(order[slot])];
    covariate.slot = static_cast<int>(slot);
    auto& kind = covariate.grading ? graded_ : latent_;
    (covariate.grading ? covariate.i_graded : covariate.i_latent) = static_cast<int>(kind.size());
    kind.push_back(order[slot]);
  }
  Matrix ordered, lower;
  for (const int row : latent_) {
    const auto place = [&](int i) {
      return static_cast<std::size_t>(std::find(as_written.begin(), as_written.end(), i) -
                                      as_written.begin());
    };
    auto& values = ordered.emplace_back();
    for (const int column : latent_) values.push_back(correlation[place(row)][place(column)]);
  }
  // What is positive definite in one order is so in the other, but for rounding.
  factorise(ordered, 0, lower);
  for (const auto& row : lower) cholesky_.emplace_back(row.begin(), row.end());
}

void Population::read_eligibility(input::Reader& section, std::set<int>& named) {
  if (!section.has("eligibility")) return void(section.raw("eligibility"));
  for (auto& [name, reader] : section.named("eligibility")) {
    constexpr double k_infinity = std::numeric_limits<double>::infinity();
    Eligibility rule;
    rule.minimum = reader.optional_number("minimum", input::k_any_number).value_or(-k_infinity);
    rule.maximum = reader.optional_number("maximum", input::k_any_number).value_or(k_infinity);
    rule.covariate = index_of(name);
    if (rule.covariate < 0) {
      const auto near = base::closest(name, names_);
      reader.fault("", "\"" + name + "\" is not a covariate",
                   near.empty() ? "" : "did you mean \"" + near + "\"?");
      continue;
    }
    if (rule.minimum > rule.maximum) reader.fault("maximum", "the maximum is below the minimum");
    named.insert(rule.covariate);
    if (!is_certain(rule)) eligibility_.push_back(rule);
  }
}

// `{test_of: biomarker, sensitivity: 0.8, specificity: 0.8}`: a factor written before, seen with error.
void Population::read_test_of(const std::vector<std::string>& written, input::Reader& reader,
                              Stratum& stratum) {
  const int of = reader.reference("test_of", written, "factor written before this one");
  constexpr input::Bounds k_accuracy{0, 1, true, false, "a probability"};
  stratum.test =
      TestAccuracy{reader.number("sensitivity", k_accuracy), reader.number("specificity", k_accuracy)};
  stratum.levels = {stratum.name + " negative", stratum.name + " positive"};
  stratum.covariate = 0;
  stratum.cuts = {0};
  if (of < 0) return;
  const Stratum& tested = strata_[static_cast<std::size_t>(of)];
  if (tested.covariate < 0 || tested.levels.size() != 2 || tested.test) {
    reader.fault("test_of", "\"" + tested.name +
                                "\" cannot be tested (a factor of two levels of a covariate can)");
    return;
  }
  stratum.covariate = tested.covariate;
  stratum.cuts = tested.cuts;
}

void Population::read_strata(input::Reader& section, const std::vector<std::string>& regions) {
  if (!section.has("strata")) return void(section.raw("strata"));
  auto choices = names_;
  choices.push_back("region");
  for (auto& [name, reader] : section.named("strata")) {
    Stratum stratum;
    stratum.name = name;
    if (name == "region" || name == "site")
      reader.fault("", "a factor \"" + name + "\" is always there",
                   "leave it out, or give it another name");
    if (reader.has("test_of")) {
      std::vector<std::string> written;
      for (const auto& before : strata_) written.push_back(before.name);
      read_test_of(written, reader, stratum);
      strata_.push_back(std::move(stratum));
      continue;
    }
    const int of = reader.reference("of", choices, "covariate");
    if (of == static_cast<int>(names_.size())) {
      stratum.levels = regions;
    } else {
      stratum.covariate = of < 0 ? 0 : of;
      stratum.cuts = reader.numbers("cuts", input::k_any_number);
      if (stratum.cuts.empty() || !increases(stratum.cuts)) {
        reader.fault("cuts", "the cuts must be one or more numbers that increase");
        stratum.cuts = {0};
      }
      stratum.levels = read_levels(
          reader, level_names(choices[static_cast<std::size_t>(stratum.covariate)], stratum.cuts));
    }
    strata_.push_back(std::move(stratum));
  }
}

Population Population::read(input::Reader& study, const std::vector<std::string>& regions) {
  auto section = study.map("population");
  const std::size_t faults_before = section.faults().size();
  Population population;
  population.read_covariates(section);
  const Matrix correlation = population.read_correlation(section);
  std::set<int> named;
  population.read_eligibility(section, named);
  population.read_strata(section, regions);
  for (const auto& stratum : population.strata_)
    if (stratum.covariate >= 0) named.insert(stratum.covariate);
  if (section.faults().size() > faults_before || population.covariates_.empty()) return population;
  population.assign_slots(correlation, named);
  population.tabulate_grades();
  population.check_with_pilot(section);
  return population;
}

}  // namespace trialwright::patient
