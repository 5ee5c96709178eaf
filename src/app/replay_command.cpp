#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "app/command.hpp"
#include "app/replay_text.hpp"
#include "base/durable_file.hpp"
#include "engine/point_engine.hpp"
#include "report/directory.hpp"
#include "trial/patient_rows.hpp"
#include "trial/simulate_trial.hpp"
#include "trial/staged_trial.hpp"

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
  const auto columns =
      plan.staged ? trial::RowColumns::of_staged_designs : trial::RowColumns::of_fixed_designs;
  const trial::PatientRows rows(plan, estimands, columns);
  std::string csv = trial::PatientRows::columns(*plan.model, estimands, columns) + "\n";
  for (std::size_t i = 0; i < trial::n_randomised(plan, workspace); ++i) rows.append(workspace, i, csv);
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
  for (std::size_t patient = 0; patient < trial::n_randomised(plan, workspace); ++patient) {
    const std::size_t i = trial::candidate_of(plan, workspace, patient);
    csv += fmt::format("{},0", patient + 1);
    for (const auto& measure : model.measures())
      csv += fmt::format(",{:.10g}",
                         cohort.covariates[static_cast<std::size_t>(measure.baseline_covariate)][i]);
    csv += "\n";
    for (std::size_t v = 0; v < weeks.size(); ++v) {
      csv += fmt::format("{},{:.10g}", patient + 1, weeks[v]);
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
  // Events stand by patient, as those randomised do.
  auto event = workspace.cohort.adverse_events.begin();
  const auto end = workspace.cohort.adverse_events.end();
  for (std::size_t patient = 0; patient < trial::n_randomised(plan, workspace); ++patient) {
    const std::size_t i = trial::candidate_of(plan, workspace, patient);
    const auto& arm = model.arms()[static_cast<std::size_t>(workspace.cohort.arm[i])].name;
    while (event != end && static_cast<std::size_t>(event->patient) < i) ++event;
    for (; event != end && static_cast<std::size_t>(event->patient) == i; ++event)
      csv += fmt::format("{},{},{:.3f},{},{},{},{:.3f}\n", patient + 1, arm, event->week,
                         model.adverse_event_categories()[static_cast<std::size_t>(event->category)],
                         event->grade, event->serious ? 1 : 0, event->recovered_week);
  }
  return csv;
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
  trial::StagedOutcome staged;
  std::vector<trial::LookRecord> looks;
  const auto number = static_cast<std::uint64_t>(trial);
  if (plan->staged)
    trial::simulate_staged(*plan, number, trial::every_need(*plan->model), workspace, staged, &looks);
  else
    trial::simulate_trial(*plan, number, trial::every_need(*plan->model), workspace);
  const ReplayedTrial replayed{*plan, workspace, staged, looks};

  const std::filesystem::path directory =
      options.output.empty()
          ? fmt::format("results/replay-{}-{}-{}", options.design, options.scenario, trial)
          : options.output;
  report::claim_directory(directory, fmt::format("{:016x}", study.hash()));
  base::write_file(directory / "patients.csv", patients_csv(*plan, workspace));
  base::write_file(directory / "visits.csv", visits_csv(*plan, workspace));
  base::write_file(directory / "adverse_events.csv", adverse_events_csv(*plan, workspace));
  const std::string decisions = decisions_of(replayed);
  base::write_file(directory / "decisions.txt", decisions);
  if (options.common.json) {
    print(as_json(replayed, trial, directory).dump(1) + "\n");
    return ExitStatus::done;
  }
  print(fmt::format("trial {} of {} under {}\n{}written to {}\n", trial, options.design,
                    options.scenario, decisions, directory.string()));
  return ExitStatus::done;
}

}  // namespace

void add_replay_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("replay", "one trial again: its patients, and its decisions");
  describe(
      *command,
      "Makes one trial of a run again, to the bit, and writes its patients, visits and adverse "
      "events as tidy\n"
      "CSV and its decisions as text. Trials count from 0. A swept value is the one in the file, "
      "or of --set.\n"
      "Of a design that looks before the end it tells look by look when the data were cut and the "
      "decision\n"
      "made, who was randomised and known by then, what was read and decided, and the inference that "
      "allows for it;\n"
      "the files hold those who were really randomised.\n"
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
