#include "patient/population.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "math/elementary.hpp"
#include "math/normal.hpp"

namespace trialwright::patient {

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
  cohort.graded_factors.resize(n, graded_.size());
  cohort.baseline_normal.resize(n);
  auto& work = cohort.scratch.columns;
  work.resize(n, std::max<std::size_t>(work.n_columns(), k_draws_per_attempt));
}

// Uniforms of whole Philox blocks, then a normal quantile for those that
// a covariate of the mask hangs on.
void Population::make_normals(const rng::Address& patients, const CovariateMask& made,
                              Cohort& cohort) const {
  auto& work = cohort.scratch.columns;
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  std::array<bool, k_draws_per_attempt> used{};
  for (std::size_t slot = 0; slot < latent_.size(); ++slot) {
    if (!made[static_cast<std::size_t>(latent_[slot])]) continue;
    for (std::size_t k = 0; k <= slot; ++k) used[k] = used[k] || cholesky_[slot][k] != 0;
  }
  for (std::size_t g = 0; g < graded_.size(); ++g)
    used[latent_.size() + g] = made[static_cast<std::size_t>(graded_[g])];
  for (std::size_t block = 0; block < k_draws_per_attempt; block += 4) {
    if (std::none_of(used.begin() + block, used.begin() + block + 4, [](bool u) { return u; }))
      continue;
    rng::fill_uniforms(patients, static_cast<std::uint32_t>(block), 4,
                       {work.data() + block * work.stride(), n, work.stride()});
    for (std::size_t draw = block; draw < block + 4; ++draw)
      if (used[draw]) math::normal_quantiles(work[draw].first(n), work[draw].first(n));
  }
}

void Population::first_attempt(const rng::Address& patients, const CovariateMask& made, int driving,
                               Cohort& cohort) const {
  make_normals(patients, made, cohort);
  auto& work = cohort.scratch.columns;
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  // From the last latent normal to the first, so that each can stand where its own draw stood.
  for (std::size_t slot = latent_.size(); slot-- > 0;) {
    const auto i = static_cast<std::size_t>(latent_[slot]);
    if (!made[i]) continue;
    const auto z = work[slot].first(n);
    if (cholesky_[slot][slot] != 1)
      for (double& x : z) x *= cholesky_[slot][slot];
    for (std::size_t k = 0; k < slot; ++k) {
      const double weight = cholesky_[slot][k];
      if (weight == 0) continue;
      const auto e = work[k].first(n);
      for (std::size_t patient = 0; patient < n; ++patient) z[patient] += weight * e[patient];
    }
    covariates_[i].marginal.values(z, cohort.covariates[i].first(n));
    if (latent_[slot] == driving) std::copy(z.begin(), z.end(), cohort.baseline_normal.begin());
  }
  for (std::size_t g = 0; g < graded_.size(); ++g) {
    const auto i = static_cast<std::size_t>(graded_[g]);
    if (!made[i]) continue;
    const Grading& grading = *covariates_[i].grading;
    const auto noise = work[latent_.size() + g].first(n);
    const auto factor = cohort.graded_factors[g];
    const auto x = cohort.covariates[static_cast<std::size_t>(grading.of)];
    const auto out = cohort.covariates[i];
    for (std::size_t patient = 0; patient < n; ++patient) {
      factor[patient] = math::exp(grading.noise_sd * noise[patient]);
      out[patient] = grading.grade(x[patient], factor[patient]);
    }
  }
}

bool Population::is_eligible(const Cohort& cohort, std::size_t patient) const {
  for (const auto& rule : eligibility_) {
    const double value = cohort.covariates[static_cast<std::size_t>(rule.covariate)][patient];
    if (!(value >= rule.minimum && value <= rule.maximum)) return false;
  }
  return true;
}

// One whole further attempt of one patient: every covariate, so that what is kept
// does not hang on the mask.
bool Population::redraw(const rng::Address& address, std::uint32_t attempt, int driving,
                        Cohort& cohort) const {
  rng::Stream stream(address);
  const std::uint32_t first = attempt * k_draws_per_attempt;
  const std::size_t patient = address.unit;
  std::array<double, k_draws_per_attempt> e{};
  for (std::size_t slot = 0; slot < latent_.size(); ++slot) {
    e[slot] = stream.normal(first + static_cast<std::uint32_t>(slot));
    // The same order of additions as in the columns.
    double z = cholesky_[slot][slot] == 1 ? e[slot] : cholesky_[slot][slot] * e[slot];
    for (std::size_t k = 0; k < slot; ++k)
      if (cholesky_[slot][k] != 0) z += cholesky_[slot][k] * e[k];
    const auto i = static_cast<std::size_t>(latent_[slot]);
    cohort.covariates[i][patient] = covariates_[i].marginal.value(z);
    if (latent_[slot] == driving) cohort.baseline_normal[patient] = z;
  }
  for (std::size_t g = 0; g < graded_.size(); ++g) {
    const auto i = static_cast<std::size_t>(graded_[g]);
    const Grading& grading = *covariates_[i].grading;
    const double noise = stream.normal(first + static_cast<std::uint32_t>(latent_.size() + g));
    const double factor = math::exp(grading.noise_sd * noise);
    cohort.graded_factors[g][patient] = factor;
    cohort.covariates[i][patient] =
        grading.grade(cohort.covariates[static_cast<std::size_t>(grading.of)][patient], factor);
  }
  return is_eligible(cohort, patient);
}

void Population::draw(rng::Key key, std::uint64_t trial, const CovariateMask& made, int driving,
                      Cohort& cohort) const {
  rng::Address address{key, rng::Purpose::baseline, trial, 0};
  first_attempt(address, made, driving, cohort);
  if (eligibility_.empty()) return;
  for (std::size_t patient = 0; patient < static_cast<std::size_t>(cohort.n_patients); ++patient) {
    if (is_eligible(cohort, patient)) continue;
    address.unit = static_cast<std::uint32_t>(patient);
    std::uint32_t attempt = 1;
    while (!redraw(address, attempt, driving, cohort)) ++attempt;
  }
}

void Population::stratify(Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  for (std::size_t factor = 0; factor < strata_.size(); ++factor) {
    const auto out = cohort.strata[factor];
    const auto& stratum = strata_[factor];
    if (stratum.covariate < 0) {
      std::copy_n(cohort.region.begin(), n, out.begin());
      continue;
    }
    const auto x = cohort.covariates[static_cast<std::size_t>(stratum.covariate)];
    for (std::size_t patient = 0; patient < n; ++patient) {
      int level = 0;
      for (const double cut : stratum.cuts) level += x[patient] >= cut ? 1 : 0;
      out[patient] = level;
    }
  }
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
