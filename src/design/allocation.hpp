// Treatment allocation: which arm each patient of a trial is randomised to.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/columns.hpp"
#include "design/randomisation.hpp"
#include "rng/stream.hpp"

namespace trialwright::design {

// Probability that n_1 of the patients are randomised to the active arm of a two-arm design.
struct ArmSizeProbability {
  int n_1 = 0;
  double probability = 0;
};

// The allocation rule of one plan; immutable, safe to share between threads.
//
// Draws: place i of list 0 of (Purpose::allocation, trial) is patient i's (rng::fill_list). An urn of k
// balls takes it by Lemire's method (2019, "Fast random integer generation in an interval"), exactly
// uniform; the rare word that it rejects (at most k in 2^32) is replaced from words 4, 5, … of unit i.
// So patient i's arm moves little where the number of patients or the ratio does.
//
// A trial that changes its arms on the way begins a new list there (allocate_among); a patient's word
// stays the one of their place among the trial's patients, so that none is used for two.
class Allocation {
 private:
  // What a list hands out.
  struct Shares {
    std::vector<int> arms;          // indices into arms()
    std::vector<std::int32_t> urn;  // totals, one block, or the reduced ratio
    std::int32_t total = 0;
    std::vector<std::int64_t> remainders;  // of totals
    std::vector<std::int64_t> steps;  // minimisation: what a patient adds to the arm's scaled count
    std::vector<double> coin;  // minimisation: [preferred * n_arms + arm], probability of the arm
  };

 public:
  // Memory of one thread; any Allocation may use it, one after another.
  struct Workspace {
    std::vector<std::uint32_t> words;
    std::vector<std::int32_t> urns;
    std::vector<std::int64_t> counts;
    std::vector<std::int64_t> imbalances;
    Shares kept;
  };

  // factor_levels[f]: number of levels of the study's factor f. The spec's values are within
  // read_randomisation's bounds.
  Allocation(Randomisation randomisation, std::vector<ArmShare> arms, int n_patients,
             std::vector<int> factor_levels);

  int n_patients() const { return n_patients_; }
  const std::vector<ArmShare>& arms() const { return arms_; }
  const Randomisation& randomisation() const { return randomisation_; }

  // The study's factors whose columns allocate() reads.
  std::span<const int> needs_factors() const { return factors_; }

  // Writes the arm (index into the study's arms) of patients 0 .. arm_out.size() - 1, in the order of
  // randomisation; at most n_patients() of them, a prefix of the list where fewer. strata[f][i] is the
  // level of the study's factor f; columns not in needs_factors() are not read. No heap allocation
  // after a workspace's first use.
  //
  // random_allocation: draws without replacement from arm_totals(). simple: independent draws.
  // permuted_block: without replacement from a block that is filled again when empty, one block open
  // for every combination of the factors' levels. minimisation: Pocock & Simon 1975; the arm with the
  // smallest sum over the factors of the imbalance among patients of the same level, were the patient
  // to join it, is preferred; counts are divided by the ratio, ties broken at random by the ratio. The
  // preferred arm k is taken with probability 1 - (1 - p) (R - r_k) / (R - r_min), another arm j with
  // the rest times r_j / (R - r_k): p and (1 - p) at equal ratios of two arms; at unequal ones the
  // coin gives the arms by their ratio wherever they are preferred by their ratio (Han, Enas &
  // McEntegart 2009).
  void allocate(rng::Key key, std::uint64_t trial, const base::Columns<int>& strata,
                std::span<int> arm_out, Workspace& workspace) const;

  // Writes the arm of the patients that `patients` names (ascending, each below arm_out.size()), in
  // this order, by a list of their own: as long as they are many, among the arms whose bit is set in
  // `kept` (bit i: arms()[i]; at least one) by these arms' ratio, with nothing carried over from
  // patients before. A block keeps as many of each arm as a whole one has. Of all arms and patients 0,
  // 1, …, it is the list of an Allocation of that many patients. Others' places in arm_out stay as they
  // are. No heap allocation after a workspace's first use.
  void allocate_among(rng::Key key, std::uint64_t trial, const base::Columns<int>& strata,
                      std::uint32_t kept, std::span<const int> patients, std::span<int> arm_out,
                      Workspace& workspace) const;

  // The exact law of the active arm's size, for two-arm designs whose sizes do not depend on the
  // patients: random_allocation (one point), permuted_block without strata (hypergeometric in the
  // incomplete block), simple (binomial; sizes less likely than 1e-20 times the likeliest are left
  // out). `control_arm` is the study's. nullopt for other methods, or other than two arms.
  std::optional<std::vector<ArmSizeProbability>> arm_size_law(int control_arm) const;

 private:
  struct Draws;
  // Whom a list is for: patients 0, 1, … where no numbers are given.
  struct Listed {
    std::span<const int> numbers;
    std::size_t n = 0;
    std::size_t operator[](std::size_t i) const {
      return numbers.empty() ? i : static_cast<std::size_t>(numbers[i]);
    }
  };
  void empty_urn_of_two(const Draws& draws, std::size_t first, std::uint32_t n_balls,
                        std::span<int> arm_out) const;
  void share(std::uint32_t kept, int n_patients, Shares& shares) const;
  void prepare_coin(Shares& shares) const;
  void allocate_urn(const Draws& draws, const Shares& shares, Listed listed, std::span<int> arm_out,
                    Workspace& workspace) const;
  void allocate_simple(const Draws& draws, const Shares& shares, Listed listed,
                       std::span<int> arm_out) const;
  void allocate_blocks(const Draws& draws, const Shares& shares, Listed listed,
                       const base::Columns<int>& strata, std::span<int> arm_out,
                       Workspace& workspace) const;
  void allocate_minimising(const Draws& draws, const Shares& shares, Listed listed,
                           const base::Columns<int>& strata, std::span<int> arm_out,
                           Workspace& workspace) const;
  std::size_t list_of(std::size_t patient, const base::Columns<int>& strata) const;

  // The arm (index into shares.arms) that the biased coin gives at these imbalances.
  static std::size_t toss(const Shares& shares, std::span<const std::int64_t> imbalances,
                          double uniform);

  Randomisation randomisation_;
  std::vector<ArmShare> arms_;
  std::vector<int> ratio_;  // reduced
  int n_patients_;
  std::vector<int> factors_;        // used by the method
  std::vector<int> factor_levels_;  // of the factors used
  Shares all_;                      // of all arms and n_patients_
};

}  // namespace trialwright::design
