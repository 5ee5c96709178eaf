#include "design/allocation.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/contract.hpp"
#include "design/allocation_draws.hpp"
#include "rng/word_list.hpp"

namespace trialwright::design {

namespace {

// The colour of ball number `ball` of an urn with the given numbers of balls; without a branch, which
// no processor could foretell.
int colour(std::uint32_t ball, std::span<const std::int32_t> urn) {
  int c = 0;
  std::int64_t before = 0;
  for (std::size_t i = 0; i + 1 < urn.size(); ++i) {
    before += urn[i];
    c += static_cast<std::int64_t>(ball) >= before ? 1 : 0;
  }
  return c;
}

std::vector<int> factors_of(const Randomisation& randomisation) {
  if (const auto* block = std::get_if<PermutedBlock>(&randomisation)) return block->factors;
  if (const auto* rule = std::get_if<Minimisation>(&randomisation)) return rule->factors;
  return {};
}

// A law on first .. last from the ratios up(k) = P(k + 1) / P(k), summed outwards from its mode so that
// nothing overflows; sizes less likely than 1e-20 of the mode are left out. Made of + - * / alone.
template <class Up>
std::vector<ArmSizeProbability> law_about_mode(int first, int last, int mode, Up up) {
  constexpr double k_negligible = 1e-20;
  std::vector<ArmSizeProbability> law;
  double weight = 1;
  for (int k = mode; k > first; --k) {
    weight /= up(k - 1);
    if (weight < k_negligible) break;
    law.push_back({k - 1, weight});
  }
  std::reverse(law.begin(), law.end());
  weight = 1;
  for (int k = mode; k <= last && weight >= k_negligible; ++k) {
    law.push_back({k, weight});
    if (k < last) weight *= up(k);
  }
  double total = 0;
  for (const auto& point : law) total += point.probability;
  for (auto& point : law) point.probability /= total;
  return law;
}

// Binomial: n patients, each in the active arm with odds marked : unmarked.
std::vector<ArmSizeProbability> binomial_law(int n, int marked, int unmarked) {
  const double odds = static_cast<double>(marked) / unmarked;
  const double mean = static_cast<double>(n) * marked / (marked + unmarked);
  return law_about_mode(0, n, static_cast<int>(mean),
                        [&](int k) { return (static_cast<double>(n) - k) / (k + 1.0) * odds; });
}

// offset + H, H the number of `marked` among `drawn` of marked + unmarked without replacement.
std::vector<ArmSizeProbability> hypergeometric_law(int offset, int drawn, int marked, int unmarked) {
  const int first = std::max(0, drawn - unmarked), last = std::min(drawn, marked);
  const int mode = std::clamp(
      static_cast<int>((drawn + 1.0) * (marked + 1.0) / (marked + unmarked + 2.0)), first, last);
  auto law = law_about_mode(first, last, mode, [&](int k) {
    return (static_cast<double>(marked) - k) * (static_cast<double>(drawn) - k) /
           ((k + 1.0) * (static_cast<double>(unmarked) - drawn + k + 1.0));
  });
  for (auto& point : law) point.n_1 += offset;
  return law;
}

}  // namespace

Allocation::Allocation(Randomisation randomisation, std::vector<ArmShare> arms, int n_patients,
                       std::vector<int> factor_levels)
    : randomisation_(std::move(randomisation)),
      arms_(std::move(arms)),
      n_patients_(n_patients),
      factors_(factors_of(randomisation_)) {
  TRIALWRIGHT_EXPECT(arms_.size() >= 2);
  for (const int f : factors_) factor_levels_.push_back(factor_levels.at(f));
  const std::vector<int> ratio = reduced_ratio(arms_);
  switch (method_of(randomisation_)) {
    case RandomisationMethod::random_allocation: {
      const std::vector<int> totals = arm_totals(n_patients_, arms_);
      full_urn_.assign(totals.begin(), totals.end());
      break;
    }
    case RandomisationMethod::permuted_block: {
      const int blocks = std::get<PermutedBlock>(randomisation_).block_size /
                         std::accumulate(ratio.begin(), ratio.end(), 0);
      for (const int r : ratio) full_urn_.push_back(r * blocks);
      break;
    }
    case RandomisationMethod::simple:
    case RandomisationMethod::minimisation:
      full_urn_.assign(ratio.begin(), ratio.end());
      break;
  }
  full_urn_total_ = std::accumulate(full_urn_.begin(), full_urn_.end(), 0);
  if (std::holds_alternative<Minimisation>(randomisation_)) prepare_minimisation();
}

void Allocation::allocate(rng::Key key, std::uint64_t trial, const base::Columns<int>& strata,
                          std::span<int> arm_out, Workspace& workspace) const {
  TRIALWRIGHT_EXPECT(arm_out.size() <= static_cast<std::size_t>(n_patients_));
  workspace.words.resize(arm_out.size());
  const Draws draws{{key, rng::Purpose::allocation, trial, 0}, workspace.words};
  rng::fill_list(draws.address, 0, workspace.words);
  switch (method_of(randomisation_)) {
    case RandomisationMethod::random_allocation:
      allocate_urn(draws, arm_out, workspace);
      break;
    case RandomisationMethod::simple:
      allocate_simple(draws, arm_out);
      break;
    case RandomisationMethod::permuted_block:
      allocate_blocks(draws, strata, arm_out, workspace);
      break;
    case RandomisationMethod::minimisation:
      allocate_minimising(draws, strata, arm_out, workspace);
      break;
  }
}

// Two arms: patients from `first` on, as many as arm_out holds, out of a full urn of n_balls.
void Allocation::empty_urn_of_two(const Draws& draws, std::size_t first, std::uint32_t n_balls,
                                  std::span<int> arm_out) const {
  // Looked up by the number of balls that left the first arm's: a choice would be compiled into a
  // branch that no processor can foretell.
  const int arm_of[2] = {arms_[1].arm, arms_[0].arm};
  auto left = static_cast<std::uint32_t>(full_urn_[0]);
  for (std::size_t i = 0; i < arm_out.size(); ++i) {
    const std::uint32_t ball = draws.below(n_balls - static_cast<std::uint32_t>(i), first + i);
    const std::uint32_t before = left;
    // From patient to patient only this subtraction is waited for.
    left -= ball < left ? 1u : 0u;
    arm_out[i] = arm_of[before - left];
  }
}

void Allocation::allocate_urn(const Draws& draws, std::span<int> arm_out, Workspace& workspace) const {
  auto left = static_cast<std::uint32_t>(n_patients_);
  if (arms_.size() == 2) return empty_urn_of_two(draws, 0, left, arm_out);
  workspace.urns.assign(full_urn_.begin(), full_urn_.end());
  for (std::size_t i = 0; i < arm_out.size(); ++i) {
    const int c = colour(draws.below(left--, i), workspace.urns);
    --workspace.urns[static_cast<std::size_t>(c)];
    arm_out[i] = arms_[static_cast<std::size_t>(c)].arm;
  }
}

void Allocation::allocate_simple(const Draws& draws, std::span<int> arm_out) const {
  const auto total = static_cast<std::uint32_t>(full_urn_total_);
  if (arms_.size() == 2) {
    const auto n_first = static_cast<std::uint32_t>(full_urn_[0]);
    const int arm_of[2] = {arms_[1].arm, arms_[0].arm};
    for (std::size_t i = 0; i < arm_out.size(); ++i)
      arm_out[i] = arm_of[draws.below(total, i) < n_first ? 1 : 0];
    return;
  }
  for (std::size_t i = 0; i < arm_out.size(); ++i)
    arm_out[i] = arms_[static_cast<std::size_t>(colour(draws.below(total, i), full_urn_))].arm;
}

void Allocation::allocate_blocks(const Draws& draws, const base::Columns<int>& strata,
                                 std::span<int> arm_out, Workspace& workspace) const {
  const std::size_t n_arms = arms_.size(),
                    row = n_arms + 1;  // a list's open block, then its number of balls
  if (n_arms == 2 && factors_.empty()) {
    const auto size = static_cast<std::size_t>(full_urn_total_);
    for (std::size_t i = 0; i < arm_out.size(); i += size)
      empty_urn_of_two(draws, i, static_cast<std::uint32_t>(size),
                       arm_out.subspan(i, std::min(size, arm_out.size() - i)));
    return;
  }
  std::size_t n_lists = 1;
  for (const int n_levels : factor_levels_) n_lists *= static_cast<std::size_t>(n_levels);
  workspace.urns.assign(n_lists * row, 0);
  for (std::size_t i = 0; i < arm_out.size(); ++i) {
    std::size_t list = 0;
    for (std::size_t f = 0; f < factors_.size(); ++f) {
      const int level = strata[factors_[f]][i];
      TRIALWRIGHT_EXPECT(level >= 0 && level < factor_levels_[f]);
      list = list * static_cast<std::size_t>(factor_levels_[f]) + static_cast<std::size_t>(level);
    }
    const std::span<std::int32_t> urn(workspace.urns.data() + list * row, row);
    if (urn[n_arms] == 0) {
      std::copy(full_urn_.begin(), full_urn_.end(), urn.begin());
      urn[n_arms] = full_urn_total_;
    }
    const int c = colour(draws.below(static_cast<std::uint32_t>(urn[n_arms]), i), urn.first(n_arms));
    --urn[c];
    --urn[n_arms];
    arm_out[i] = arms_[c].arm;
  }
}

std::optional<std::vector<ArmSizeProbability>> Allocation::arm_size_law(int control_arm) const {
  if (arms_.size() != 2 || !factors_.empty()) return std::nullopt;
  TRIALWRIGHT_EXPECT(arms_[0].arm == control_arm || arms_[1].arm == control_arm);
  const int active = arms_[0].arm == control_arm ? 1 : 0;
  const int marked = full_urn_[active], unmarked = full_urn_[1 - active];
  switch (method_of(randomisation_)) {
    case RandomisationMethod::random_allocation:
      return std::vector<ArmSizeProbability>{{marked, 1.0}};
    case RandomisationMethod::simple:
      return binomial_law(n_patients_, marked, unmarked);
    case RandomisationMethod::permuted_block: {
      const int n_full = n_patients_ / full_urn_total_, drawn = n_patients_ % full_urn_total_;
      return hypergeometric_law(n_full * marked, drawn, marked, unmarked);
    }
    case RandomisationMethod::minimisation:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace trialwright::design
