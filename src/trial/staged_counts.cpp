#include "trial/staged_counts.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "base/contract.hpp"
#include "trial/analyse_counts.hpp"
#include "trial/staged_counts_impl.hpp"

namespace trialwright::trial {
FirstLook::Entry FirstLook::saved(const design::TrialState& state) {
  Entry entry;
  entry.n_planned = state.n_planned;
  entry.outcomes_at_next_look = state.outcomes_at_next_look;
  entry.arms = state.arms;
  entry.population = state.population;
  entry.open = state.open;
  entry.rejected = state.rejected;
  for (std::size_t i = 0; i < k_kept; ++i) {
    entry.information[i] = state.information[i];
    entry.efficacy_z[i] = state.efficacy_z[i];
    entry.futility_z[i] = state.futility_z[i];
    entry.open_at[i] = state.open_at[i];
  }
  return entry;
}

void FirstLook::restore(const Entry& entry, design::TrialState& state) {
  state.n_looks = 1;
  state.n_planned = entry.n_planned;
  state.outcomes_at_next_look = entry.outcomes_at_next_look;
  state.arms = entry.arms;
  state.population = entry.population;
  state.open = entry.open;
  state.rejected = entry.rejected;
  state.stop = design::StopReason::none;
  for (std::size_t i = 0; i < k_kept; ++i) {
    state.information[i] = entry.information[i];
    state.efficacy_z[i] = entry.efficacy_z[i];
    state.futility_z[i] = entry.futility_z[i];
    state.open_at[i] = entry.open_at[i];
  }
}

int BlockLaw::size(design::Bits of_arms) const {
  int total = 0;
  for (std::size_t a = 0; a < balls.size(); ++a) total += (of_arms >> a & 1) != 0 ? balls[a] : 0;
  return total;
}

LookSize StagedCountPlan::Impl::next_look(int i_look, const design::TrialState& state,
                                          int n_known) const {
  const int n_planned = std::max(state.n_planned, n_known);
  const auto i = static_cast<std::size_t>(i_look);
  if (i >= interim.size()) return {n_planned, true};
  const int awaited =
      state.outcomes_at_next_look > 0 ? state.outcomes_at_next_look : interim[i].of(state.n_planned);
  if (awaited > n_planned) return {n_planned, true};
  return {std::max(awaited, n_known), false};
}

int StagedCountPlan::Impl::sum_of(const Workspace& workspace, std::size_t n_stages,
                                  std::size_t of_stage, std::size_t row) const {
  int sum = 0;
  for (std::size_t stage = 0; stage < n_stages; ++stage)
    sum += workspace.counts[column(stage, of_stage)][row];
  return sum;
}

void StagedCountPlan::Impl::fill(std::size_t n_looks, std::size_t row, Workspace& workspace) const {
  const auto& counts = workspace.counts;
  auto& stages = workspace.stages;
  stages.clear();
  for (std::size_t stage = 0; stage < n_looks; ++stage)
    for (const auto& strata : hypotheses)
      for (const auto& [active, control] : strata)
        stages.push_back(
            {counts[column(stage, active.events)][row], counts[column(stage, active.patients)][row],
             counts[column(stage, control.events)][row], counts[column(stage, control.patients)][row]});
  const auto known = [&](int i_estimand, std::size_t arm) {
    const CountCell& cell = arms[static_cast<std::size_t>(i_estimand) * n_arms + arm];
    return design::Rate{sum_of(workspace, n_looks, cell.events, row),
                        sum_of(workspace, n_looks, cell.patients, row)};
  };
  workspace.merits.clear();
  if (merit_estimand >= 0)
    for (const auto& [arm_1, arm_0] : pairs) {
      const auto active = known(merit_estimand, arm_1), control = known(merit_estimand, arm_0);
      const auto share = [](const design::Rate& of) {
        return of.patients > 0 ? static_cast<double>(of.events) / of.patients : 0.0;
      };
      workspace.merits.push_back(active.patients == 0 ? -std::numeric_limits<double>::infinity()
                                                      : merit_sign * (share(active) - share(control)));
    }
  workspace.safety.clear();
  if (safety_estimand >= 0)
    for (std::size_t arm = 0; arm < n_arms; ++arm)
      workspace.safety.push_back(known(safety_estimand, arm));
}

design::LookData StagedCountPlan::Impl::look_data(std::size_t i_stage, const LookSize& size,
                                                  const Workspace& workspace) const {
  return {.i_look = static_cast<int>(i_stage),
          .is_final = size.is_final,
          .n_enrolled = size.n_known,
          .n_hypotheses = static_cast<int>(n_hypotheses),
          .n_strata = static_cast<int>(n_strata),
          .stages = workspace.stages,
          .merits = workspace.merits,
          .safety = workspace.safety};
}

void StagedCountPlan::Impl::run_tables(std::size_t n_trials, const Workspace& workspace,
                                       EndCounts& ends_of_trials) const {
  constexpr std::size_t k_rows = CountSampler::k_chunk;
  // Four, so that an increment need not wait for that of the trial before.
  std::array<std::array<std::uint32_t, 256>, 4> n_ends{};
  std::array<std::uint32_t, k_rows> x_1, x_0, places;
  std::array<std::uint8_t, k_rows> results;
  const auto& [active, control] = hypotheses.front().front();
  for (std::size_t from = 0; from < n_trials; from += k_rows) {
    const std::size_t n = std::min(k_rows, n_trials - from);
    std::fill_n(x_1.begin(), n, 0u);
    std::fill_n(x_0.begin(), n, 0u);
    std::fill_n(results.begin(), n, std::uint8_t{0});
    for (std::size_t look = 0; look < tables.size(); ++look) {
      const LookTable& table = tables[look];
      const std::int32_t* add_1 = workspace.counts[column(look, active.events)].data() + from;
      const std::int32_t* add_0 = workspace.counts[column(look, control.events)].data() + from;
      const auto stride = static_cast<std::uint32_t>(table.events_0.width());
      const auto lowest = static_cast<std::uint32_t>(table.events_1.lowest) * stride +
                          static_cast<std::uint32_t>(table.events_0.lowest);
      for (std::size_t i = 0; i < n; ++i) {
        x_1[i] += static_cast<std::uint32_t>(add_1[i]);
        x_0[i] += static_cast<std::uint32_t>(add_0[i]);
        places[i] = x_1[i] * stride + x_0[i] - lowest;
      }
      const std::uint8_t* entries = table.entries.data();
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint8_t before = results[i];
        const auto after = static_cast<std::uint8_t>(before | entries[places[i]]);
        results[i] = before > 1 ? before : after;
      }
    }
    for (std::size_t i = 0; i < n; ++i) ++n_ends[i % 4][results[i]];
  }
  for (std::size_t result = 2; result < 256; ++result) {
    const std::uint64_t n =
        std::uint64_t{n_ends[0][result]} + n_ends[1][result] + n_ends[2][result] + n_ends[3][result];
    if (n == 0) continue;
    TrialEnd end = ends[result / 2];
    end.naive_rejected = result % 2;
    ends_of_trials.add(end, n);
  }
}

