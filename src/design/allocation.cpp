#include "design/allocation.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/contract.hpp"
#include "design/allocation_draws.hpp"
#include "rng/word_list.hpp"

namespace trialwright::design {

namespace {

// In a set of arms; those beyond a word's bits are in every set.
bool is_in(std::uint32_t set, std::size_t i_arm) {
  return i_arm >= 32 || (set >> i_arm & 1U) != 0;
}

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

// Turns ratios, which sum to `ratio_sum`, into arm_totals' whole numbers that sum to n.
void divide_by_ratio(int n, int ratio_sum, std::vector<std::int32_t>& urn,
                     std::vector<std::int64_t>& remainders) {
  remainders.resize(urn.size());
  int left = n;
  for (std::size_t i = 0; i < urn.size(); ++i) {
    const std::int64_t share = std::int64_t{n} * urn[i];
    remainders[i] = share % ratio_sum;
    urn[i] = static_cast<std::int32_t>(share / ratio_sum);
    left -= urn[i];
  }
  for (; left > 0; --left) {
    const auto largest = std::max_element(remainders.begin(), remainders.end());
    ++urn[static_cast<std::size_t>(largest - remainders.begin())];
    *largest = -1;
  }
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
      ratio_(reduced_ratio(arms_)),
      n_patients_(n_patients),
      factors_(factors_of(randomisation_)) {
  TRIALWRIGHT_EXPECT(arms_.size() >= 2);
  for (const int f : factors_) factor_levels_.push_back(factor_levels.at(f));
  share(~std::uint32_t{0}, n_patients_, all_);
}

void Allocation::share(std::uint32_t kept, int n_patients, Shares& shares) const {
  shares.arms.clear();
  shares.urn.clear();
  int common = 0, ratio_sum = 0;
  for (std::size_t i = 0; i < arms_.size(); ++i) {
    if (!is_in(kept, i)) continue;
    shares.arms.push_back(static_cast<int>(i));
    shares.urn.push_back(ratio_[i]);
    common = std::gcd(common, ratio_[i]);
    ratio_sum += ratio_[i];
  }
  TRIALWRIGHT_EXPECT(!shares.arms.empty());
  switch (method_of(randomisation_)) {
    case RandomisationMethod::random_allocation:
      divide_by_ratio(n_patients, ratio_sum, shares.urn, shares.remainders);
      break;
    case RandomisationMethod::permuted_block: {
      const int n_ratios = std::get<PermutedBlock>(randomisation_).block_size /
                           std::accumulate(ratio_.begin(), ratio_.end(), 0);
      for (auto& balls : shares.urn) balls *= n_ratios;
      break;
    }
    case RandomisationMethod::simple:
    case RandomisationMethod::minimisation:
      for (auto& balls : shares.urn) balls /= common;
      break;
  }
  shares.total = std::accumulate(shares.urn.begin(), shares.urn.end(), 0);
  if (std::holds_alternative<Minimisation>(randomisation_)) prepare_coin(shares);
}

void Allocation::allocate(rng::Key key, std::uint64_t trial, const base::Columns<int>& strata,
                          std::span<int> arm_out, Workspace& workspace) const {
  TRIALWRIGHT_EXPECT(arm_out.size() <= static_cast<std::size_t>(n_patients_));
  workspace.words.resize(arm_out.size());
  const Draws draws{{key, rng::Purpose::allocation, trial, 0}, workspace.words};
  rng::fill_list(draws.address, 0, workspace.words);
  const Listed all{{}, arm_out.size()};
  switch (method_of(randomisation_)) {
    case RandomisationMethod::random_allocation:
      if (arms_.size() == 2)
        empty_urn_of_two(draws, 0, static_cast<std::uint32_t>(n_patients_), arm_out);
      else
        allocate_urn(draws, all_, all, arm_out, workspace);
      break;
    case RandomisationMethod::simple:
      allocate_simple(draws, all_, all, arm_out);
      break;
    case RandomisationMethod::permuted_block:
      if (arms_.size() == 2 && factors_.empty()) {
        const auto size = static_cast<std::size_t>(all_.total);
        for (std::size_t i = 0; i < arm_out.size(); i += size)
          empty_urn_of_two(draws, i, static_cast<std::uint32_t>(size),
                           arm_out.subspan(i, std::min(size, arm_out.size() - i)));
      } else {
        allocate_blocks(draws, all_, all, strata, arm_out, workspace);
      }
      break;
    case RandomisationMethod::minimisation:
      allocate_minimising(draws, all_, all, strata, arm_out, workspace);
      break;
  }
}

void Allocation::allocate_among(rng::Key key, std::uint64_t trial, const base::Columns<int>& strata,
                                std::uint32_t kept, std::span<const int> patients,
                                std::span<int> arm_out, Workspace& workspace) const {
  if (patients.empty()) return;
  TRIALWRIGHT_EXPECT(static_cast<std::size_t>(patients.back()) < arm_out.size());
  workspace.words.resize(static_cast<std::size_t>(patients.back()) + 1);
  const Draws draws{{key, rng::Purpose::allocation, trial, 0}, workspace.words};
  rng::fill_list(draws.address, 0, workspace.words);
  Shares& shares = workspace.kept;
  share(kept, static_cast<int>(patients.size()), shares);
  const Listed listed{patients, patients.size()};
  switch (method_of(randomisation_)) {
    case RandomisationMethod::random_allocation:
      allocate_urn(draws, shares, listed, arm_out, workspace);
      break;
    case RandomisationMethod::simple:
      allocate_simple(draws, shares, listed, arm_out);
      break;
    case RandomisationMethod::permuted_block:
      allocate_blocks(draws, shares, listed, strata, arm_out, workspace);
      break;
    case RandomisationMethod::minimisation:
      allocate_minimising(draws, shares, listed, strata, arm_out, workspace);
      break;
  }
}

// Two arms: patients from `first` on, as many as arm_out holds, out of a full urn of n_balls.
void Allocation::empty_urn_of_two(const Draws& draws, std::size_t first, std::uint32_t n_balls,
                                  std::span<int> arm_out) const {
  // Looked up by the number of balls that left the first arm's: a choice would be compiled into a
  // branch that no processor can foretell.
  const int arm_of[2] = {arms_[1].arm, arms_[0].arm};
  auto left = static_cast<std::uint32_t>(all_.urn[0]);
  for (std::size_t i = 0; i < arm_out.size(); ++i) {
    const std::uint32_t ball = draws.below(n_balls - static_cast<std::uint32_t>(i), first + i);
    const std::uint32_t before = left;
    // From patient to patient only this subtraction is waited for.
    left -= ball < left ? 1u : 0u;
    arm_out[i] = arm_of[before - left];
  }
}

void Allocation::allocate_urn(const Draws& draws, const Shares& shares, Listed listed,
                              std::span<int> arm_out, Workspace& workspace) const {
  auto left = static_cast<std::uint32_t>(shares.total);
  workspace.urns.assign(shares.urn.begin(), shares.urn.end());
  for (std::size_t i = 0; i < listed.n; ++i) {
    const auto c = static_cast<std::size_t>(colour(draws.below(left--, listed[i]), workspace.urns));
    --workspace.urns[c];
    arm_out[listed[i]] = arms_[static_cast<std::size_t>(shares.arms[c])].arm;
  }
}

void Allocation::allocate_simple(const Draws& draws, const Shares& shares, Listed listed,
                                 std::span<int> arm_out) const {
  const auto total = static_cast<std::uint32_t>(shares.total);
  if (shares.arms.size() == 2) {
    const auto n_first = static_cast<std::uint32_t>(shares.urn[0]);
    const int arm_of[2] = {arms_[static_cast<std::size_t>(shares.arms[1])].arm,
                           arms_[static_cast<std::size_t>(shares.arms[0])].arm};
    for (std::size_t i = 0; i < listed.n; ++i)
      arm_out[listed[i]] = arm_of[draws.below(total, listed[i]) < n_first ? 1 : 0];
    return;
  }
  for (std::size_t i = 0; i < listed.n; ++i) {
    const auto c = static_cast<std::size_t>(colour(draws.below(total, listed[i]), shares.urn));
    arm_out[listed[i]] = arms_[static_cast<std::size_t>(shares.arms[c])].arm;
  }
}

// The number of the list that a patient's levels lead to.
std::size_t Allocation::list_of(std::size_t patient, const base::Columns<int>& strata) const {
  std::size_t list = 0;
  for (std::size_t f = 0; f < factors_.size(); ++f) {
    const int level = strata[factors_[f]][patient];
    TRIALWRIGHT_EXPECT(level >= 0 && level < factor_levels_[f]);
    list = list * static_cast<std::size_t>(factor_levels_[f]) + static_cast<std::size_t>(level);
  }
  return list;
}

void Allocation::allocate_blocks(const Draws& draws, const Shares& shares, Listed listed,
                                 const base::Columns<int>& strata, std::span<int> arm_out,
                                 Workspace& workspace) const {
  const std::size_t n_arms = shares.arms.size(),
                    row = n_arms + 1;  // a list's open block, then its number of balls
  std::size_t n_lists = 1;
  for (const int n_levels : factor_levels_) n_lists *= static_cast<std::size_t>(n_levels);
  workspace.urns.assign(n_lists * row, 0);
  for (std::size_t i = 0; i < listed.n; ++i) {
    const std::size_t patient = listed[i];
    const std::span<std::int32_t> urn(workspace.urns.data() + list_of(patient, strata) * row, row);
    if (urn[n_arms] == 0) {
      std::copy(shares.urn.begin(), shares.urn.end(), urn.begin());
      urn[n_arms] = shares.total;
    }
    const auto c = static_cast<std::size_t>(
        colour(draws.below(static_cast<std::uint32_t>(urn[n_arms]), patient), urn.first(n_arms)));
    --urn[c];
    --urn[n_arms];
    arm_out[patient] = arms_[static_cast<std::size_t>(shares.arms[c])].arm;
  }
}

std::optional<std::vector<ArmSizeProbability>> Allocation::arm_size_law(int control_arm) const {
  if (arms_.size() != 2 || !factors_.empty()) return std::nullopt;
  TRIALWRIGHT_EXPECT(arms_[0].arm == control_arm || arms_[1].arm == control_arm);
  const int active = arms_[0].arm == control_arm ? 1 : 0;
  const int marked = all_.urn[active], unmarked = all_.urn[1 - active];
  switch (method_of(randomisation_)) {
    case RandomisationMethod::random_allocation:
      return std::vector<ArmSizeProbability>{{marked, 1.0}};
    case RandomisationMethod::simple:
      return binomial_law(n_patients_, marked, unmarked);
    case RandomisationMethod::permuted_block: {
      const int n_full = n_patients_ / all_.total, drawn = n_patients_ % all_.total;
      return hypergeometric_law(n_full * marked, drawn, marked, unmarked);
    }
    case RandomisationMethod::minimisation:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace trialwright::design
