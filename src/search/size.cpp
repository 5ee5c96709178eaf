#include "search/size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.hpp"
#include "base/named_table.hpp"
#include "design/randomisation.hpp"
#include "exact/exact_power.hpp"
#include "search/power_sampler.hpp"
#include "search/simulated_size.hpp"

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

class ExactSearch {
 public:
  ExactSearch(const trial::TrialPlan& plan, const SizeGrid& grid, double target)
      : grid_(grid), analysis_(plan.analyses.front()) {
    const auto rates = plan.exact_rates(analysis_);
    question_.test = analysis_.test.spec();
    const auto ratio = design::reduced_ratio(plan.allocation->arms());
    for (std::size_t i = 0; i < plan.arms.size(); ++i)
      (plan.arms[i] == analysis_.arm_1 ? question_.ratio_1 : question_.ratio_0) = ratio[i];
    question_.p_1 = rates->rate_1;
    question_.p_0 = rates->rate_0;
    question_.target_power = target;
    question_.max_total = grid.maximum;
  }

  void run(SizeAnswer& answer) const {
    const auto found = exact::smallest_sample_size(question_);
    answer.is_exact = true;
    answer.scanned_to = found.scanned_to;
    if (found.approximate.n_1 > 0) answer.approximate = at(found.approximate);
    for (const auto& neighbour : found.neighbours)
      if (total(neighbour) >= grid_.minimum) answer.neighbours.push_back(at(neighbour));
    if (!found.found) {
      answer.outcome = SizeOutcome::not_reached;
      answer.smallest = at(grid_.maximum);
      return;
    }
    if (found.sustained_found && total(found.sustained) >= grid_.minimum)
      answer.sustained = at(found.sustained);
    answer.smallest = at(found.smallest);
    if (total(found.smallest) < grid_.minimum) start_at_minimum(answer);
  }

 private:
  static int total(const exact::PowerAt& power) { return power.n_1 + power.n_0; }

  // Sizes below the minimum were found: the smallest from the minimum on.
  void start_at_minimum(SizeAnswer& answer) const {
    answer.smallest = at(grid_.minimum);
    if (answer.smallest.power >= question_.target_power) {
      answer.outcome = SizeOutcome::minimum_suffices;
      return;
    }
    const auto first =
        std::find_if(answer.neighbours.begin(), answer.neighbours.end(),
                     [&](const auto& size) { return size.power >= question_.target_power; });
    answer.outcome = first == answer.neighbours.end() ? SizeOutcome::not_reached : SizeOutcome::found;
    if (first != answer.neighbours.end()) answer.smallest = *first;
  }

  PowerAtSize at(const exact::PowerAt& power) const {
    return {total(power), {}, power.power, 0, {0, 0}, 0};
  }
  PowerAtSize at(int patients) const {
    const int n_units = patients / grid_.unit;
    return at({n_units * question_.ratio_1, n_units * question_.ratio_0,
               exact::exact_power(question_.test, n_units * question_.ratio_1,
                                  n_units * question_.ratio_0, question_.p_1, question_.p_0)});
  }

  const SizeGrid& grid_;
  const trial::PlannedAnalysis& analysis_;
  exact::SampleSizeQuestion question_;
};

std::string why_not_exact(const trial::TrialPlan& plan, const SizeQuestion& question) {
  if (question.method == SizeMethod::simulated) return "simulation was asked for";
  const auto power = plan.exact_power(plan.analyses.front());
  if (!power.power) return power.why_not;
  if (!std::holds_alternative<design::RandomAllocation>(plan.allocation->randomisation()))
    return "the arm sizes are random";
  return {};
}

void fill_arms(const std::vector<design::ArmShare>& arms, PowerAtSize& power) {
  if (power.patients > 0) power.arm_patients = design::arm_totals(power.patients, arms);
}

}  // namespace

SizeAnswer find_size(scenario::Study& study, const SizeQuestion& question, int n_threads,
                     engine::Monitor* monitor) {
  const auto point = only_hypothesis(study, question);
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
  if (answer.why_simulated.empty()) {
    ExactSearch(*probe, grid, question.target).run(answer);
  } else {
    search_by_simulation(sampler, grid, question, planned->n_patients, answer);
  }
  for (auto* power : {&answer.smallest, &answer.sustained, &answer.approximate})
    fill_arms(planned->allocation->arms(), *power);
  for (auto& power : answer.neighbours) fill_arms(planned->allocation->arms(), power);
  return answer;
}

}  // namespace trialwright::search
