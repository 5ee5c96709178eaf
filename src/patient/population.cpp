#include "patient/population.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "rng/batch.hpp"

namespace trialwright::patient {

double Grading::factor_of_word(std::uint32_t word) const {
  return math::exp(noise_sd * static_cast<double>(rng::normal_of_word(word)));
}

double Grading::probability(double x, double minimum, double maximum) const {
  // P(grade >= g) = P((x + offset) exp(noise) > threshold of g).
  const auto at_least = [&](double grade) {
    const double g = std::ceil(grade);
    if (g <= 0) return 1.0;
    if (g > static_cast<double>(shifted_thresholds.size())) return 0.0;
    const double threshold = shifted_thresholds[static_cast<std::size_t>(g) - 1];
    if (noise_sd == 0) return x + offset > threshold ? 1.0 : 0.0;
    return math::normal_survival(math::log(threshold / (x + offset)) / noise_sd);
  };
  return at_least(minimum) - at_least(std::floor(maximum) + 1);
}

int Population::index_of(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? -1 : static_cast<int>(found - names_.begin());
}

CovariateMask Population::closure(CovariateMask wanted) const {
  for (const auto& rule : eligibility_) wanted[static_cast<std::size_t>(rule.covariate)] = true;
  for (const auto& stratum : strata_)
    if (stratum.covariate >= 0) wanted[static_cast<std::size_t>(stratum.covariate)] = true;
  for (const int i : graded_) {
    const auto& covariate = covariates_[static_cast<std::size_t>(i)];
    if (wanted[static_cast<std::size_t>(i)])
      wanted[static_cast<std::size_t>(covariate.grading->of)] = true;
  }
  return wanted;
}

void Population::prepare(int n_patients, Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(n_patients);
  cohort.n_patients = n_patients;
  cohort.covariates.resize(n, covariates_.size());
  cohort.graded_words.resize(n, graded_.size());
  cohort.graded_factors.resize(n, graded_.size());
  cohort.baseline_normal.resize(n);
  auto& scratch = cohort.scratch;
  scratch.floats.resize(n, std::max(scratch.floats.n_columns(), latent_.size()));
  scratch.words.resize(n, std::max<std::size_t>(scratch.words.n_columns(), 4));
  scratch.ranks.resize(n, latent_.size());
}

void Population::tabulate_grades() {
  for (const int i : graded_) {
    auto& covariate = covariates_[static_cast<std::size_t>(i)];
    const auto points = covariates_[static_cast<std::size_t>(covariate.grading->of)].marginal.points();
    const std::size_t n_grades = covariate.grading->shifted_thresholds.size();
    if (points.empty()) continue;
    covariate.grades = GradeTable(points.size(), n_grades);
    for (std::size_t point = 0; point < points.size(); ++point)
      for (std::size_t grade = 0; grade < n_grades; ++grade)
        covariate.grades.set(
            point, grade,
            covariate.grading->probability(points[point], 1.0 + static_cast<double>(grade),
                                           static_cast<double>(n_grades)));
  }
}

// Words of whole Philox blocks, only of those that a covariate of the mask hangs on: a graded
// covariate's words stay, the others' become normals.
void Population::draw_words(const rng::Address& patients, const CovariateMask& made,
                            Cohort& cohort) const {
  auto& scratch = cohort.scratch;
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  std::array<std::uint32_t*, k_draws_per_attempt> columns{};
  std::array<int, k_draws_per_attempt> normal_of{};
  normal_of.fill(-1);
  for (std::size_t l = 0; l < latent_.size(); ++l) {
    if (!made[static_cast<std::size_t>(latent_[l])]) continue;
    for (std::size_t k = 0; k <= l; ++k) {
      if (cholesky_[l][k] == 0) continue;
      const auto slot =
          static_cast<std::size_t>(covariates_[static_cast<std::size_t>(latent_[k])].slot);
      columns[slot] = scratch.words[slot % 4].data();
      normal_of[slot] = static_cast<int>(k);
    }
  }
  for (std::size_t g = 0; g < graded_.size(); ++g) {
    const auto i = static_cast<std::size_t>(graded_[g]);
    if (made[i]) columns[static_cast<std::size_t>(covariates_[i].slot)] = cohort.graded_words[g].data();
  }
  for (std::size_t slot = 0; slot < k_draws_per_attempt; slot += 4) {
    const rng::WordColumns block{columns[slot], columns[slot + 1], columns[slot + 2],
                                 columns[slot + 3]};
    if (block == rng::WordColumns{}) continue;
    rng::fill_words(patients, static_cast<std::uint32_t>(slot / 4), n, block);
    for (std::size_t k = 0; k < 4; ++k)
      if (normal_of[slot + k] >= 0)
        rng::normals_of_words(scratch.words[k].first(n),
                              scratch.floats[static_cast<std::size_t>(normal_of[slot + k])].first(n));
  }
}

void Population::first_attempt(const rng::Address& patients, const CovariateMask& made, int driving,
                               Cohort& cohort) const {
  draw_words(patients, made, cohort);
  auto& scratch = cohort.scratch;
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  // From the last latent normal to the first, so that each can stand where its own draw stood.
  for (std::size_t l = latent_.size(); l-- > 0;) {
    const auto i = static_cast<std::size_t>(latent_[l]);
    if (!made[i]) continue;
    const auto z = scratch.floats[l].first(n);
    if (const float weight = cholesky_[l][l]; weight != 1)
      for (float& x : z) x *= weight;
    for (std::size_t k = 0; k < l; ++k) {
      const float weight = cholesky_[l][k];
      if (weight == 0) continue;
      const auto e = scratch.floats[k].first(n);
      for (std::size_t patient = 0; patient < n; ++patient) z[patient] += weight * e[patient];
    }
    covariates_[i].marginal.values(z, scratch.ranks[l].first(n), cohort.covariates[i].first(n));
    if (latent_[l] == driving) std::copy(z.begin(), z.end(), cohort.baseline_normal.begin());
  }
  for (std::size_t g = 0; g < graded_.size(); ++g) {
    const auto i = static_cast<std::size_t>(graded_[g]);
    if (!made[i]) continue;
    const auto words = cohort.graded_words[g].first(n);
    const auto of = static_cast<std::size_t>(covariates_[i].grading->of);
    const auto out = cohort.covariates[i].first(n);
    if (!covariates_[i].grades.empty()) {
      const auto l = static_cast<std::size_t>(covariates_[of].i_latent);
      covariates_[i].grades.find_all(scratch.ranks[l].first(n), words, out);
      continue;
    }
    const auto x = cohort.covariates[of];
    for (std::size_t patient = 0; patient < n; ++patient)
      out[patient] = covariates_[i].grading->grade_of_word(x[patient], words[patient]);
  }
}

bool Population::is_eligible(const Cohort& cohort, std::size_t patient) const {
  for (const auto& rule : eligibility_) {
    const double value = cohort.covariates[static_cast<std::size_t>(rule.covariate)][patient];
    if (!(value >= rule.minimum && value <= rule.maximum)) return false;
  }
  return true;
}

// One further attempt of one patient, with the columns' own arithmetic.
void Population::redraw(const rng::Address& address, std::uint32_t attempt, const CovariateMask& made,
                        int driving, Cohort& cohort) const {
  rng::Stream stream(address);
  const std::size_t patient = address.unit;
  const auto word = [&](int covariate) {
    const int slot = covariates_[static_cast<std::size_t>(covariate)].slot;
    return stream.word(attempt * k_draws_per_attempt + static_cast<std::uint32_t>(slot));
  };
  for (std::size_t l = 0; l < latent_.size(); ++l) {
    const auto i = static_cast<std::size_t>(latent_[l]);
    if (!made[i]) continue;
    float z = rng::normal_of_word(word(latent_[l]));
    if (cholesky_[l][l] != 1) z *= cholesky_[l][l];
    for (std::size_t k = 0; k < l; ++k)
      if (cholesky_[l][k] != 0) z += cholesky_[l][k] * rng::normal_of_word(word(latent_[k]));
    const auto& marginal = covariates_[i].marginal;
    if (marginal.tabulated()) cohort.scratch.ranks[l][patient] = marginal.rank(z);
    cohort.covariates[i][patient] = marginal.value(z);
    if (latent_[l] == driving) cohort.baseline_normal[patient] = z;
  }
  for (std::size_t g = 0; g < graded_.size(); ++g) {
    const auto i = static_cast<std::size_t>(graded_[g]);
    if (!made[i]) continue;
    const std::uint32_t noise = word(graded_[g]);
    const auto of = static_cast<std::size_t>(covariates_[i].grading->of);
    const auto l = static_cast<std::size_t>(covariates_[of].i_latent);
    cohort.graded_words[g][patient] = noise;
    cohort.covariates[i][patient] =
        covariates_[i].grades.empty()
            ? covariates_[i].grading->grade_of_word(cohort.covariates[of][patient], noise)
            : covariates_[i].grades.find(cohort.scratch.ranks[l][patient], noise);
  }
}

void Population::draw(rng::Key key, std::uint64_t trial, const CovariateMask& made, int driving,
                      Cohort& cohort) const {
  rng::Address address{key, rng::Purpose::baseline, trial, 0};
  first_attempt(address, made, driving, cohort);
  if (eligibility_.empty()) return;
  std::array<Range, k_draws_per_attempt> ranges;
  for (std::size_t rule = 0; rule < eligibility_.size(); ++rule) {
    const auto& [covariate, minimum, maximum] = eligibility_[rule];
    ranges[rule] = {cohort.covariates[static_cast<std::size_t>(covariate)].data(), minimum, maximum};
  }
  const auto excluded = cohort.scratch.words[0];
  const std::size_t n_excluded =
      find_outside({ranges.data(), eligibility_.size()}, static_cast<std::size_t>(cohort.n_patients),
                   excluded.data());
  for (const std::uint32_t patient : excluded.first(n_excluded)) {
    address.unit = patient;
    std::uint32_t attempt = 0;
    do redraw(address, ++attempt, made, driving, cohort);
    while (!is_eligible(cohort, patient));
  }
}

void Population::fill_graded_factors(int i_graded, Cohort& cohort) const {
  const auto g = static_cast<std::size_t>(i_graded);
  const Grading& grading = *covariates_[static_cast<std::size_t>(graded_[g])].grading;
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const auto words = cohort.graded_words[g].first(n);
  const auto factors = cohort.graded_factors[g];
  for (std::size_t patient = 0; patient < n; ++patient)
    factors[patient] = grading.factor_of_word(words[patient]);
}

void Population::stratify(rng::Key key, std::uint64_t trial, std::size_t factor, Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const auto out = cohort.strata[factor];
  const auto& stratum = strata_[factor];
  if (stratum.covariate < 0) {
    std::copy_n(cohort.region.begin(), n, out.begin());
    return;
  }
  const auto x = cohort.covariates[static_cast<std::size_t>(stratum.covariate)];
  for (std::size_t patient = 0; patient < n; ++patient) {
    int level = 0;
    for (const double cut : stratum.cuts) level += x[patient] >= cut ? 1 : 0;
    out[patient] = level;
  }
  if (stratum.test) apply_test(key, trial, factor, cohort);
}

// From true levels to those that the test says.
void Population::apply_test(rng::Key key, std::uint64_t trial, std::size_t factor,
                            Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const auto words = cohort.scratch.words[0].first(n);
  rng::WordColumns block{};
  block[factor % 4] = words.data();
  rng::fill_words({key, rng::Purpose::factor_test, trial, 0}, static_cast<std::uint32_t>(factor / 4), n,
                  block);
  const TestAccuracy& test = *strata_[factor].test;
  const auto level = cohort.strata[factor];
  for (std::size_t patient = 0; patient < n; ++patient) {
    const double right = level[patient] == 1 ? test.sensitivity : test.specificity;
    if (!(rng::to_uniform(words[patient]) < right)) level[patient] = 1 - level[patient];
  }
}

std::optional<double> Population::level_share(std::size_t factor, std::size_t level) const {
  constexpr int k_candidates = 65536;
  const auto& stratum = strata_[factor];
  if (stratum.covariate < 0) return std::nullopt;
  std::size_t n_eligible = 0, first = 0;
  const auto counts = pilot(k_candidates, n_eligible);
  for (std::size_t i = 0; i < factor; ++i) first += strata_[i].levels.size();
  const auto share = [&](std::size_t i) {
    return static_cast<double>(counts[first + i]) / static_cast<double>(n_eligible);
  };
  if (!stratum.test) return share(level);
  const double positive =
      share(1) * stratum.test->sensitivity + share(0) * (1 - stratum.test->specificity);
  return level == 1 ? positive : 1 - positive;
}

// Counts of candidates by factor and level (one after the other), among the eligible.
std::vector<std::size_t> Population::pilot(int n_candidates, std::size_t& n_eligible) const {
  constexpr std::uint64_t k_pilot_seed = 0x70696C6F74;
  Cohort cohort;
  prepare(n_candidates, cohort);
  first_attempt({rng::key_from_seed(k_pilot_seed), rng::Purpose::baseline, 0, 0}, CovariateMask().set(),
                -1, cohort);
  std::vector<std::size_t> counts;
  std::vector<std::size_t> first_level;
  for (const auto& stratum : strata_) {
    first_level.push_back(counts.size());
    counts.resize(counts.size() + stratum.levels.size());
  }
  n_eligible = 0;
  for (std::size_t patient = 0; patient < static_cast<std::size_t>(n_candidates); ++patient) {
    if (!is_eligible(cohort, patient)) continue;
    ++n_eligible;
    for (std::size_t factor = 0; factor < strata_.size(); ++factor) {
      const auto& stratum = strata_[factor];
      if (stratum.covariate < 0) continue;
      const double x = cohort.covariates[static_cast<std::size_t>(stratum.covariate)][patient];
      const auto level =
          std::count_if(stratum.cuts.begin(), stratum.cuts.end(), [x](double cut) { return x >= cut; });
      ++counts[first_level[factor] + static_cast<std::size_t>(level)];
    }
  }
  return counts;
}

void Population::check_with_pilot(input::Reader& section) const {
  const auto has_gap = [&](const std::vector<std::size_t>& counts) {
    std::size_t level = 0;
    for (const auto& stratum : strata_)
      for (std::size_t i = 0; i < stratum.levels.size(); ++i)
        if (counts[level++] == 0 && stratum.covariate >= 0) return true;
    return false;
  };
  int n_candidates = 4096;
  std::size_t n_eligible = 0;
  auto counts = pilot(n_candidates, n_eligible);
  if (n_eligible < 40 || has_gap(counts)) counts = pilot(n_candidates = 65536, n_eligible);
  if (static_cast<double>(n_eligible) < 0.001 * n_candidates) {
    section.fault("eligibility",
                  "fewer than 1 candidate in 1000 is eligible (of " + std::to_string(n_candidates) +
                      " drawn " + std::to_string(n_eligible) + ")",
                  "widen the eligibility or move the covariates' distributions into it");
    return;
  }
  std::size_t level = 0;
  for (const auto& stratum : strata_)
    for (const auto& name : stratum.levels)
      if (counts[level++] == 0 && stratum.covariate >= 0)
        section.fault("strata",
                      "no patient can be in the stratum \"" + name + "\" of factor \"" + stratum.name +
                          "\" (none of " + std::to_string(n_eligible) + " eligible candidates is)",
                      "move the cuts into the range of the eligible patients");
}

}  // namespace trialwright::patient
