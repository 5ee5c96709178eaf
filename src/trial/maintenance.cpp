#include "trial/maintenance.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "rng/stream.hpp"

namespace trialwright::trial {
namespace {

constexpr double k_days_per_week = 7;
constexpr double k_confidence = 0.95;
constexpr double k_never = std::numeric_limits<double>::infinity();

double waiting_time(double rate, rng::Stream& stream) {
  const double u = stream.next_uniform();
  return rate > 0 ? -math::log(u) / rate : k_never;
}

enum class Response { in, out, flare };

double rate_out_of(Response state, const design::MaintenanceArm& arm) {
  switch (state) {
    case Response::in:
      return arm.loss_per_week;
    case Response::out:
      return arm.flare_per_week;
    case Response::flare:
      return arm.recapture_per_week;
  }
  return 0;
}

Response after(Response state) {
  switch (state) {
    case Response::in:
      return Response::out;
    case Response::out:
      return Response::flare;
    case Response::flare:
      return Response::in;
  }
  return state;
}

}  // namespace

// One patient: when seen out of response, in flare, gone, and whether in response at the end.
struct Maintenance::Path {
  double leaves = k_never;
  int loss_visit = -1;  // index of the first visit out of response
  int last_visit = -1;  // index of the last visit attended; -1 none
  double flare = k_never;
  bool is_kept = false;

