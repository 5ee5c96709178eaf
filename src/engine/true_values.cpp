#include "engine/true_values.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/estimate.hpp"
#include "engine/table_counts.hpp"

namespace trialwright::engine {
namespace {

constexpr std::uint64_t k_first_truth_trial = std::uint64_t{1} << 47;
constexpr std::uint64_t k_min_patients = 1 << 18;
constexpr std::uint64_t k_max_patients = 1 << 23;
constexpr int k_n_batches = 16;

double value_of(analysis::EffectMeasure effect, double rate_1, double rate_0) {
  switch (effect) {
    case analysis::EffectMeasure::risk_difference:
      return rate_1 - rate_0;
    case analysis::EffectMeasure::risk_ratio:
      return rate_1 / rate_0;
    case analysis::EffectMeasure::odds_ratio:
      return rate_1 / (1 - rate_1) / (rate_0 / (1 - rate_0));
  }
  return 0;
}

std::optional<TrueValue> exact_value(const trial::TrialPlan& plan,
                                     const trial::PlannedAnalysis& analysis) {
  // A common rate, whatever it is: no difference, and ratios of 1.
  if (plan.has_common_rate(analysis))
    return TrueValue{analysis.effect == analysis::EffectMeasure::risk_difference ? 0.0 : 1.0, 0};
  if (!analysis.strata.empty()) return std::nullopt;
  const auto rates = plan.exact_rates(analysis);
  if (!rates) return std::nullopt;
  return TrueValue{value_of(analysis.effect, rates->rate_1, rates->rate_0), 0};
}

std::vector<std::optional<TrueValue>> exact_values(const trial::TrialPlan& plan) {
  std::vector<std::optional<TrueValue>> values(plan.analyses.size());
  for (std::size_t i = 0; i < values.size() && !plan.model->truth_is_drawn(); ++i)
    values[i] = exact_value(plan, plan.analyses[i]);
  return values;
}

std::uint64_t batch_trials(const Work& work) {
  const auto patients = static_cast<std::uint64_t>(work.plan->n_patients);
  const std::uint64_t wanted =
      std::clamp(work.n_trials * patients / 10, k_min_patients, k_max_patients) / patients;
  return std::max<std::uint64_t>(1, wanted / k_n_batches);
}

void add(std::span<const analysis::TwoByTwo> tables, std::vector<analysis::TwoByTwo>& sum) {
  if (sum.empty()) sum.resize(tables.size());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    sum[i].responders_1 += tables[i].responders_1;
    sum[i].n_1 += tables[i].n_1;
    sum[i].responders_0 += tables[i].responders_0;
    sum[i].n_0 += tables[i].n_0;
  }
}

int sum_of(std::span<const std::int32_t> column, std::size_t n) {
  int sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += column[i];
  return sum;
}

}  // namespace

TruthStage::TruthStage(std::span<Work> work, int n_threads)
    : work_(work), workers_(static_cast<std::size_t>(n_threads)) {
  for (const auto& point : work) {
    const auto [place, is_new] = truths_of_key_.try_emplace(point.plan->truth_key);
    if (!is_new) continue;
    auto& truth = place->second;
    truth = {&point, exact_values(*point.plan), batch_trials(point), {}};
    if (point.plan->model->truth_is_drawn() ||
        std::find(truth.exact.begin(), truth.exact.end(), std::nullopt) == truth.exact.end())
      continue;
    truth.batches.resize(k_n_batches);
    n_trials_ += k_n_batches * truth.batch_trials;
    simulated_.push_back(&truth);
  }
  n_left_ = n_blocks();
  if (n_left_ == 0) finish();
}

std::uint64_t TruthStage::n_blocks() const {
  return simulated_.size() * k_n_batches;
}

std::uint64_t TruthStage::run(std::uint64_t i_block, std::size_t i_thread) {
  try {
    return run_batch(i_block, i_thread);
  } catch (...) {
    fail();
    throw;
  }
}

void TruthStage::wait() const {
  state_.wait(State::under_way);
  if (state_ == State::failed) std::rethrow_exception(failure_);
}

