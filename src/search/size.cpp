#include "search/size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/named_table.hpp"
#include "design/randomisation.hpp"
#include "search/exact_size.hpp"
#include "search/power_sampler.hpp"
#include "search/simulated_size.hpp"
#include "trialwright/error.hpp"

namespace trialwright::search {
namespace {

// A size at which it is quickly seen whether a plan has an exact power.
constexpr int k_probe_patients = 60;

// The question's hypothesis as the design's only analysis, without a setting of its patients.
scenario::PointSpec only_hypothesis(const scenario::Study& study, const SizeQuestion& question) {
  const auto& spec = study.spec();
  scenario::PointSpec point = question.point;
  const std::string design = "designs." + point.design;
  std::erase_if(point.sweep,
                [&](const auto& setting) { return setting.first == design + ".patients"; });
  if (!question.hypothesis.empty()) {
    std::vector<std::string> names;
    for (const auto& analysis : spec.analyses) names.push_back(analysis.name);
    if (std::find(names.begin(), names.end(), question.hypothesis) == names.end()) {
      const std::string near = base::closest(question.hypothesis, names);
      throw bad_input(fmt::format("error: the study has no analysis \"{}\"{}", question.hypothesis,
                                  near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near)));
    }
    point.sweep.emplace_back(design + ".primary", input::Node::scalar(question.hypothesis));
  }
  point.sweep.emplace_back(design + ".secondary", input::Node::sequence());
  return point;
}

// Where a look's number would not grow with the patients.
const char* fixed_amount(const design::LookTrigger& trigger) {
  struct Of {
    const char* operator()(const design::OutcomesKnown& rule) const {
      return rule.patients.is_fraction ? nullptr : "outcomes";
    }
    const char* operator()(const design::PatientsEnrolled& rule) const {
      return rule.patients.is_fraction ? nullptr : "enrolled";
    }
    const char* operator()(const design::EventsSeen&) const { return "events"; }
    const char* operator()(const design::CalendarDate&) const { return nullptr; }
    const char* operator()(const design::FirstOf& rule) const { return any(rule.triggers); }
    const char* operator()(const design::LastOf& rule) const { return any(rule.triggers); }
    static const char* any(const std::vector<design::LookTrigger>& triggers) {
      for (const auto& one : triggers)
        if (const char* key = fixed_amount(one)) return key;
      return nullptr;
    }
  };
  return std::visit(Of{}, trigger.rule);
}

// Designs whose size is one number that everything else of them follows.
void check_has_size(const design::DesignSpec& design) {
  const bool is_sequential = design.kind() == design::DesignKind::group_sequential;
  const bool is_fixed = design.kind() == design::DesignKind::fixed ||
                        design.kind() == design::DesignKind::randomised_withdrawal;
  if (!is_fixed && !is_sequential)
    throw bad_input(fmt::format(
        "error: design \"{}\" is of kind {} (the size is searched of fixed and group sequential designs; of "
        "others sweep what its sizes are, with run)",
        design.name, base::name_of<design::DesignKind>(design::k_design_kinds, design.kind())));
  if (!design.looks) return;
  for (const auto& trigger : design.looks->interim)
    if (const char* key = fixed_amount(trigger))
      throw bad_input(fmt::format(
          "error: design \"{}\" has a look at a number of {} (which would stay while the patients are "
          "searched); write it as a fraction, such as {}: 0.5",
          design.name, key, std::string_view(key) == "events" ? "outcomes" : key));
}

SizeGrid grid_of(const trial::TrialPlan& plan, const SizeQuestion& question) {
  const auto ratio = design::reduced_ratio(plan.allocation->arms());
  SizeGrid grid;
  grid.unit = std::accumulate(ratio.begin(), ratio.end(), 0);
  int least = grid.unit;
  if (const auto* blocks = std::get_if<design::PermutedBlock>(&plan.allocation->randomisation()))
    least = std::max(least, blocks->block_size);
  const std::int64_t most = std::min<std::int64_t>(question.maximum, plan.model->capacity());
  least = std::max(least, question.minimum);
  grid.minimum = (least + grid.unit - 1) / grid.unit * grid.unit;
  grid.maximum = static_cast<int>(most / grid.unit * grid.unit);
  if (grid.minimum > grid.maximum)
    throw bad_input(
        fmt::format("error: design \"{}\" has no size from {} to {} patients (whole units of {}, the "
                    "sites' capacity, "
                    "at least one block)",
                    plan.design, question.minimum, most, grid.unit));
  return grid;
}

std::string why_not_exact(const trial::TrialPlan& plan, const SizeQuestion& question) {
  if (question.method == SizeMethod::simulated) return "simulation was asked for";
  const auto power = plan.exact_power(plan.analyses.front());
  return power.power ? std::string() : power.why_not;
}

bool shows_harm(const trial::TrialPlan& plan, const PowerSampler& sampler, const SizeAnswer& answer) {
  const auto& analysis = plan.analyses.front();
  if (analysis.test.spec().sides != analysis::Sides::two) return false;
  const int patients = answer.smallest.patients;
  const std::uint64_t n_trials = sampler.n_trials(patients);
  if (!answer.is_exact)
    return 2 * sampler.n_rejected_for_harm(patients) > sampler.n_rejected(patients, n_trials);
  const auto rates = plan.exact_rates(analysis);
  const double difference = rates->rate_1 - rates->rate_0;
  return analysis.test.spec().direction == analysis::Direction::higher_is_better ? difference < 0
                                                                                 : difference > 0;
}

void fill_arms(const std::vector<design::ArmShare>& arms, PowerAtSize& power) {
  if (power.patients > 0) power.arm_patients = design::arm_totals(power.patients, arms);
}

}  // namespace

std::shared_ptr<const trial::TrialPlan> plan_of(scenario::Study& study, const SizeQuestion& question) {
  return study.plan(only_hypothesis(study, question));
}

SizeAnswer find_size(scenario::Study& study, const SizeQuestion& question, int n_threads,
                     engine::Monitor* monitor) {
  const auto point = only_hypothesis(study, question);
  if (const auto* design = study.spec().design(point.design)) check_has_size(*design);
  const auto planned = study.plan(point);
  const SizeGrid grid = grid_of(*planned, question);
  PowerSampler sampler(study, point, n_threads, monitor);
  const auto probe = sampler.plan(grid.up(std::max(k_probe_patients, grid.minimum)));

  SizeAnswer answer;
  answer.hypothesis = planned->analyses.front().name;
  answer.is_assurance = planned->model->truth_is_drawn();
  for (const auto& share : planned->allocation->arms())
    answer.arms.push_back(planned->model->arms()[static_cast<std::size_t>(share.arm)].name);
  answer.why_simulated = why_not_exact(*probe, question);
  if (answer.why_simulated.empty())
    answer.why_simulated = search_by_enumeration(sampler, *probe, grid, question, answer);
  answer.is_exact = answer.why_simulated.empty();
  if (!answer.is_exact) search_by_simulation(sampler, grid, question, planned->n_patients, answer);
  answer.shows_harm = shows_harm(*planned, sampler, answer);
  for (auto* power : {&answer.smallest, &answer.sustained, &answer.approximate, &answer.highest})
    fill_arms(planned->allocation->arms(), *power);
  for (auto& power : answer.neighbours) fill_arms(planned->allocation->arms(), power);
  return answer;
}

}  // namespace trialwright::search
