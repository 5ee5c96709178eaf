// Adaptive enrichment: a look may restrict recruitment to a subgroup, with closed testing over the
// populations.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "base/named_table.hpp"
#include "design/closed_test.hpp"
#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

struct DesignSpec;

// How the look chooses between all patients and the subgroup, each by a statistic of its own.
enum class EnrichmentRule { thresholds, all_first, closeness };

inline constexpr std::array<base::Named<EnrichmentRule>, 3> k_enrichment_rules{{
    {"thresholds",
     "each population goes on whose statistic reaches its threshold (`all`, `subgroup`); the subgroup alone: "
     "recruitment is restricted to it; neither: stop",
     "Jenkins, Stone & Jennison 2011", EnrichmentRule::thresholds},
    {"all_first",
     "all patients where their statistic reaches `all`, and both are tested; else the subgroup alone where its "
     "own reaches `subgroup`; else stop",
     "Mehta & Gao 2011", EnrichmentRule::all_first},
    {"closeness",
     "both where the statistics are `within` of each other, else the better one alone; stop where the better is "
     "below `at_least`",
     "Friede, Parsons & Stallard 2012", EnrichmentRule::closeness},
}};

enum class EnrichmentStatistic { conditional_power, z, rate_difference };

inline constexpr std::array<base::Named<EnrichmentStatistic>, 3> k_enrichment_statistics{{
    {"conditional_power",
     "of the population's own combination test, if it goes on and the effect seen is true; the subgroup's if "
     "recruitment is restricted to it",
     "Mehta & Gao 2011", EnrichmentStatistic::conditional_power},
    {"z", "the z of the planned test in the population", "Jenkins, Stone & Jennison 2011",
     EnrichmentStatistic::z},
    {"rate_difference", "the difference of the rates seen, positive where treatment is better",
     "Friede, Parsons & Stallard 2012", EnrichmentStatistic::rate_difference},
}};

inline constexpr std::array<base::Named<Intersection>, 3> k_population_intersections{{
    {"simes", "the smallest of twice the smaller and the larger p-value", "Simes 1986",
     Intersection::simes},
    {"bonferroni", "twice the smaller p-value", "Bretz et al. 2009", Intersection::bonferroni},
    {"correlation", "the larger z, with the correlation that nested populations have",
     "Spiessens & Debois 2010", Intersection::dunnett},
}};

// What the look comes to. Populations that go on are those tested at the end.
enum class EnrichmentAction { all, both, subgroup, stop };

inline constexpr std::array<base::Named<EnrichmentAction>, 4> k_enrichment_actions{{
    {"go_on_with_all", "recruitment goes on; all patients are tested alone", "", EnrichmentAction::all},
    {"go_on_with_both", "recruitment goes on; both populations are tested", "", EnrichmentAction::both},
    {"restrict_to_subgroup", "only patients of the subgroup are recruited, and tested alone", "",
     EnrichmentAction::subgroup},
    {"stop", "neither population is promising", "", EnrichmentAction::stop},
}};

struct EnrichmentSpec {
  Subgroup subgroup;
  EnrichmentRule rule = EnrichmentRule::thresholds;
  EnrichmentStatistic statistic = EnrichmentStatistic::conditional_power;
  double least_all = 0;       // of thresholds and all_first
  double least_subgroup = 0;  // likewise
  double within = 0;          // of closeness
  double at_least = 0;        // likewise
  // Patients randomised after a restriction; absent: as many as the plan had left.
  std::optional<int> stage_2_patients;
  ClosedTestSpec test;
  double information = 0.5;  // planned share of stage 1
  int n_interim = 0;         // patients that are enrolled at the look at least
};

// By the statistics of all patients and of the subgroup.
EnrichmentAction choose(const EnrichmentSpec& rules, double of_all, double of_subgroup);

// Reads what the kind has beside the keys of every design; `spec` has those and the looks: `subgroup`
// ({factor, level}), `enrichment` ({rule, on, and the rule's own thresholds}), `stage_2`
// ({subgroup_patients}), `intersection` (simes), `combination` (inverse_normal or fisher), `efficacy`
// (a boundary that may stop the trial at the look; absent: none does) and `interim_information` where
// the look is not triggered by a number of outcomes.
EnrichmentSpec read_enrichment(input::Reader& reader, const DesignSpec& spec, const StudyNames& names);

// Two stages and two nested hypotheses, of all patients and of the subgroup (Brannath et al. 2009;
// Jenkins, Stone & Jennison 2011). Stage 1's patients are those known at the look. Where recruitment is
// restricted the pipeline is followed, and its patients of the subgroup belong to stage 2. Upper side
// alone: a two-sided analysis gives half its alpha.
//
// Inference on a population: the p-value is the largest of the closed test's; the estimate is that of
// the combination of the stages' (log) effects, median unbiased of a population not chosen; the
// interval takes the stage at which populations are chosen with a p-value adjusted for two
// (Bonferroni), and so holds whichever is chosen (Brannath et al. 2009, section 3.3). Undefined where a
// stage's standard error is.
std::shared_ptr<const StagedDesign> make_enrichment(const DesignSpec& spec, const EnrichmentSpec& rules,
                                                    const DesignContext& context);

}  // namespace trialwright::design
