#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.hpp"
#include "base/durable_file.hpp"
#include "engine/point_engine.hpp"
#include "report/directory.hpp"
#include "trial/patient_rows.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::app {
namespace {

struct Options {
  CommonOptions common;
  std::string design;
  std::string scenario;
  std::string trial;
  std::string output;
};

// One row a patient.
std::string patients_csv(const trial::TrialPlan& plan, const trial::Workspace& workspace) {
  const auto estimands = trial::estimand_names(plan);
  const trial::PatientRows rows(plan, estimands);
  std::string csv = trial::PatientRows::columns(*plan.model, estimands) + "\n";
  for (std::size_t i = 0; i < static_cast<std::size_t>(plan.n_patients); ++i)
    rows.append(workspace, i, csv);
  return csv;
}

// One row a patient and visit, baseline included; empty after the patient has left.
std::string visits_csv(const trial::TrialPlan& plan, const trial::Workspace& workspace) {
  const auto& model = *plan.model;
  const auto& cohort = workspace.cohort;
  const auto& weeks = model.visit_weeks();
  std::string csv = "patient,week";
  for (const auto& measure : model.measures()) csv += "," + measure.name;
  csv += "\n";
  for (std::size_t i = 0; i < static_cast<std::size_t>(cohort.n_patients); ++i) {
    csv += fmt::format("{},0", i + 1);
    for (const auto& measure : model.measures())
      csv += fmt::format(",{:.10g}",
                         cohort.covariates[static_cast<std::size_t>(measure.baseline_covariate)][i]);
    csv += "\n";
    for (std::size_t v = 0; v < weeks.size(); ++v) {
      csv += fmt::format("{},{:.10g}", i + 1, weeks[v]);
      for (std::size_t m = 0; m < model.measures().size(); ++m)
        csv += cohort.dropout_weeks[i] <= weeks[v]
                   ? std::string(",")
                   : fmt::format(",{:.10g}", cohort.values[m * weeks.size() + v][i]);
      csv += "\n";
    }
  }
  return csv;
}

std::string adverse_events_csv(const trial::TrialPlan& plan, const trial::Workspace& workspace) {
  const auto& model = *plan.model;
  std::string csv = "patient,arm,week,category,grade,serious,recovered_week\n";
  for (const auto& event : workspace.cohort.adverse_events)
    csv += fmt::format("{},{},{:.3f},{},{},{},{:.3f}\n", event.patient + 1,
                       model
                           .arms()[static_cast<std::size_t>(
                               workspace.cohort.arm[static_cast<std::size_t>(event.patient)])]
                           .name,
                       event.week,
                       model.adverse_event_categories()[static_cast<std::size_t>(event.category)],
                       event.grade, event.serious ? 1 : 0, event.recovered_week);
  return csv;
}

double p_value(const trial::TrialPlan& plan, const trial::Workspace& workspace,
               std::size_t i_analysis) {
  const auto& strata = workspace.strata[i_analysis];
  const auto& table = workspace.outcome.analyses[i_analysis].table;
  return analysis::test(plan.analyses[i_analysis].test.spec(),
                        strata.empty() ? std::span{&table, 1} : std::span{strata})
      .p_value;
}

const char* effect_name(analysis::EffectMeasure effect) {
  switch (effect) {
    case analysis::EffectMeasure::risk_difference:
      return "estimate";
    case analysis::EffectMeasure::risk_ratio:
      return "risk ratio";
    case analysis::EffectMeasure::odds_ratio:
      return "odds ratio";
    case analysis::EffectMeasure::hazard_ratio:
      return "hazard ratio";
  }
  return "";
}

std::string decisions(const trial::TrialPlan& plan, const trial::Workspace& workspace) {
  const auto& outcome = workspace.outcome;
  std::string text = fmt::format(
      "look 1 (final): {} patients randomised in {:.1f} months ({} screened), last visit at {:.1f} months\n",
      plan.n_patients, outcome.enrolment_months, outcome.n_screened, outcome.duration_months);
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    const auto& analysis = plan.analyses[i];
    const auto& one = outcome.analyses[i];
    const auto& arms = plan.model->arms();
    text += fmt::format("  {}: {} {}/{} against {} {}/{}", analysis.name,
                        arms[static_cast<std::size_t>(analysis.arm_1)].name, one.table.responders_1,
                        one.table.n_1, arms[static_cast<std::size_t>(analysis.arm_0)].name,
                        one.table.responders_0, one.table.n_0);
    if (one.estimate.defined)
      text += fmt::format(", {} {:.4f} ({:.4f} to {:.4f})", effect_name(analysis.effect),
                          one.estimate.value, one.estimate.lower, one.estimate.upper);
    text += fmt::format(", p = {:.4g}: {}\n", p_value(plan, workspace, i),
                        one.rejected ? "rejected" : "not rejected");
  }
  return text;
}

