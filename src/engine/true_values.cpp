#include "engine/true_values.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/estimate.hpp"
#include "engine/table_counts.hpp"

namespace trialwright::engine {
namespace {

constexpr std::uint64_t k_first_truth_trial = std::uint64_t{1} << 47;
constexpr std::uint64_t k_n_batches = 16;

double value_of(analysis::EffectMeasure effect, double rate_1, double rate_0) {
  switch (effect) {
    case analysis::EffectMeasure::risk_difference:
      return rate_1 - rate_0;
    case analysis::EffectMeasure::risk_ratio:
      return rate_1 / rate_0;
    case analysis::EffectMeasure::odds_ratio:
      return rate_1 / (1 - rate_1) / (rate_0 / (1 - rate_0));
    case analysis::EffectMeasure::hazard_ratio:
      break;  // is not made of rates
  }
  return 0;
}

std::optional<TrueValue> exact_value(const trial::TrialPlan& plan,
                                     const trial::PlannedAnalysis& analysis) {
  if (const auto& maintenance = analysis.maintenance)
    return maintenance->true_value ? std::optional{TrueValue{*maintenance->true_value, 0}}
                                   : std::nullopt;
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

// Times have the value of their hazards, or none.
bool needs_simulation(const trial::TrialPlan& plan,
                      const std::vector<std::optional<TrueValue>>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!values[i] && !plan.analyses[i].maintenance) return true;
  return false;
}

std::uint64_t batch_trials(const PointWork& work) {
  const auto patients = static_cast<std::uint64_t>(work.plan->n_patients) * k_n_batches;
  return (work.truth_patients + patients - 1) / patients;
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

TrueValues values_alone(const std::vector<std::optional<TrueValue>>& truths) {
  TrueValues values;
  for (const auto& truth : truths) values.push_back(truth ? std::optional{truth->value} : std::nullopt);
  return values;
}

TruthStage::TruthStage(std::span<const PointWork> work, int n_threads)
    : truths_(work.size()), workers_(static_cast<std::size_t>(n_threads)) {
  for (std::size_t i = 0; i < work.size(); ++i) {
    auto& truth = truths_[i];
    truth.work = &work[i];
    truth.values = work[i].known ? work[i].known->truths : exact_values(*work[i].plan);
    if (work[i].known || work[i].plan->model->truth_is_drawn() ||
        !needs_simulation(*work[i].plan, truth.values)) {
      finish(truth);
      continue;
    }
    truth.batch_trials = batch_trials(work[i]);
    truth.batches.resize(k_n_batches);
    truth.n_left = k_n_batches;
    n_trials_ += k_n_batches * truth.batch_trials;
    simulated_.push_back(&truth);
  }
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

const TrueValues& TruthStage::wait(std::size_t i_work) const {
  const auto& truth = truths_[i_work];
  truth.state.wait(State::under_way);
  if (truth.state == State::failed) std::rethrow_exception(failure_);
  return truth.alone;
}

std::uint64_t TruthStage::run_batch(std::uint64_t i_block, std::size_t i_thread) {
  auto& truth = *simulated_[i_block / k_n_batches];
  const std::uint64_t i_batch = i_block % k_n_batches;
  auto& sums = truth.batches[i_batch];
  sums.resize(truth.work->plan->analyses.size());
  auto& worker = workers_[i_thread];
  if (!worker) worker = std::make_unique<Worker>();
  if (truth.work->counts)
    draw_batch(truth, i_batch, *worker, sums);
  else
    simulate_batch(truth, i_batch, *worker, sums);
  const std::uint64_t n_trials = truth.batch_trials;
  if (--truth.n_left == 0) finish(truth);
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
  const auto& analysis = truth.work->plan->analyses[i_analysis];
  // What is true of a subgroup that borrows is its own.
  const auto estimate_of = [&](const Tables& tables) {
    const std::span<const analysis::TwoByTwo> all(tables);
    return analysis.estimator(analysis.borrowing ? all.first(1) : all).value;
  };
  Tables pooled;
  double sum = 0;
  double sum_of_squares = 0;
  for (const auto& batch : truth.batches) {
    add(batch[i_analysis], pooled);
    const double value = estimate_of(batch[i_analysis]);
    sum += value;
    sum_of_squares += value * value;
  }
  const double value = estimate_of(pooled);
  constexpr double k_n = k_n_batches;
  const double variance = (sum_of_squares - sum * sum / k_n) / (k_n - 1) / k_n;
  if (!std::isfinite(value) || !std::isfinite(variance)) return std::nullopt;
  return TrueValue{value, std::sqrt(std::max(0.0, variance))};
}

void TruthStage::finish(Truth& truth) {
  for (std::size_t i = 0; i < truth.values.size() && !truth.batches.empty(); ++i)
    if (!truth.values[i] && !truth.work->plan->analyses[i].maintenance)
      truth.values[i] = pooled_value(truth, i);
  std::vector<std::vector<Tables>>().swap(truth.batches);
  truth.alone = values_alone(truth.values);
  truth.state = State::done;
  truth.state.notify_all();
}

// The pool waits for every thread: those in wait() would wait for ever.
void TruthStage::fail() {
  if (has_failed_.test_and_set()) return;
  failure_ = std::current_exception();
  for (auto& truth : truths_) {
    State before = State::under_way;
    truth.state.compare_exchange_strong(before, State::failed);
    truth.state.notify_all();
  }
}

}  // namespace trialwright::engine
