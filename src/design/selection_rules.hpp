// The rules by which a look chooses the arms that go on: one row each.
#pragma once

#include <array>
#include <limits>
#include <span>
#include <string_view>

#include "base/named_table.hpp"
#include "design/staged_design.hpp"

namespace trialwright::design {

// Which of arms with equal merit is taken first.
enum class Ties { first, last };

inline constexpr std::array<base::Named<Ties>, 2> k_ties{{
    {"first", "the arm that stands first in the study (the lowest dose, where they rise)", "",
     Ties::first},
    {"last", "the arm that stands last in the study (the highest dose, where they rise)", "",
     Ties::last},
}};

// What a rule reads: each hypothesis's merit, those that may be chosen, and the rule's own numbers.
struct Candidates {
  std::span<const double> merits;  // [i_hypothesis], greater is better
  Bits allowed = 0;
  int count = 1;      // of n_best
  double within = 0;  // of near_best
  Ties ties = Ties::first;
};

// The hypotheses chosen, of those allowed.
using ChooseArms = Bits (*)(const Candidates&);

// Merits closer than this are equal, so that rounding does not split what counts make equal.
inline constexpr double k_equal_merit = 1e-12;

Bits choose_best(const Candidates& candidates);
Bits choose_n_best(const Candidates& candidates);
Bits choose_all(const Candidates& candidates);
Bits choose_near_best(const Candidates& candidates);

// The option that a rule cannot do without.
enum class RuleNeeds { nothing, count, at_least, within };

struct SelectionRule {
  ChooseArms choose = nullptr;
  std::string_view action;  // what a look that chose by it did
  RuleNeeds needs = RuleNeeds::nothing;
  friend bool operator==(const SelectionRule&, const SelectionRule&) = default;
};

inline constexpr std::array<base::Named<SelectionRule>, 4> k_selection_rules{{
    {"best",
     "the arm with the greatest merit",
     "Thall, Simon & Ellenberg 1988",
     {choose_best, "select_best", RuleNeeds::nothing}},
    {"n_best",
     "the `count` arms with the greatest merits",
     "Kelly, Stallard & Todd 2005",
     {choose_n_best, "select_n_best", RuleNeeds::count}},
    {"threshold",
     "every arm whose merit is `at_least` so much",
     "Schmidli et al. 2006",
     {choose_all, "select_above_threshold", RuleNeeds::at_least}},
    {"near_best",
     "every arm whose merit is `within` so much of the greatest",
     "Kelly, Stallard & Todd 2005",
     {choose_near_best, "select_near_best", RuleNeeds::within}},
}};

}  // namespace trialwright::design
