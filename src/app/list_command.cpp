#include <fmt/format.h>

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "analysis/choices.hpp"
#include "analysis/commensurate.hpp"
#include "app/command.hpp"
#include "design/closed_test.hpp"
#include "design/design_spec.hpp"
#include "design/enrichment.hpp"
#include "design/futility.hpp"
#include "design/looks.hpp"
#include "design/reestimation.hpp"
#include "design/reestimation_rule.hpp"
#include "design/reestimation_sizing.hpp"
#include "design/selection.hpp"
#include "design/selection_rules.hpp"
#include "design/withdrawal.hpp"
#include "endpoint/endpoint.hpp"
#include "estimand/estimand.hpp"
#include "patient/course.hpp"
#include "patient/linked_measures.hpp"
#include "patient/population.hpp"
#include "patient/visit_correlation.hpp"
#include "scenario/outputs_spec.hpp"
#include "scenario/scenario_spec.hpp"
#include "scenario/simulation_spec.hpp"
#include "sequential/boundary.hpp"
#include "sequential/combination.hpp"
#include "sequential/multi_arm.hpp"

namespace trialwright::app {
namespace {

struct Kind {
  std::string_view name;
  std::string_view where;  // the key of the study file that takes it
  std::string text;
};

template <class T>
std::string rows(std::span<const base::Named<T>> table) {
  std::string text;
  for (const auto& row : table) {
    text += fmt::format("  {:<22} {}\n", row.name, row.help);
    if (!row.source.empty()) text += fmt::format("  {:<22}   [{}]\n", "", row.source);
  }
  return text;
}

template <class T, std::size_t n>
std::string rows(const std::array<base::Named<T>, n>& table) {
  return rows(std::span<const base::Named<T>>(table));
}

std::vector<Kind> kinds_of_patients() {
  return {
      {"distributions", "population.covariates.*.distribution", rows(patient::distribution_table())},
      {"courses", "measures.*.course.model", rows(patient::course_model_table())},
      {"measures", "measures.*.kind", rows(patient::link_kind_table())},
      {"correlations", "measures.*.visit_correlation.kind", rows(patient::visit_correlation_table())},
      {"endpoints", "endpoints.*.kind", rows(endpoint::k_endpoint_kinds)},
      {"strategies", "estimands.*.rescue, .discontinuation", rows(estimand::k_event_strategies)},
      {"dropout", "estimands.*.dropout", rows(estimand::k_dropout_strategies)},
      {"analyses", "analyses.*.method", rows(analysis::method_table())},
      {"heterogeneity", "analyses.*.borrow.prior, of the method commensurate",
       rows(analysis::k_heterogeneity_priors)},
      {"effects", "analyses.*.effect", rows(analysis::effect_measure_table())},
      {"intervals", "analyses.*.interval", rows(analysis::interval_method_table())},
  };
}

// What designs of one kind or of several have in common.
std::vector<Kind> kinds_of_designs() {
  return {
      {"designs", "designs.*.kind", rows(design::k_design_kinds)},
      {"randomisation", "designs.*.randomisation.method", rows(design::k_randomisation_methods)},
      {"imbalances", "designs.*.randomisation.imbalance, of minimisation", rows(design::k_imbalances)},
      {"pauses", "designs.*.pause, beside looks", rows(design::k_pauses)},
      {"overruns", "designs.*.overrun, beside looks", rows(design::k_overruns)},
      {"boundaries",
       "designs.*.efficacy.boundary, .harm.boundary, .futility.boundary; boundaries --efficacy",
       rows(sequential::k_families)},
      {"futility", "designs.*.futility.rule of group_sequential", rows(design::k_futility_rules)},
      {"futility_effects", "designs.*.futility.effect", rows(design::k_foretold_effects)},
      {"combinations", "designs.*.combination", rows(sequential::k_combinations)},
      {"intersections", "designs.*.intersection of treatment_selection", rows(design::k_intersections)},
      {"stops", "why a trial ended: reasons of stop_probability, stop_reason of trials.csv",
       rows(design::k_stop_reason_names)},
  };
}

std::vector<Kind> kinds_of_one_design() {
  return {
      {"reestimation", "designs.*.reestimation.rule", rows(design::k_reestimation_rules)},
      {"reestimation_effects", "designs.*.reestimation.effect", rows(design::k_foreseen_effects)},
      {"reestimation_variances", "designs.*.reestimation.variance", rows(design::k_sizing_variances)},
      {"reestimation_keeps", "designs.*.reestimation.keeps, of blinded_rate",
       rows(design::k_kept_effects)},
      {"reestimation_resizes", "designs.*.reestimation.resizes, of several looks",
       rows(design::k_resizes)},
      {"reestimation_futility", "designs.*.futility.rule of sample_size_reestimation",
       rows(design::k_reestimation_stops)},
      {"reestimation_actions", "what looks of sample_size_reestimation decide, in results",
       rows(design::k_size_actions)},
      {"selection", "designs.*.selection.rule", rows(design::k_selection_rules)},
      {"ties", "designs.*.selection.ties", rows(design::k_ties)},
      {"stop_when", "designs.*.stop_when of treatment_selection, beside efficacy",
       rows(design::k_stop_when)},
      {"multi_arm_boundaries", "designs.*.boundary of multi_arm_multi_stage",
       rows(sequential::k_multi_arm_shapes)},
      {"multi_arm_futility", "designs.*.futility of multi_arm_multi_stage",
       rows(sequential::k_multi_arm_futilities)},
      {"enrichment", "designs.*.enrichment.rule", rows(design::k_enrichment_rules)},
      {"enrichment_statistics", "designs.*.enrichment.on", rows(design::k_enrichment_statistics)},
      {"population_intersections", "designs.*.intersection of enrichment",
       rows(design::k_population_intersections)},
      {"enrichment_actions", "what looks of enrichment decide, in results",
       rows(design::k_enrichment_actions)},
      {"maintenance", "designs.*.maintenance.analyses.*.outcome", rows(design::k_maintenance_outcomes)},
  };
}

std::vector<Kind> kinds_of_runs() {
  return {
      {"truths", "scenarios.*.truth.draw (beside effect and odds_ratio)",
       rows(scenario::truth_draw_table())},
      {"engines", "simulation.engine", rows(scenario::engine_table())},
      {"compressions", "outputs.compression", rows(scenario::compression_table())},
      {"precision", "simulation.precision.metric", rows(scenario::precision_metric_table())},
  };
}

std::vector<Kind> kinds() {
  std::vector<Kind> all = kinds_of_patients();
  for (auto* part : {&kinds_of_designs, &kinds_of_one_design, &kinds_of_runs})
    for (Kind& kind : (*part)()) all.push_back(std::move(kind));
  return all;
}

ExitStatus run(const std::string& wanted) {
  std::string text;
  std::vector<std::string> names;
  for (const auto& kind : kinds()) {
    names.emplace_back(kind.name);
    if (!wanted.empty() && wanted != kind.name) continue;
    text += fmt::format("{}  ({})\n{}\n", kind.name, kind.where, kind.text);
  }
  if (text.empty()) {
    const std::string near = base::closest(wanted, names);
    throw bad_input(
        fmt::format("error: there is no kind \"{}\" to list ({}{})", wanted,
                    near.empty() ? "known: " : fmt::format("did you mean {}? known: ", near),
                    fmt::join(names, ", ")));
  }
  print(text);
  return ExitStatus::done;
}

}  // namespace

void add_list_command(CLI::App& app, Action& action) {
  auto wanted = std::make_shared<std::string>();
  auto* command = app.add_subcommand("list", "what a study file can name, each with help and source");
  describe(*command,
           "Lists endpoints, analyses, designs and everything else that a study file chooses by name.");
  command->add_option("KIND", *wanted, "one kind only, such as analyses");
  command->callback([&action, wanted] { action = [wanted] { return run(*wanted); }; });
}

}  // namespace trialwright::app
