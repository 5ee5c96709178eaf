#include "app/replay_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "trial/look_text.hpp"
#include "trial/patient_rows.hpp"

namespace trialwright::app {
namespace {

using nlohmann::ordered_json;

bool is_hypothesis(const ReplayedTrial& trial, std::size_t i_analysis) {
  return trial.plan.staged && static_cast<int>(i_analysis) < trial.plan.n_hypotheses;
}

bool is_in(design::Bits set, std::size_t i) {
  return (set >> i & 1U) != 0;
}

double p_value(const ReplayedTrial& trial, std::size_t i_analysis) {
  const auto& analysis = trial.plan.analyses[i_analysis];
  const auto& outcome = trial.workspace.outcome.analyses[i_analysis];
  if (analysis.maintenance) return outcome.p_value;
  const auto& strata = trial.workspace.strata[i_analysis];
  return trial::p_value(analysis, strata.empty() ? std::span{&outcome.table, 1} : std::span{strata});
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

// By the design, of its hypotheses; else by the planned test.
bool is_rejected(const ReplayedTrial& trial, std::size_t i_analysis) {
  return is_hypothesis(trial, i_analysis) ? is_in(trial.staged.rejected, i_analysis)
                                          : trial.workspace.outcome.analyses[i_analysis].rejected;
}

// "hcmsc 19/33 against placebo 11/34"
std::string comparison(const trial::TrialPlan& plan, const trial::PlannedAnalysis& analysis,
                       const analysis::TwoByTwo& table) {
  const auto name = [&](int arm) -> const std::string& {
    const auto i_arm = static_cast<std::size_t>(arm);
    return analysis.maintenance ? plan.maintenance->spec().arms[i_arm].name
                                : plan.model->arms()[i_arm].name;
  };
  const auto& of = analysis.maintenance;
  return fmt::format("{} {}/{} against {} {}/{}", name(of ? of->arm_1 : analysis.arm_1),
                     table.responders_1, table.n_1, name(of ? of->arm_0 : analysis.arm_0),
                     table.responders_0, table.n_0);
}

// Who was randomised again, and what became of them.
std::string maintenance_text(const ReplayedTrial& trial) {
  if (!trial.plan.maintenance) return {};
  std::string text = "  randomised again:";
  const auto& arms = trial.workspace.maintenance.arms;
  for (std::size_t i = 0; i < arms.size(); ++i)
    text += fmt::format("{} {} {} (in response at the end {}, lost {}, flared {})", i > 0 ? ";" : "",
                        trial.plan.maintenance->spec().arms[i].name, arms[i].patients, arms[i].kept,
                        arms[i].lost, arms[i].flared);
  return text + "\n";
}

std::string look_text(const ReplayedTrial& trial, std::size_t i_look) {
  const auto& look = trial.looks[i_look];
  std::string text = fmt::format("look {}: ", i_look + 1);
  if (!std::isnan(look.cut_months))
    text += fmt::format("data of {:.2f} months, decided at {:.2f}; ", look.cut_months,
                        look.decision_months);
  text += fmt::format("{} patients randomised by then, {} known\n", look.n_enrolled, look.n_known);
  for (std::size_t h = 0; h < look.tables.size(); ++h) {
    const auto& hypothesis = trial.plan.analyses[h];
    text +=
        fmt::format("  {}: {}\n", hypothesis.name, comparison(trial.plan, hypothesis, look.tables[h]));
  }
  if (const auto read = trial::statistics_text(trial.plan, look.statistics); !read.empty())
    text += fmt::format("  read: {}\n", read);
  return text + fmt::format("  decision: {}\n",
                            trial::action_text(trial.plan, look,
                                               i_look > 0 ? &trial.looks[i_look - 1] : nullptr));
}

std::string end_text(const ReplayedTrial& trial) {
  const auto& outcome = trial.workspace.outcome;
  if (!trial.plan.staged)
    return fmt::format(
        "look 1 (final): {} patients randomised in {:.1f} months ({} screened), last visit at {:.1f} "
        "months\n",
        trial.plan.n_patients, outcome.enrolment_months, outcome.n_screened, outcome.duration_months);
  const auto& staged = trial.staged;
  std::string text =
      fmt::format("end: {} at look {}; {} patients randomised, {} of them known at the last look",
                  base::name_of<design::StopReason>(design::k_stop_reason_names, staged.stop),
                  staged.n_looks, staged.n_enrolled, staged.n_known);
  if (staged.n_analysed != staged.n_known)
    text += fmt::format(", {} analysed in the end", staged.n_analysed);
  if (staged.has_calendar)
    text += fmt::format("; randomised in {:.1f} months ({} screened), decided at {:.1f} months",
                        outcome.enrolment_months, outcome.n_screened, staged.decision_months);
  return text + "\n";
}

std::string allowing_text(const ReplayedTrial& trial, std::size_t i_analysis) {
  std::string text;
  if (i_analysis < trial.staged.inference.size() && trial.staged.inference[i_analysis].defined) {
    const auto& made = trial.staged.inference[i_analysis];
    text +=
        fmt::format("    allowing for the design: {} {:.4f} ({:.4f} to {:.4f}), one-sided p = {:.4g}\n",
                    effect_name(trial.plan.analyses[i_analysis].effect), made.estimate, made.lower,
                    made.upper, made.p_value);
    if (made.has_repeated())
      text += fmt::format("    repeated interval of the last look: {:.4f} to {:.4f}\n",
                          made.repeated_lower, made.repeated_upper);
  }
  return text +
         fmt::format("    taking no account of it: {}\n",
                     is_in(trial.staged.naive_rejected, i_analysis) ? "rejected" : "not rejected");
}

ordered_json numbers(const analysis::TwoByTwo& table) {
  return {{"events", {table.responders_1, table.responders_0}}, {"patients", {table.n_1, table.n_0}}};
}

ordered_json look_json(const ReplayedTrial& trial, std::size_t i_look) {
  const auto& look = trial.looks[i_look];
  const auto& plan = trial.plan;
  ordered_json json{{"look", i_look + 1}};
  if (!std::isnan(look.cut_months)) {
    json["cut_months"] = look.cut_months;
    json["decision_months"] = look.decision_months;
  }
  json["n_enrolled"] = look.n_enrolled;
  json["n_known"] = look.n_known;
  json["tables"] = ordered_json::array();
  for (std::size_t h = 0; h < look.tables.size(); ++h) {
    ordered_json table{{"hypothesis", plan.analyses[h].name}};
    table.update(numbers(look.tables[h]));
    json["tables"].push_back(std::move(table));
  }
  json["statistics"] = ordered_json::array();
  for (int i = 0; i < look.statistics.n; ++i) {
    const auto& one = look.statistics.list[static_cast<std::size_t>(i)];
    ordered_json statistic{{"name", one.name}};
    if (one.hypothesis >= 0)
      statistic["hypothesis"] = plan.analyses[static_cast<std::size_t>(one.hypothesis)].name;
    statistic["value"] = std::isfinite(one.value) ? ordered_json(one.value) : ordered_json(nullptr);
    json["statistics"].push_back(std::move(statistic));
  }
  json["action"] = look.decision.action;
  json["stop_reason"] =
      base::name_of<design::StopReason>(design::k_stop_reason_names, look.decision.stop);
  json["n_planned"] = look.n_planned;
  json["arms"] = trial::arm_names(plan, look.arms);
  json["population"] = trial::population_name(plan, look.population);
  return json;
}

void add_staged(const ReplayedTrial& trial, ordered_json& json) {
  const auto& staged = trial.staged;
  json["stop_reason"] = base::name_of<design::StopReason>(design::k_stop_reason_names, staged.stop);
  json["n_enrolled"] = staged.n_enrolled;
  json["n_known"] = staged.n_known;
  json["n_analysed"] = staged.n_analysed;
  if (staged.has_calendar) json["decision_months"] = staged.decision_months;
  json["looks"] = ordered_json::array();
  for (std::size_t i = 0; i < trial.looks.size(); ++i) json["looks"].push_back(look_json(trial, i));
}

ordered_json analysis_json(const ReplayedTrial& trial, std::size_t i) {
  const auto& one = trial.workspace.outcome.analyses[i];
  ordered_json json{{"hypothesis", trial.plan.analyses[i].name}};
  json.update(numbers(one.table));
  json["p_value"] = p_value(trial, i);
  json["rejected"] = is_rejected(trial, i);
  if (one.estimate.defined)
    json["estimate"] = {one.estimate.value, one.estimate.lower, one.estimate.upper};
  if (!is_hypothesis(trial, i)) return json;
  json["naive_rejected"] = is_in(trial.staged.naive_rejected, i);
  if (i < trial.staged.inference.size() && trial.staged.inference[i].defined) {
    const auto& made = trial.staged.inference[i];
    json["adjusted_estimate"] = {made.estimate, made.lower, made.upper};
    json["adjusted_p_value"] = made.p_value;
    if (made.has_repeated()) json["repeated_interval"] = {made.repeated_lower, made.repeated_upper};
  }
  return json;
}

}  // namespace

std::string decisions_of(const ReplayedTrial& trial) {
  std::string text;
  for (std::size_t i = 0; i < trial.looks.size(); ++i) text += look_text(trial, i);
  text += end_text(trial) + maintenance_text(trial);
  for (std::size_t i = 0; i < trial.plan.analyses.size(); ++i) {
    const auto& analysis = trial.plan.analyses[i];
    const auto& one = trial.workspace.outcome.analyses[i];
    text += fmt::format("  {}: {}", analysis.name, comparison(trial.plan, analysis, one.table));
    if (one.estimate.defined)
      text += fmt::format(", {} {:.4f} ({:.4f} to {:.4f})", effect_name(analysis.effect),
                          one.estimate.value, one.estimate.lower, one.estimate.upper);
    text += fmt::format(", p = {:.4g}: {}\n", p_value(trial, i),
                        is_rejected(trial, i) ? "rejected" : "not rejected");
    if (is_hypothesis(trial, i)) text += allowing_text(trial, i);
  }
  return text;
}

ordered_json as_json(const ReplayedTrial& trial, std::int64_t number,
                     const std::filesystem::path& directory) {
  const auto& outcome = trial.workspace.outcome;
  ordered_json json{{"design", trial.plan.design},
                    {"scenario", trial.plan.scenario},
                    {"trial", number},
                    {"patients", trial::n_randomised(trial.plan, trial.workspace)},
                    {"screened", outcome.n_screened},
                    {"enrolment_months", outcome.enrolment_months},
                    {"duration_months", outcome.duration_months},
                    {"directory", directory.string()}};
  if (trial.plan.staged) add_staged(trial, json);
  json["analyses"] = ordered_json::array();
  for (std::size_t i = 0; i < trial.plan.analyses.size(); ++i)
    json["analyses"].push_back(analysis_json(trial, i));
  return json;
}

}  // namespace trialwright::app