std::uint64_t TruthStage::run_batch(std::uint64_t i_block, std::size_t i_thread) {
  auto& truth = *simulated_[i_block / k_n_batches];
  const std::uint64_t i_batch = i_block % k_n_batches;
  auto& sums = truth.batches[i_batch];
  sums.resize(truth.work->plan->analyses.size());
  if (truth.work->counts)
    draw_batch(truth, i_batch, workers_[i_thread], sums);
  else
    simulate_batch(truth, i_batch, workers_[i_thread], sums);
  const std::uint64_t n_trials = truth.batch_trials;
  if (--n_left_ == 0) finish();
  return n_trials;
}

void TruthStage::simulate_batch(const Truth& truth, std::uint64_t i_batch, Worker& worker,
                                std::vector<Tables>& sums) const {
  const auto& plan = *truth.work->plan;
  auto& workspace = worker.workspace;
  workspace.prepare(plan);
  const std::uint64_t first = k_first_truth_trial + i_batch * truth.batch_trials;
  for (std::uint64_t i = 0; i < truth.batch_trials; ++i) {
    trial::simulate_counts(plan, first + i, workspace);
    for (std::size_t k = 0; k < sums.size(); ++k) {
      const std::span<const analysis::TwoByTwo> strata = workspace.strata[k];
      add(strata.empty() ? std::span{&workspace.outcome.analyses[k].table, 1} : strata, sums[k]);
    }
  }
}

void TruthStage::draw_batch(const Truth& truth, std::uint64_t i_batch, Worker& worker,
                            std::vector<Tables>& sums) const {
  const auto& plan = *truth.work->plan;
  const auto& counts = *truth.work->counts;
  const auto& columns = worker.counts.counts;
  const std::uint64_t from = k_first_truth_trial + i_batch * truth.batch_trials;
  const std::uint64_t to = from + truth.batch_trials;
  for (std::uint64_t first = from; first < to; first += trial::CountPlan::k_most_trials) {
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(trial::CountPlan::k_most_trials, to - first));
    counts.draw(plan.key, first, n, worker.counts);
    for (std::size_t k = 0; k < sums.size(); ++k) {
      Tables tables;
      for (const auto& [active, control] : cells_of(plan, counts, k))
        tables.push_back({sum_of(columns[active.events], n), sum_of(columns[active.patients], n),
                          sum_of(columns[control.events], n), sum_of(columns[control.patients], n)});
      add(tables, sums[k]);
    }
  }
}

std::optional<TrueValue> TruthStage::pooled_value(const Truth& truth, std::size_t i_analysis) const {
  const auto& estimator = truth.work->plan->analyses[i_analysis].estimator;
  Tables pooled;
  double sum = 0;
  double sum_of_squares = 0;
  for (const auto& batch : truth.batches) {
    add(batch[i_analysis], pooled);
    const double value = estimator(batch[i_analysis]).value;
    sum += value;
    sum_of_squares += value * value;
  }
  const double value = estimator(pooled).value;
  const double variance = (sum_of_squares - sum * sum / k_n_batches) / (k_n_batches - 1) / k_n_batches;
  if (!std::isfinite(value) || !std::isfinite(variance)) return std::nullopt;
  return TrueValue{value, std::sqrt(std::max(0.0, variance))};
}

void TruthStage::finish() {
  for (auto& point : work_) {
    const auto& truth = truths_of_key_.at(point.plan->truth_key);
    auto& of_point = truths_.emplace_back(truth.exact);
    for (std::size_t i = 0; i < of_point.size(); ++i)
      if (!of_point[i] && !truth.batches.empty()) of_point[i] = pooled_value(truth, i);
    point.true_values.clear();
    for (const auto& value : of_point)
      point.true_values.push_back(value ? std::optional{value->value} : std::nullopt);
  }
  state_ = State::done;
  state_.notify_all();
}

// The pool waits for every thread: those in wait() would wait for ever.
void TruthStage::fail() {
  if (has_failed_.test_and_set()) return;
  failure_ = std::current_exception();
  state_ = State::failed;
  state_.notify_all();
}

PointTruths true_values(std::span<Work> work, int n_threads, Monitor* monitor) {
  TruthStage truths(work, n_threads);
  Stage* const stages[] = {&truths};
  run_stages(stages, n_threads, monitor);
  return std::move(truths.truths());
}

}  // namespace trialwright::engine