  Path(const design::MaintenanceArm& arm, double dropout_per_week, const std::vector<double>& visits,
       rng::Stream stream) {
    leaves = waiting_time(dropout_per_week, stream);
    Response state = Response::in;
    double changes = waiting_time(rate_out_of(state, arm), stream);
    for (std::size_t v = 0; v < visits.size(); ++v) {
      while (changes <= visits[v]) {
        state = after(state);
        if (state == Response::flare) flare = std::min(flare, changes);
        changes += waiting_time(rate_out_of(state, arm), stream);
      }
      if (leaves <= visits[v]) break;
      last_visit = static_cast<int>(v);
      if (state != Response::in && loss_visit < 0) loss_visit = last_visit;
    }
    is_kept = leaves > visits.back() && state == Response::in;
  }
};

Maintenance::Maintenance(design::WithdrawalSpec spec, double from_week)
    : spec_(std::move(spec)), weeks_(spec_.until_week - from_week) {
  TRIALWRIGHT_EXPECT(weeks_ > 0);
  for (int i = 1; i * spec_.visit_every_weeks < weeks_; ++i)
    visits_.push_back(i * spec_.visit_every_weeks);
  visits_.push_back(weeks_);
  const int n_days = static_cast<int>(std::ceil(weeks_ * k_days_per_week)) + 1;
  n_slots_ = std::max(n_days, static_cast<int>(visits_.size()));
  for (const auto& arm : spec_.arms) full_block_.push_back(2 * arm.ratio);
}

std::size_t Maintenance::cell(TimeKind kind, int arm, int slot) const {
  const auto row = static_cast<std::size_t>(kind) * spec_.arms.size() + static_cast<std::size_t>(arm);
  return row * static_cast<std::size_t>(n_slots_) + static_cast<std::size_t>(slot);
}

int Maintenance::draw_arm(rng::Key key, std::uint64_t trial, std::uint32_t i,
                          Workspace& workspace) const {
  int left = 0;
  for (const int n : workspace.block) left += n;
  if (left == 0) {
    workspace.block = full_block_;
    for (const int n : full_block_) left += n;
  }
  rng::Stream stream({key, rng::Purpose::rerandomisation, trial, 0});
  auto ball = static_cast<int>(std::uint64_t{stream.word(i)} * static_cast<std::uint64_t>(left) >> 32);
  int arm = 0;
  while (ball >= workspace.block[static_cast<std::size_t>(arm)])
    ball -= workspace.block[static_cast<std::size_t>(arm++)];
  --workspace.block[static_cast<std::size_t>(arm)];
  return arm;
}

void Maintenance::simulate(rng::Key key, std::uint64_t trial, std::span<const int> arm,
                           std::span<const std::int8_t> responds, Workspace& workspace) const {
  const std::size_t n_cells = 2 * spec_.arms.size() * static_cast<std::size_t>(n_slots_);
  workspace.arms.assign(spec_.arms.size(), {});
  workspace.events.assign(n_cells, 0);
  workspace.censored.assign(n_cells, 0);
  workspace.block.assign(spec_.arms.size(), 0);
  std::uint32_t n_randomised = 0;
  for (std::size_t i = 0; i < arm.size(); ++i) {
    if (responds[i] != 1 || std::find(spec_.from.begin(), spec_.from.end(), arm[i]) == spec_.from.end())
      continue;
    const int to = draw_arm(key, trial, n_randomised++, workspace);
    const Path path(
        spec_.arms[static_cast<std::size_t>(to)], spec_.dropout_per_week, visits_,
        rng::Stream({key, rng::Purpose::maintenance, trial, static_cast<std::uint32_t>(i)}));
    follow(path, to, workspace);
  }
}

void Maintenance::follow(const Path& path, int arm, Workspace& workspace) const {
  auto& outcome = workspace.arms[static_cast<std::size_t>(arm)];
  ++outcome.patients;
  outcome.kept += path.is_kept ? 1 : 0;
  // Slot of a visit: its number from 1, so that who attends none is at risk at none.
  if (path.loss_visit >= 0) {
    ++outcome.lost;
    ++workspace.events[cell(TimeKind::loss, arm, path.loss_visit + 1)];
  } else {
    ++workspace.censored[cell(TimeKind::loss, arm, path.last_visit + 1)];
  }
  const double seen_until = std::min(path.leaves, weeks_);
  if (path.flare < seen_until) {
    ++outcome.flared;
    ++workspace.events[cell(TimeKind::flare, arm,
                            static_cast<int>(std::ceil(path.flare * k_days_per_week)))];
  } else {
    ++workspace.censored[cell(TimeKind::flare, arm,
                              static_cast<int>(std::floor(seen_until * k_days_per_week)))];
  }
}

std::span<const analysis::RiskSet> Maintenance::risk_sets(TimeKind kind,
                                                          const MaintenanceComparison& comparison,
                                                          Workspace& workspace) const {
  workspace.sets.clear();
  int at_risk_1 = workspace.arms[static_cast<std::size_t>(comparison.arm_1)].patients;
  int at_risk_0 = workspace.arms[static_cast<std::size_t>(comparison.arm_0)].patients;
  for (int slot = 0; slot < n_slots_; ++slot) {
    const std::size_t cell_1 = cell(kind, comparison.arm_1, slot);
    const std::size_t cell_0 = cell(kind, comparison.arm_0, slot);
    const int events_1 = workspace.events[cell_1], events_0 = workspace.events[cell_0];
    if (events_1 + events_0 > 0) workspace.sets.push_back({events_1, at_risk_1, events_0, at_risk_0});
    at_risk_1 -= events_1 + workspace.censored[cell_1];
    at_risk_0 -= events_0 + workspace.censored[cell_0];
  }
  return workspace.sets;
}

AnalysisOutcome Maintenance::analyse(const MaintenanceComparison& comparison,
                                     Workspace& workspace) const {
  const auto& arm_1 = workspace.arms[static_cast<std::size_t>(comparison.arm_1)];
  const auto& arm_0 = workspace.arms[static_cast<std::size_t>(comparison.arm_0)];
  AnalysisOutcome outcome;
  const auto table = [&](int ArmOutcome::*count) {
    return analysis::TwoByTwo{arm_1.*count, arm_1.patients, arm_0.*count, arm_0.patients};
  };
  const auto times = [&](TimeKind kind) {
    const auto sets = risk_sets(kind, comparison, workspace);
    const auto test = analysis::log_rank_test(sets, comparison.sides, comparison.alpha,
                                              analysis::Direction::lower_is_better);
    outcome.rejected = test.reject;
    outcome.p_value = test.p_value;
    outcome.estimate = analysis::hazard_ratio(sets, k_confidence);
  };
  outcome.failed = arm_1.patients == 0 || arm_0.patients == 0;
  switch (comparison.outcome) {
    case design::MaintenanceOutcome::response_kept: {
      outcome.table = table(&ArmOutcome::kept);
      if (outcome.failed) return outcome;
      const auto test = analysis::test({analysis::Method::chi_square, comparison.sides,
                                        comparison.alpha, 0, analysis::Direction::higher_is_better},
                                       {&outcome.table, 1});
      outcome.rejected = test.reject;
      outcome.p_value = test.p_value;
      outcome.estimate =
          analysis::estimate(analysis::EffectMeasure::risk_difference,
                             analysis::IntervalMethod::newcombe, k_confidence, {&outcome.table, 1});
      return outcome;
    }
    case design::MaintenanceOutcome::time_to_loss:
      outcome.table = table(&ArmOutcome::lost);
      if (!outcome.failed) times(TimeKind::loss);
      return outcome;
    case design::MaintenanceOutcome::time_to_flare:
      outcome.table = table(&ArmOutcome::flared);
      if (!outcome.failed) times(TimeKind::flare);
      return outcome;
  }
  return outcome;
}

std::vector<MaintenanceComparison> Maintenance::comparisons(
    const design::MaintenanceAnalysis& analysis) const {
  std::vector<MaintenanceComparison> all;
  const auto& control = spec_.arms[static_cast<std::size_t>(spec_.control)];
  for (int i = 0; i < static_cast<int>(spec_.arms.size()); ++i) {
    if (i == spec_.control) continue;
    const auto& arm = spec_.arms[static_cast<std::size_t>(i)];
    MaintenanceComparison one{analysis.outcome, i,  spec_.control, analysis.sides,
                              analysis.alpha,   {}, false};
    const bool same_loss = arm.loss_per_week == control.loss_per_week;
    const bool same_flare = same_loss && arm.flare_per_week == control.flare_per_week;
    // Treated flares may bring a patient back, between two visits too.
    const bool none_comes_back = arm.recapture_per_week == 0 && control.recapture_per_week == 0;
    const bool same_course = same_flare && arm.recapture_per_week == control.recapture_per_week;
    switch (analysis.outcome) {
      case design::MaintenanceOutcome::response_kept:
        one.is_null = same_course || (same_loss && none_comes_back);
        one.true_value = kept_probability(i) - kept_probability(spec_.control);
        break;
      case design::MaintenanceOutcome::time_to_loss:
        one.is_null = same_course || (same_loss && none_comes_back);
        if (none_comes_back && control.loss_per_week > 0)
          one.true_value = arm.loss_per_week / control.loss_per_week;
        break;
      case design::MaintenanceOutcome::time_to_flare:
        one.is_null = same_flare;
        if (same_flare) one.true_value = 1;
        break;
    }
    all.push_back(one);
  }
  return all;
}

// The three states' probabilities by the Runge-Kutta method of fourth order.
double Maintenance::kept_probability(int i_arm) const {
  constexpr int k_steps = 4000;
  using State = std::array<double, 3>;
  const auto& arm = spec_.arms[static_cast<std::size_t>(i_arm)];
  const auto slope = [&](const State& p) {
    const double out = arm.loss_per_week * p[0], flare = arm.flare_per_week * p[1],
                 back = arm.recapture_per_week * p[2];
    return State{back - out, out - flare, flare - back};
  };
  const auto moved = [](const State& p, const State& by, double h) {
    return State{p[0] + h * by[0], p[1] + h * by[1], p[2] + h * by[2]};
  };
  State p{1, 0, 0};
  const double h = weeks_ / k_steps;
  for (int i = 0; i < k_steps; ++i) {
    const State k1 = slope(p), k2 = slope(moved(p, k1, h / 2)), k3 = slope(moved(p, k2, h / 2)),
                k4 = slope(moved(p, k3, h));
    for (std::size_t s = 0; s < p.size(); ++s) p[s] += h / 6 * (k1[s] + 2 * k2[s] + 2 * k3[s] + k4[s]);
  }
  return p[0] * math::exp(-spec_.dropout_per_week * weeks_);
}

}  // namespace trialwright::trial
