#include <fmt/format.h>

#include <memory>
#include <span>

#include "analysis/choices.hpp"
#include "app/command.hpp"
#include "design/design_spec.hpp"
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

std::vector<Kind> kinds() {
  return {
      {"distributions", "population.covariates.*.distribution", rows(patient::distribution_table())},
      {"courses", "measures.*.course.model", rows(patient::course_model_table())},
      {"measures", "measures.*.kind", rows(patient::link_kind_table())},
      {"correlations", "measures.*.visit_correlation.kind", rows(patient::visit_correlation_table())},
      {"endpoints", "endpoints.*.kind", rows(endpoint::k_endpoint_kinds)},
      {"strategies", "estimands.*.rescue, .discontinuation", rows(estimand::k_event_strategies)},
      {"dropout", "estimands.*.dropout", rows(estimand::k_dropout_strategies)},
      {"analyses", "analyses.*.method", rows(analysis::method_table())},
      {"effects", "analyses.*.effect", rows(analysis::effect_measure_table())},
      {"intervals", "analyses.*.interval", rows(analysis::interval_method_table())},
      {"designs", "designs.*.kind", rows(design::k_design_kinds)},
      {"boundaries", "designs.*.efficacy.boundary, .harm.boundary; boundaries --efficacy",
       rows(sequential::k_families)},
      {"randomisation", "designs.*.randomisation.method", rows(design::k_randomisation_methods)},
      {"truths", "scenarios.*.truth.draw (beside effect and odds_ratio)",
       rows(scenario::truth_draw_table())},
      {"engines", "simulation.engine", rows(scenario::engine_table())},
      {"compressions", "outputs.compression", rows(scenario::compression_table())},
      {"precision", "simulation.precision.metric", rows(scenario::precision_metric_table())},
  };
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
