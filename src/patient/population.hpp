// Who enters the trial: baseline covariates joined by a Gaussian copula, eligibility, and strata.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "input/reader.hpp"
#include "patient/cohort.hpp"
#include "patient/marginal.hpp"
#include "rng/stream.hpp"

namespace trialwright::patient {

// The distributions a covariate can have; nothing stands for a grade of another covariate.
std::span<const base::Named<std::optional<Distribution>>> distribution_table();

// A grade read off another covariate x: the number of thresholds t with
// ln(x + offset) + noise > ln(t + offset), noise ~ Normal(0, noise_sd) fixed for a patient
// (DOMAIN section 2, IGA map). Evaluated as (x + offset) exp(noise) > t + offset.
struct Grading {
  int of = -1;  // covariate
  double offset = 0;
  double noise_sd = 0;
  std::vector<double> shifted_thresholds;  // t + offset, increasing

  int grade(double x, double factor) const {
    const double y = (x + offset) * factor;
    int n = 0;
    for (const double threshold : shifted_thresholds) n += y > threshold ? 1 : 0;
    return n;
  }
  // exp(noise) by a word of the stream, and the grade with it.
  double factor_of_word(std::uint32_t word) const;
  int grade_of_word(double x, std::uint32_t word) const { return grade(x, factor_of_word(word)); }
  // P(minimum <= grade <= maximum | x).
  double probability(double x, double minimum, double maximum) const;
};

struct Covariate {
  std::string name;
  Marginal marginal;  // where not graded
  std::optional<Grading> grading;
  GradeTable grades;  // of the points of the covariate graded; empty where that is not tabulated
  int slot = 0;       // its normal is draw 32 k + slot of attempt k
  int i_latent = -1;  // among the covariates that are not graded, in the order of the slots
  int i_graded = -1;  // among the graded covariates
};

struct Eligibility {
  int covariate = 0;
  double minimum = 0;
  double maximum = 0;
};

// How often a test of a factor of two levels tells the truth (Altman & Bland 1994, BMJ 308:1552).
struct TestAccuracy {
  double sensitivity = 1;  // P(positive | the factor's upper level)
  double specificity = 1;  // P(negative | its lower one)
};

// A stratification factor: levels of a covariate cut at `cuts` (level = number of cuts <= value), or
// the region (covariate -1); or what a test says of another such factor.
struct Stratum {
  std::string name;
  int covariate = -1;
  std::vector<double> cuts;
  std::vector<std::string> levels;
  // Of a test: covariate and cuts are those of the factor that is tested, whose two levels are seen
  // with error. Draw k of the patient's (Purpose::factor_test), k the factor's number.
  std::optional<TestAccuracy> test{};
};

// Which covariates a plan reads; index as Population::covariates().
using CovariateMask = std::bitset<32>;

class Population {
 public:
  static constexpr int k_draws_per_attempt = 32;

  // Reads the section `population`. Faults: unknown names, a correlation matrix that is not positive
  // definite, eligibility that fewer than 1 candidate in 1000 meets and strata that no patient can be
  // in (both judged on a pilot of fixed seed).
  static Population read(input::Reader& study, const std::vector<std::string>& regions);

  const std::vector<Covariate>& covariates() const { return covariates_; }
  const std::vector<std::string>& names() const { return names_; }
  // The rules that can exclude anybody: without those that the distributions keep by themselves.
  const std::vector<Eligibility>& eligibility() const { return eligibility_; }
  const std::vector<Stratum>& strata() const { return strata_; }
  int index_of(std::string_view name) const;

  // The covariates that must be made so that those of `wanted` are right: with eligibility's, strata's
  // and those that grades are read off.
  CovariateMask closure(CovariateMask wanted) const;

  // Sizes the cohort's covariate columns and its scratch for n_patients.
  void prepare(int n_patients, Cohort& cohort) const;

  // Fills the masked covariates of every patient, eligible all; attempt k takes draws 32k .. 32k+31 of
  // (baseline, patient), those of the covariates that eligibility and strata read first, so that few
  // blocks are made. The mask holds its own closure(). `driving` is the covariate whose latent normal
  // is kept (-1: none).
  void draw(rng::Key key, std::uint64_t trial, const CovariateMask& made, int driving,
            Cohort& cohort) const;
  // Fills the cohort's graded_factors of a graded covariate that was drawn.
  void fill_graded_factors(int i_graded, Cohort& cohort) const;
  // Fills a factor's column of the strata from covariates and regions.
  void stratify(rng::Key key, std::uint64_t trial, std::size_t factor, Cohort& cohort) const;
  // The share of the eligible patients at a level of a factor, to 0.002, from a pilot of fixed seed;
  // nullopt of a factor by region.
  std::optional<double> level_share(std::size_t factor, std::size_t level) const;

 private:
  void read_covariates(input::Reader& section);
  using Matrix = std::vector<std::vector<double>>;
  Matrix read_correlation(input::Reader& section) const;
  void read_eligibility(input::Reader& section, std::set<int>& named);
  void read_strata(input::Reader& section, const std::vector<std::string>& regions);
  void read_test_of(const std::vector<std::string>& written, input::Reader& reader, Stratum& stratum);
  void apply_test(rng::Key key, std::uint64_t trial, std::size_t factor, Cohort& cohort) const;
  void check_with_pilot(input::Reader& section) const;
  bool is_certain(const Eligibility& rule) const;
  std::vector<std::size_t> pilot(int n_candidates, std::size_t& n_eligible) const;
  void assign_slots(const Matrix& correlation, const std::set<int>& named);
  void tabulate_grades();
  void draw_words(const rng::Address& patients, const CovariateMask& made, Cohort& cohort) const;
  void first_attempt(const rng::Address& patients, const CovariateMask& made, int driving,
                     Cohort& cohort) const;
  void redraw(const rng::Address& address, std::uint32_t attempt, const CovariateMask& made,
              int driving, Cohort& cohort) const;
  bool is_eligible(const Cohort& cohort, std::size_t patient) const;

  std::vector<Covariate> covariates_;
  std::vector<std::string> names_;
  std::vector<int> latent_;  // covariates that are not graded, in the order of their slots
  std::vector<int> graded_;  // covariates that are graded
  std::vector<std::vector<float>> cholesky_;  // [i_latent][k <= i_latent]
  std::vector<Eligibility> eligibility_;
  std::vector<Stratum> strata_;
};

}  // namespace trialwright::patient