bool StagedCountPlan::Impl::decide(std::size_t i_stage, std::size_t row, std::size_t i,
                                   Workspace& workspace, EndCounts& ends_of_trials) const {
  design::TrialState& state = workspace.states[i];
  std::int32_t& n_known = workspace.known[i];
  fill(i_stage + 1, row, workspace);
  const LookSize size = next_look(static_cast<int>(i_stage), state, n_known);
  const auto data = look_data(i_stage, size, workspace);
  const auto decision = design->decide(data, state, nullptr);
  n_known = size.n_known;
  if (decision.stop == design::StopReason::none && !size.is_final) return true;
  ends_of_trials.add(end_of(state, decision.stop, design->naive_rejections(data, state), n_known));
  return false;
}

bool StagedCountPlan::Impl::look_up(std::size_t row, std::size_t i, Workspace& workspace,
                                    EndCounts& ends_of_trials) const {
  const auto& [active, control] = hypotheses.front().front();
  const auto& entry =
      first->at(workspace.counts[active.events][row], workspace.counts[control.events][row]);
  if (entry.is_end) {
    ends_of_trials.add(entry.end);
    return false;
  }
  FirstLook::restore(entry, workspace.states[i]);
  workspace.known[i] = first_size.n_known;
  return true;
}

void StagedCountPlan::Impl::give_sizes(const rng::Address& address, std::size_t i, int n_more,
                                       std::size_t row, Workspace& workspace) const {
  std::array<std::int32_t, design::k_most_hypotheses + 1> sizes{};
  const std::span<std::int32_t> urn(&workspace.urns[i * n_arms], n_arms);
  rng::Stream stream(address);
  blocks.take(workspace.states[i].arms, n_more, urn, stream, std::span(sizes).first(n_arms));
  for (std::size_t a = 0; a < n_arms; ++a) workspace.sizes[a][row] = sizes[a];
}

