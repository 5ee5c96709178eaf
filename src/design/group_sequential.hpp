// Group sequential designs: boundaries for efficacy, futility and harm.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "design/futility.hpp"
#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"
#include "sequential/boundary.hpp"

namespace trialwright::design {

struct DesignSpec;

// A boundary of one side and the one-sided level that it spends.
struct SidedBoundary {
  sequential::BoundarySpec boundary;
  double alpha = 0.025;
};

struct GroupSequentialSpec {
  SidedBoundary efficacy;
  std::optional<FutilityRuleSpec> futility;
  // On the other side: of a two-sided analysis without `harm` the mirror image of the efficacy
  // boundary.
  std::optional<SidedBoundary> harm;
  // Fractions at all looks, the last one 1: by the triggers that count outcomes, else as written.
  std::vector<double> planned_information;
  double treatment_share = 0.5;  // of the patients
};

// Reads what the kind has beside the keys of every design; `spec` has those and the looks:
//   efficacy  {boundary (lan_demets_obrien_fleming), parameter, spending, z, alpha_spent, alpha}
//   futility  a rule of k_futility_rules; absent: none
//   harm      {boundary, ..., alpha}; absent: none of a one-sided analysis
//   planned_information  [fractions at the interim looks], where looks are not all by outcomes and something in
//             the plan needs them
// alpha (of efficacy: the analysis's, half of it where that is two-sided; of harm: what efficacy leaves
// of a two-sided alpha, or the analysis's) is one-sided.
GroupSequentialSpec read_group_sequential(input::Reader& reader, const DesignSpec& spec,
                                          const StudyNames& names);

// The design as decided look by look.
//
// z is the planned test's (analysis::ZStatistic) on all patients known, its margin respected. At each
// look: above the efficacy boundary the trial stops with a rejection; beyond the harm boundary on the
// other side it stops for harm (which rejects the null hypothesis of a two-sided analysis); at or below
// the futility limit it stops for futility. Futility spares alpha only where it is binding. Of a
// two-sided analysis both stops reject: each side spends its alpha exactly, of trials that heed the
// other side (but where futility is binding; there, and in what follows, each side is reckoned by
// itself, which is conservative by the trials that would cross both). The harm boundary of a one-sided
// analysis rejects nothing and spares the efficacy boundary nothing; its own level is that under the
// null of trials that nothing else stops, so with other stops heeded harm is found in fewer.
//
// Information is the patients with a value over the design's. Where the looks so far fall as planned,
// the planned boundaries stand; else they are computed again from the information really there
// (sequential::RunningBoundary), and the last look, whenever it comes, spends all that is left of
// alpha. Conditional and predictive power are those of reaching the critical value planned for the end.
// A look whose information has not grown stops nothing; no events give z = 0.
//
// Inference: the p-value is by stagewise ordering of the planned test's z over that information;
// estimate (median unbiased) and interval by the same ordering of the unadjusted (log) effect over its
// Wald standard error at the end, whose inverse square is the last look's information and the earlier
// looks' in proportion to their patients. Undefined where that standard error is. Stops for futility
// are part of the ordering, binding or not; a limit of the effect counts as the z that it stands for.
// The repeated interval of every look is the unadjusted effect -+ its standard error times the
// boundary's critical value there: level 1 - 2 alpha of a one-sided analysis (upper limit by the mirror
// image), 1 - alpha of a two-sided one. Binding futility is left out of its critical values, which have
// to hold under any effect.
std::shared_ptr<const StagedDesign> make_group_sequential(const DesignSpec& spec,
                                                          const GroupSequentialSpec& rules,
                                                          const DesignContext& context);

}  // namespace trialwright::design