nlohmann::ordered_json as_json(const trial::TrialPlan& plan, const trial::Workspace& workspace,
                               std::int64_t trial, const std::filesystem::path& directory) {
  const auto& outcome = workspace.outcome;
  nlohmann::ordered_json json{{"design", plan.design},
                              {"scenario", plan.scenario},
                              {"trial", trial},
                              {"patients", plan.n_patients},
                              {"screened", outcome.n_screened},
                              {"enrolment_months", outcome.enrolment_months},
                              {"duration_months", outcome.duration_months},
                              {"directory", directory.string()},
                              {"analyses", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    const auto& one = outcome.analyses[i];
    nlohmann::ordered_json analysis{{"hypothesis", plan.analyses[i].name},
                                    {"events", {one.table.responders_1, one.table.responders_0}},
                                    {"patients", {one.table.n_1, one.table.n_0}},
                                    {"p_value", p_value(plan, workspace, i)},
                                    {"rejected", one.rejected}};
    if (one.estimate.defined)
      analysis["estimate"] = {one.estimate.value, one.estimate.lower, one.estimate.upper};
    json["analyses"].push_back(std::move(analysis));
  }
  return json;
}

// The sweep point that --set leaves: every axis must be settled by it or have one value.
scenario::PointSpec point_of(const scenario::Study& study, const Options& options) {
  for (const auto& point : study.points())
    if (point.design == options.design && point.scenario == options.scenario) return point;
  throw bad_input(fmt::format("error: the study has no design \"{}\" under a scenario \"{}\"",
                              options.design, options.scenario));
}

ExitStatus run(const Options& options) {
  const auto trial = parse_integer("--trial", options.trial, 0, (std::int64_t{1} << 47) - 1);
  auto study = load_study(options.common);
  auto point = point_of(study, options);
  // A swept value takes what the file or --set says, not the sweep's first.
  point.sweep.clear();
  const auto plan = study.plan(point);
  if (engine::engine_of(study, *plan).counts)
    fmt::print(stderr,
               "note: a run of this study draws trial {} as counts (same law, other numbers); with "
               "simulation.engine: patients it is the trial replayed here\n",
               trial);
  trial::Workspace workspace;
  workspace.prepare(*plan);
  trial::simulate_trial(*plan, static_cast<std::uint64_t>(trial), trial::every_need(*plan->model),
                        workspace);

  const std::filesystem::path directory =
      options.output.empty()
          ? fmt::format("results/replay-{}-{}-{}", options.design, options.scenario, trial)
          : options.output;
  report::claim_directory(directory, fmt::format("{:016x}", study.hash()));
  base::write_file(directory / "patients.csv", patients_csv(*plan, workspace));
  base::write_file(directory / "visits.csv", visits_csv(*plan, workspace));
  base::write_file(directory / "adverse_events.csv", adverse_events_csv(*plan, workspace));
  base::write_file(directory / "decisions.txt", decisions(*plan, workspace));
  if (options.common.json) {
    print(as_json(*plan, workspace, trial, directory).dump(1) + "\n");
    return ExitStatus::done;
  }
  print(fmt::format("trial {} of {} under {}\n{}written to {}\n", trial, options.design,
                    options.scenario, decisions(*plan, workspace), directory.string()));
  return ExitStatus::done;
}

}  // namespace

void add_replay_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("replay", "one trial again: its patients, and its decisions");
  describe(*command,
           "Makes one trial of a run again, to the bit, and writes its patients, visits and adverse "
           "events as tidy\n"
           "CSV and its decisions as text. Trials count from 0. A swept value is the one in the file, "
           "or of --set.\n"
           "Where the run draws counts instead of patients (simulation.engine), its trial K has other "
           "numbers of\n"
           "the same law, and a note says so.");
  add_study_options(*command, options->common);
  command->add_option("--design", options->design, "which design")->required();
  command->add_option("--scenario", options->scenario, "which scenario")->required();
  command->add_option("--trial", options->trial, "which trial, from 0")->required()->type_name("K");
  command->add_option("-o,--output", options->output,
                      "directory to write to (default results/replay-DESIGN-SCENARIO-K)");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