void StagedCountPlan::Impl::run_chunk(rng::Key key, std::uint64_t first_trial, std::size_t row,
                                      std::size_t n, Workspace& workspace,
                                      EndCounts& ends_of_trials) const {
  std::array<std::uint16_t, CountSampler::k_chunk> going;
  std::size_t n_going = n;
  const auto block_words = [&](std::size_t stage, std::size_t i) {
    return rng::Address{key, rng::Purpose::counts, first_trial + i,
                        k_block_unit + static_cast<std::uint32_t>(stage)};
  };
  std::fill(workspace.urns.begin(), workspace.urns.end(), 0);
  for (std::size_t i = 0; i < n; ++i) {
    going[i] = static_cast<std::uint16_t>(i);
    workspace.known[i] = 0;
    if (!first) workspace.states[i] = start;
    if (begins_given) give_sizes(block_words(0, i), i, first_size.n_known, row + i, workspace);
  }
  for (std::size_t stage = 0; stage < n_stages() && n_going > 0; ++stage) {
    sampler->draw_stage(stage, key, first_trial, row, n, workspace.scratch, workspace.counts,
                        workspace.sizes);
    for (std::size_t a = 0; a < n_arms; ++a)
      std::fill_n(workspace.sizes[a].begin() + static_cast<std::ptrdiff_t>(row), n, 0);
    std::size_t n_left = 0;
    for (std::size_t k = 0; k < n_going; ++k) {
      const std::size_t i = going[k];
      const design::TrialState& state = workspace.states[i];
      const design::Bits arms_before = stage == 0 ? start.arms : state.arms;
      const bool goes_on = stage == 0 && first ? look_up(row + i, i, workspace, ends_of_trials)
                                               : decide(stage, row + i, i, workspace, ends_of_trials);
      if (!goes_on) continue;
      going[n_left++] = static_cast<std::uint16_t>(i);
      // Those that stay begin a list of their own.
      if (state.arms != arms_before)
        std::fill_n(workspace.urns.begin() + static_cast<std::ptrdiff_t>(i * n_arms), n_arms, 0);
      const int n_next = next_look(static_cast<int>(stage) + 1, state, workspace.known[i]).n_known;
      give_sizes(block_words(stage + 1, i), i, n_next - workspace.known[i], row + i, workspace);
    }
    n_going = n_left;
  }
}

StagedCountPlan::StagedCountPlan(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
StagedCountPlan::~StagedCountPlan() = default;

bool StagedCountPlan::decides_by_tables() const {
  return !impl_->tables.empty();
}

void StagedCountPlan::run(rng::Key key, std::uint64_t first_trial, std::size_t n_trials,
                          Workspace& workspace, EndCounts& ends) const {
  TRIALWRIGHT_EXPECT(n_trials <= k_most_trials);
  const Impl& impl = *impl_;
  workspace.counts.resize(k_most_trials, impl.n_stages() * impl.n_columns);
  if (decides_by_tables()) {
    impl.sampler->draw(key, first_trial, n_trials, workspace.scratch, workspace.counts);
    impl.run_tables(n_trials, workspace, ends);
    return;
  }
  workspace.block_words.resize(CountSampler::k_chunk, 4);
  workspace.sizes.resize(k_most_trials, impl.n_arms);
  workspace.states.resize(CountSampler::k_chunk, impl.start);
  workspace.known.resize(CountSampler::k_chunk);
  workspace.urns.resize(CountSampler::k_chunk * impl.n_arms);
  if (!impl.outlooks.empty() && impl.n_stages() > 2) workspace.recalled.begin(impl.identity);
  for (std::size_t row = 0; row < n_trials; row += CountSampler::k_chunk) {
    const std::size_t n = std::min(CountSampler::k_chunk, n_trials - row);
    if (impl.outlooks.empty())
      impl.run_chunk(key, first_trial + row, row, n, workspace, ends);
    else
      impl.run_chunk_by_outlooks(key, first_trial + row, row, n, workspace, ends);
  }
}

StagedCountPlan::Impl::Told StagedCountPlan::Impl::retell(std::size_t row, Workspace& workspace,
                                                          StagedOutcome& outcome,
                                                          std::vector<LookRecord>* records) const {
  if (records != nullptr) records->clear();
  Told told;
  auto& [looks, data] = told;
  design::TrialState& state = outcome.state;
  state = start;
  looks.n_planned_at_start = state.n_planned;
  int n_known = 0;
  while (!looks.is_final) {
    const auto i = static_cast<std::size_t>(looks.n_looks);
    const LookSize size = next_look(looks.n_looks, state, n_known);
    fill(i + 1, row, workspace);
    data = look_data(i, size, workspace);
    design::Statistics statistics;
    const auto decision = design->decide(data, state, records != nullptr ? &statistics : nullptr);
    if (records != nullptr) records->push_back(record_of(data, state, decision, statistics));
    outcome.stop = decision.stop;
    looks.n_known[i] = n_known = size.n_known;
    looks.n_planned[i] = state.n_planned;
    looks.is_final = size.is_final;
    ++looks.n_looks;
    if (outcome.stop != design::StopReason::none) break;
  }
  outcome.n_looks = state.n_looks;
  outcome.rejected = state.rejected;
  outcome.naive_rejected = design->naive_rejections(data, state);
  outcome.arms = state.arms;
  outcome.population = state.population;
  outcome.n_enrolled = outcome.n_known = outcome.n_analysed = n_known;
  outcome.has_calendar = false;
  outcome.decision_months = 0;
  outcome.inference.clear();
  return told;
}

CountedLooks StagedCountPlan::looks_of(std::size_t row, Workspace& workspace, StagedOutcome& outcome,
                                       std::vector<LookRecord>* records) const {
  return impl_->retell(row, workspace, outcome, records).looks;
}

std::span<const analysis::TwoByTwo> StagedCountPlan::tables(std::size_t i_analysis, int n_looks,
                                                            std::size_t row,
                                                            Workspace& workspace) const {
  return impl_->tables_after(static_cast<std::size_t>(n_looks), i_analysis, row, workspace);
}

void StagedCountPlan::tell(const TrialPlan& plan, std::size_t row, Workspace& workspace,
                           StagedOutcome& outcome, TrialOutcome& trial) const {
  const auto [looks, data] = impl_->retell(row, workspace, outcome, nullptr);
  for (int h = 0; h < plan.n_hypotheses; ++h)
    outcome.inference.push_back(impl_->design->infer(data, outcome.state, h));
  impl_->analyse(plan, static_cast<std::size_t>(looks.n_looks), row, workspace, trial);
}

std::span<const analysis::TwoByTwo> StagedCountPlan::Impl::tables_after(std::size_t n_looks,
                                                                        std::size_t i_analysis,
                                                                        std::size_t row,
                                                                        Workspace& workspace) const {
  const auto sum = [&](std::size_t of_stage) { return sum_of(workspace, n_looks, of_stage, row); };
  auto& strata = workspace.stages;  // the looks are over
  strata.clear();
  for (const auto& [active, control] : analyses[i_analysis])
    strata.push_back(
        {sum(active.events), sum(active.patients), sum(control.events), sum(control.patients)});
  return strata;
}

void StagedCountPlan::Impl::analyse(const TrialPlan& plan, std::size_t n_looks, std::size_t row,
                                    Workspace& workspace, TrialOutcome& trial) const {
  workspace.caches.resize(plan.analyses.size());
  trial.analyses.resize(plan.analyses.size());
  for (std::size_t i = 0; i < analyses.size(); ++i)
    trial.analyses[i] =
        analyse_counts(plan.analyses[i], tables_after(n_looks, i, row, workspace), workspace.caches[i]);
  trial.counts.resize(arms.size());
  for (std::size_t i = 0; i < arms.size(); ++i)
    trial.counts[i] = {sum_of(workspace, n_looks, arms[i].events, row),
                       sum_of(workspace, n_looks, arms[i].patients, row)};
}

}  // namespace trialwright::trial
